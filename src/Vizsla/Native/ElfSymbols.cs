using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Text;

namespace Vizsla.Native;

/// <summary>Where the functions of a 64-bit little-endian ELF library stand, those that it does not export too, as long as it was not stripped.</summary>
/// <remarks>Source: the System V gABI, "Symbol Table" (section <c>.symtab</c>).</remarks>
internal static unsafe class ElfSymbols
{
    private const int SymbolTableSection = 2;
    private const int FunctionType = 2;

    /// <summary>Looks functions up.</summary>
    /// <param name="file">The library.</param>
    /// <param name="names">Names of functions as the compiler writes them.</param>
    /// <returns>Address of each name relative to where the library is loaded; zero for one that the file does not name.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is no 64-bit little-endian ELF file, or it ends too early.</exception>
    public static ulong[] Find(string file, params ReadOnlySpan<string> names)
    {
        var found = new ulong[names.Length];
        var length = new FileInfo(file).Length;
        using var map = MemoryMappedFile.CreateFromFile(file, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        using var view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            var header = Span(start, length, 0, sizeof(Header));
            if (!header[..4].SequenceEqual("\u007fELF"u8) || header[4] != 2 || header[5] != 1)
            {
                throw new InvalidDataException($"'{file}' is not a 64-bit little-endian ELF file.");
            }

            var top = MemoryMarshal.Read<Header>(header);
            var sections = MemoryMarshal.Cast<byte, Section>(Span(start, length, top.Sections, top.SectionCount * (long)sizeof(Section)));
            foreach (ref readonly var section in sections)
            {
                if (section.Type == SymbolTableSection && section.Link < sections.Length)
                {
                    var text = sections[(int)section.Link];
                    Search(
                        MemoryMarshal.Cast<byte, Symbol>(Span(start, length, section.Offset, (long)section.Size)),
                        Span(start, length, text.Offset, (long)text.Size),
                        names, found);
                }
            }
        }
        finally
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        return found;
    }

    private static void Search(ReadOnlySpan<Symbol> symbols, ReadOnlySpan<byte> text, ReadOnlySpan<string> names, ulong[] found)
    {
        var wanted = new byte[names.Length][];
        for (var i = 0; i < names.Length; i++)
        {
            wanted[i] = Encoding.ASCII.GetBytes(names[i] + '\0');
        }

        foreach (ref readonly var symbol in symbols)
        {
            if ((symbol.Info & 0xf) != FunctionType || symbol.Value == 0 || symbol.Name >= text.Length)
            {
                continue;
            }

            var name = text[(int)symbol.Name..];
            for (var i = 0; i < wanted.Length; i++)
            {
                if (name.StartsWith(wanted[i]))
                {
                    found[i] = symbol.Value;
                }
            }
        }
    }

    private static ReadOnlySpan<byte> Span(byte* start, long fileLength, ulong offset, long length) =>
        length <= int.MaxValue && offset <= (ulong)fileLength && (ulong)length <= (ulong)fileLength - offset
            ? new(start + offset, (int)length)
            : throw new InvalidDataException("The ELF file ends before one of its tables does.");

    [StructLayout(LayoutKind.Explicit, Size = 64)]
    private struct Header
    {
        [FieldOffset(0x28)]
        public ulong Sections;

        [FieldOffset(0x3C)]
        public ushort SectionCount;
    }

    [StructLayout(LayoutKind.Explicit, Size = 64)]
    private struct Section
    {
        [FieldOffset(0x04)]
        public uint Type;

        [FieldOffset(0x18)]
        public ulong Offset;

        [FieldOffset(0x20)]
        public ulong Size;

        [FieldOffset(0x28)]
        public uint Link;
    }

    [StructLayout(LayoutKind.Explicit, Size = 24)]
    private struct Symbol
    {
        [FieldOffset(0)]
        public uint Name;

        [FieldOffset(4)]
        public byte Info;

        [FieldOffset(8)]
        public ulong Value;
    }
}
