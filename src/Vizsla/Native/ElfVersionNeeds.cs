using System.Buffers.Binary;
using System.Text;

namespace Vizsla.Native;

/// <summary>Reads and weakens the symbol versions that a 64-bit little-endian ELF library asks of other libraries.</summary>
/// <remarks>Source: the System V gABI and the Linux Standard Base, "Symbol Versioning" (sections <c>.gnu.version_r</c>, flag <c>VER_FLG_WEAK</c>).</remarks>
internal static class ElfVersionNeeds
{
    private const uint GnuVersionNeedSection = 0x6ffffffe;
    private const ushort WeakFlag = 0x2;

    /// <summary>Marks one version need as weak, so that a system without it loads the library with a notice to itself instead of an error.</summary>
    /// <param name="file">The whole library; changed in place.</param>
    /// <param name="version">The version name, such as <c>GLIBCXX_3.4.32</c>.</param>
    /// <returns>True when the file asked for that version strongly and was changed.</returns>
    /// <exception cref="InvalidDataException">The bytes are no 64-bit little-endian ELF file.</exception>
    public static bool Weaken(Span<byte> file, string version)
    {
        if (file.Length < 64 || !file[..4].SequenceEqual("\u007fELF"u8) || file[4] != 2 || file[5] != 1)
        {
            throw new InvalidDataException("Not a 64-bit little-endian ELF file.");
        }

        var sectionTable = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file[0x28..]));
        var entrySize = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3A..]);
        var entryCount = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3C..]);
        for (var i = 0; i < entryCount; i++)
        {
            var header = file.Slice(sectionTable + i * entrySize, entrySize);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header[4..]) == GnuVersionNeedSection)
            {
                var offset = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(header[0x18..]));
                var link = BinaryPrimitives.ReadInt32LittleEndian(header[0x28..]);
                var strings = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file[(sectionTable + link * entrySize + 0x18)..]));
                return WeakenIn(file, offset, strings, Encoding.ASCII.GetBytes(version + '\0'));
            }
        }

        return false;
    }

    private static bool WeakenIn(Span<byte> file, int need, int strings, ReadOnlySpan<byte> wanted)
    {
        var changed = false;
        while (true)
        {
            var count = BinaryPrimitives.ReadUInt16LittleEndian(file[(need + 2)..]);
            var auxiliary = need + BinaryPrimitives.ReadInt32LittleEndian(file[(need + 8)..]);
            for (var i = 0; i < count; i++)
            {
                var flags = BinaryPrimitives.ReadUInt16LittleEndian(file[(auxiliary + 4)..]);
                var name = strings + BinaryPrimitives.ReadInt32LittleEndian(file[(auxiliary + 8)..]);
                if ((flags & WeakFlag) == 0 && file[name..].StartsWith(wanted))
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(file[(auxiliary + 4)..], (ushort)(flags | WeakFlag));
                    changed = true;
                }

                auxiliary += BinaryPrimitives.ReadInt32LittleEndian(file[(auxiliary + 12)..]);
            }

            var next = BinaryPrimitives.ReadInt32LittleEndian(file[(need + 12)..]);
            if (next == 0)
            {
                return changed;
            }

            need += next;
        }
    }
}
