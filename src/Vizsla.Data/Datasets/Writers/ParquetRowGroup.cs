using Apache.Arrow;
using ParquetSharp.Arrow;

namespace Vizsla.Datasets.Writers;

/// <summary>Rows that become one row group of a Parquet file, held in memory once until it is full.</summary>
/// <remarks>
/// The format wants the columns one after the other, so that a group is what memory cannot be below.
/// The library's buffered groups hold it twice and more: as pages, in a buffer that doubles and moves while it grows.
/// </remarks>
internal sealed class ParquetRowGroup(Features features) : IDisposable
{
    // Values become an Arrow array as soon as there are as many bytes: few values live twice.
    private const long ChunkBytes = 1_000_000;
    private const long CellBytes = 8;
    private readonly List<object?>[] _values = [.. features.Select(_ => new List<object?>())];
    private readonly List<IArrowArray>[] _chunks = [.. features.Select(_ => new List<IArrowArray>())];
    private long _pendingBytes;

    /// <summary>Number of rows added since the last group was written.</summary>
    public int RowCount { get; private set; }

    /// <summary>Bytes of these rows as Arrow holds them.</summary>
    public long Bytes { get; private set; }

    /// <summary>Adds a row.</summary>
    /// <param name="values">Values in column order, pictures as they are to be stored.</param>
    /// <returns>Bytes of the row as Arrow holds it.</returns>
    /// <exception cref="DatasetException">A value cannot be stored.</exception>
    public long Add(IEnumerable<object?> values)
    {
        var bytes = 0L;
        foreach (var (column, value) in values.Index())
        {
            _values[column].Add(value);
            bytes += value switch
            {
                ImageSource source => (source.Bytes?.Length ?? 0) + (source.Path?.Length ?? 0) + CellBytes,
                string text => text.Length + CellBytes,
                _ => CellBytes,
            };
        }

        (RowCount, Bytes, _pendingBytes) = (RowCount + 1, Bytes + bytes, _pendingBytes + bytes);
        if (_pendingBytes >= ChunkBytes)
        {
            CloseChunk();
        }

        return bytes;
    }

    /// <summary>Writes the rows as a group and forgets them.</summary>
    /// <param name="writer">The file.</param>
    public void Write(FileWriter writer)
    {
        if (_pendingBytes > 0 || RowCount == 0)
        {
            CloseChunk();
        }

        writer.NewRowGroup();
        foreach (var chunks in _chunks)
        {
            writer.WriteColumnChunk(new ChunkedArray(chunks));
            Release(chunks);
        }

        (RowCount, Bytes) = (0, 0);
    }

    public void Dispose() => System.Array.ForEach(_chunks, Release);

    private static void Release(List<IArrowArray> chunks)
    {
        chunks.ForEach(c => c.Dispose());
        chunks.Clear();
    }

    private void CloseChunk()
    {
        for (var column = 0; column < _values.Length; column++)
        {
            _chunks[column].Add(ArrowColumn.Build(features[column].Value, _values[column]));
            _values[column].Clear();
        }

        _pendingBytes = 0;
    }
}
