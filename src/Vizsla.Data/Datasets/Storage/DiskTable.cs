using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Vizsla.Datasets.Storage;

/// <summary>Rows in files of their own, read cell by cell where they are asked for: memory does not grow with their number.</summary>
/// <remarks>One folder: for each column a file of values and a file of where each begins (64-bit, one more than rows).</remarks>
internal sealed class DiskTable : Table
{
    private const int OffsetBytes = sizeof(long);
    private const int CopyBuffer = 1 << 16;
    private readonly (SafeFileHandle Values, SafeFileHandle Offsets)[] _columns;
    private readonly string _key;

    private DiskTable(string folder, Features features)
        : base(features)
    {
        _key = Path.GetFileName(folder);
        _columns = [.. Enumerable.Range(0, features.Count).Select(c => (File.OpenHandle(ValuesFile(folder, c)), File.OpenHandle(OffsetsFile(folder, c))))];
        Count = features.Count == 0 ? 0 : checked((int)(RandomAccess.GetLength(_columns[0].Offsets) / OffsetBytes) - 1);
    }

    public override int Count { get; }

    /// <summary>Opens the table in a folder, making it first where it is not there.</summary>
    /// <param name="folder">The folder; its name tells the content.</param>
    /// <param name="features">Columns.</param>
    /// <param name="rows">Values in column order, row by row; read once, only where the folder is not there.</param>
    public static DiskTable OpenOrMake(string folder, Features features, IEnumerable<object?[]> rows)
    {
        if (!Directory.Exists(folder))
        {
            Make(folder, features, rows);
        }

        return new(folder, features);
    }

    public override object? Value(int row, int column)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Count, nameof(row));
        var (values, offsets) = _columns[column];
        Span<byte> bounds = stackalloc byte[2 * OffsetBytes];
        ReadExactly(offsets, bounds, (long)row * OffsetBytes);
        var start = BinaryPrimitives.ReadInt64LittleEndian(bounds);
        var cell = new byte[checked((int)(BinaryPrimitives.ReadInt64LittleEndian(bounds[OffsetBytes..]) - start))];
        ReadExactly(values, cell, start);
        using var reader = new BinaryReader(new MemoryStream(cell), Encoding.UTF8);
        return CellCodec.Read(reader);
    }

    public override void AddTo(Fingerprint hash) => hash.Add(_key);

    // Made under another name and renamed: another process sees the whole folder or none.
    private static void Make(string folder, Features features, IEnumerable<object?[]> rows)
    {
        var staging = $"{folder}.{Guid.NewGuid():N}";
        Directory.CreateDirectory(staging);
        try
        {
            WriteAll(staging, features, rows);
            Directory.Move(staging, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            Directory.Delete(staging, recursive: true);
        }
        catch
        {
            Directory.Delete(staging, recursive: true);
            throw;
        }
    }

    private static void WriteAll(string folder, Features features, IEnumerable<object?[]> rows)
    {
        var streams = Enumerable.Range(0, features.Count).Select(c => (Values: Create(ValuesFile(folder, c)), Offsets: Create(OffsetsFile(folder, c)))).ToArray();
        try
        {
            var writers = streams.Select(s => (Values: CellCodec.Writer(s.Values), Offsets: CellCodec.Writer(s.Offsets))).ToArray();
            foreach (var (values, offsets) in writers)
            {
                offsets.Write(0L);
            }

            foreach (var row in rows)
            {
                for (var c = 0; c < writers.Length; c++)
                {
                    CellCodec.Write(writers[c].Values, row[c]);
                    writers[c].Offsets.Write(streams[c].Values.Position);
                }
            }

        }
        finally
        {
            foreach (var (values, offsets) in streams)
            {
                values.Dispose();
                offsets.Dispose();
            }
        }
    }

    private static BufferedStream Create(string path) => new(new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0), CopyBuffer);

    private static void ReadExactly(SafeFileHandle file, Span<byte> buffer, long position)
    {
        while (!buffer.IsEmpty)
        {
            var count = RandomAccess.Read(file, buffer, position);
            if (count == 0)
            {
                throw new DatasetException("The cached rows of this dataset are truncated. Delete the folder 'vizsla' in the cache of datasets and load again.");
            }

            buffer = buffer[count..];
            position += count;
        }
    }

    private static string ValuesFile(string folder, int column) => Path.Combine(folder, $"{column}.values");

    private static string OffsetsFile(string folder, int column) => Path.Combine(folder, $"{column}.offsets");
}
