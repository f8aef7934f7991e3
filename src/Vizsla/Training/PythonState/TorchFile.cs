using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch;

namespace Vizsla.Training.PythonState;

/// <summary>Writes files as <c>torch.save</c> does: a zip archive of a pickle and the bytes of its tensors.</summary>
/// <remarks>
/// Only what <c>torch.load(weights_only=True)</c> takes is written. Source: <c>torch.serialization._save</c>.
/// Parity: the same bytes but for <c>.data/serialization_id</c>, a hash that depends on the C++ library.
/// </remarks>
internal static class TorchFile
{
    /// <summary>Writes a file.</summary>
    /// <param name="path">Path; its name without extension becomes the archive's folder.</param>
    /// <param name="root">What to save; see <see cref="PickleWriter"/> for the types.</param>
    public static void Write(string path, object? root)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        Write(stream, Path.GetFileNameWithoutExtension(path), root);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Writes to a stream.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="folder">The archive's folder.</param>
    /// <param name="root">What to save.</param>
    public static void Write(Stream stream, string folder, object? root)
    {
        using var pickle = new MemoryStream();
        var writer = new PickleWriter(pickle);
        writer.Write(root);
        var zip = new StoredZipWriter(stream);
        var all = new Crc32();
        var names = new Crc32();
        Add("data.pkl", pickle.ToArray());
        Add(".format_version", "1"u8);
        Add(".storage_alignment", "64"u8);
        Add("byteorder", "little"u8);
        for (var i = 0; i < writer.Tensors.Count; i++)
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"data/{i}"), Bytes(writer.Tensors[i]));
        }

        Add("version", "3\n"u8);
        Add(".data/serialization_id", Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"{names.GetCurrentHashAsUInt32():D20}{all.GetCurrentHashAsUInt32():D20}")));
        zip.Finish();

        void Add(string name, ReadOnlySpan<byte> content)
        {
            zip.Add($"{folder}/{name}", content);
            names.Append(Encoding.UTF8.GetBytes(name));
            all.Append(content);
        }
    }

    private static byte[] Bytes(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().cpu().contiguous().bytes.ToArray();
    }
}

/// <summary>Writes a zip archive of uncompressed entries whose bytes begin at multiples of 64, as torch does.</summary>
/// <remarks>Source: <c>caffe2/serialize/inline_container.cc</c> and APPNOTE.TXT of PKWARE. Parity: the same bytes.</remarks>
internal sealed class StoredZipWriter(Stream stream)
{
    private const int Alignment = 64;
    private const int LocalHeaderLength = 30;
    private const int PaddingHeaderLength = 4;

    // Sizes in a descriptor behind the bytes; names in UTF-8.
    private const ushort Flags = 0x0808;
    private const ushort MadeBy = 0x031e;
    private const ushort NeededForZip64 = 45;

    private readonly List<byte> _directory = [];
    private long _position;
    private int _count;

    /// <summary>Writes an entry.</summary>
    /// <param name="name">Its path in the archive.</param>
    /// <param name="content">Its bytes.</param>
    /// <exception cref="NotSupportedException">It does not begin within 4 GiB.</exception>
    public void Add(string name, ReadOnlySpan<byte> content)
    {
        var path = Encoding.UTF8.GetBytes(name);
        var offset = _position;
        if (offset > uint.MaxValue)
        {
            throw new NotSupportedException($"The archive is over 4 GiB at '{name}', more than is written here.");
        }

        var crc = Crc32.HashToUInt32(content);
        WriteLocalHeader(path);
        Write(content);
        Span<byte> descriptor = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor, 0x08074b50);
        WriteSizes(descriptor[4..], crc, content.Length);
        Write(descriptor);
        AddToDirectory(path, crc, content.Length, (uint)offset);
        _count++;
    }

    /// <summary>Writes the directory; nothing may follow.</summary>
    public void Finish()
    {
        var start = _position;
        Write(CollectionsMarshal.AsSpan(_directory));
        var end = _position;
        Span<byte> zip64 = stackalloc byte[56 + 20];
        zip64.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(zip64, 0x06064b50);
        BinaryPrimitives.WriteUInt64LittleEndian(zip64[4..], 44);
        BinaryPrimitives.WriteUInt16LittleEndian(zip64[12..], MadeBy);
        BinaryPrimitives.WriteUInt16LittleEndian(zip64[14..], NeededForZip64);
        BinaryPrimitives.WriteUInt64LittleEndian(zip64[24..], (ulong)_count);
        BinaryPrimitives.WriteUInt64LittleEndian(zip64[32..], (ulong)_count);
        BinaryPrimitives.WriteUInt64LittleEndian(zip64[40..], (ulong)(end - start));
        BinaryPrimitives.WriteUInt64LittleEndian(zip64[48..], (ulong)start);
        BinaryPrimitives.WriteUInt32LittleEndian(zip64[56..], 0x07064b50);
        BinaryPrimitives.WriteUInt64LittleEndian(zip64[64..], (ulong)end);
        BinaryPrimitives.WriteUInt32LittleEndian(zip64[72..], 1);
        Write(zip64);

        Span<byte> last = stackalloc byte[22];
        last.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(last, 0x06054b50);
        BinaryPrimitives.WriteUInt16LittleEndian(last[8..], (ushort)Math.Min(_count, ushort.MaxValue));
        BinaryPrimitives.WriteUInt16LittleEndian(last[10..], (ushort)Math.Min(_count, ushort.MaxValue));
        BinaryPrimitives.WriteUInt32LittleEndian(last[12..], (uint)(end - start));
        BinaryPrimitives.WriteUInt32LittleEndian(last[16..], (uint)Math.Min(start, uint.MaxValue));
        Write(last);
    }

    private void WriteLocalHeader(byte[] path)
    {
        var begin = _position + LocalHeaderLength + path.Length + PaddingHeaderLength;
        var padding = (int)((Alignment - (begin % Alignment)) % Alignment);
        Span<byte> header = stackalloc byte[LocalHeaderLength];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0x04034b50);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], Flags);
        BinaryPrimitives.WriteUInt16LittleEndian(header[26..], (ushort)path.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(header[28..], (ushort)(PaddingHeaderLength + padding));
        Write(header);
        Write(path);
        Span<byte> extra = stackalloc byte[PaddingHeaderLength + padding];
        extra.Fill((byte)'Z');
        extra[0] = (byte)'F';
        extra[1] = (byte)'B';
        BinaryPrimitives.WriteUInt16LittleEndian(extra[2..], (ushort)padding);
        Write(extra);
    }

    private void AddToDirectory(byte[] path, uint crc, int length, uint offset)
    {
        Span<byte> header = stackalloc byte[46];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0x02014b50);
        BinaryPrimitives.WriteUInt16LittleEndian(header[8..], Flags);
        WriteSizes(header[16..], crc, length);
        BinaryPrimitives.WriteUInt16LittleEndian(header[28..], (ushort)path.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[42..], offset);
        _directory.AddRange(header);
        _directory.AddRange(path);
    }

    private static void WriteSizes(Span<byte> destination, uint crc, int length)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, crc);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], (uint)length);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        stream.Write(bytes);
        _position += bytes.Length;
    }
}
