using System.Text.Json;
using System.Text.Json.Nodes;
using Apache.Arrow;
using Apache.Arrow.Types;
using ParquetSharp;
using ParquetSharp.Arrow;
using Vizsla.Datasets.Storage;

namespace Vizsla.Datasets.Readers;

/// <summary>One Parquet file, read a few rows at a time.</summary>
/// <remarks>Source: pyarrow as <c>load_dataset("parquet")</c> uses it: any encoding and compression, features from the <c>huggingface</c> metadata where the columns have the types it says.</remarks>
internal sealed class ParquetSource : IDisposable
{
    // Few rows at a time: a batch of pictures is held in memory, whatever the size of the file.
    private const int RowsAtOnce = 32;
    // Without a buffered stream a column of a whole row group, 100 MB of pictures, is read at once.
    private const int StreamBuffer = 1 << 18;
    private const long CellBytes = 64;
    private const string FeaturesKey = "huggingface";
    private readonly FileReader _reader;
    private readonly int[] _columns;
    private readonly string _path;

    /// <exception cref="DatasetException">The file is no Parquet file.</exception>
    public ParquetSource(string path)
    {
        _path = path;
        FileReader? reader = null;
        try
        {
            using var arrow = ArrowReaderProperties.GetDefault();
            arrow.BatchSize = RowsAtOnce;
            arrow.PreBuffer = false;
            arrow.UseThreads = false;
            using var stream = ReaderProperties.GetDefaultReaderProperties();
            stream.EnableBufferedStream();
            stream.BufferSize = StreamBuffer;
            _reader = reader = new(path, stream, arrow);
            var fields = _reader.Schema.FieldsList;
            _columns = LeavesOf(fields.Where(f => ArrowTypes.IsRead(f.DataType)), fields);
            UnreadColumns = [.. fields.Where(f => !ArrowTypes.IsRead(f.DataType)).Select(f => $"{f.Name} ({f.DataType.Name})")];
            Features = ReadFeatures(_reader.Schema);
        }
        catch (Exception e) when (e is not (DatasetException or OutOfMemoryException))
        {
            reader?.Dispose();
            throw NotReadable(e);
        }
    }

    /// <summary>Columns of the file.</summary>
    public Features Features { get; }

    /// <summary>Names and types of the columns that are left out since their type is not read.</summary>
    public IReadOnlyList<string> UnreadColumns { get; }

    /// <summary>About as many bytes as all rows take in memory: their values unpacked, and an object for each cell.</summary>
    public long MemoryBytes
    {
        get
        {
            try
            {
                return CountBytes();
            }
            catch (ParquetException e)
            {
                throw NotReadable(e);
            }
        }
    }

    /// <summary>All rows in order, each with its values in column order.</summary>
    /// <exception cref="DatasetException">The file is damaged.</exception>
    public IEnumerable<object?[]> Rows()
    {
        using var stream = Open();
        var number = 0L;
        while (Next(stream) is { } batch)
        {
            using (batch)
            {
                for (var row = 0; row < batch.Length; row++)
                {
                    number++;
                    var values = new object?[Features.Count];
                    for (var column = 0; column < values.Length; column++)
                    {
                        values[column] = Checked(ArrowValues.Read(batch.Column(column), row, Features[column].Value), Features[column], number);
                    }

                    yield return values;
                }
            }
        }
    }

    public void Dispose() => _reader.Dispose();

    // -1 stands for a row without a label, as in Python.
    private object? Checked(object? value, KeyValuePair<string, Feature> column, long row) => value is long number && column.Value is ClassLabel label && (number < -1 || number >= label.NumClasses)
        ? throw new DatasetException(Invariant($"Row {row} of '{_path}' has the label {number} in the column '{column.Key}', but its {label.NumClasses} classes are numbered 0 to {label.NumClasses - 1}. Correct the row, or the names of the classes."))
        : value;

    private Apache.Arrow.Ipc.IArrowArrayStream Open()
    {
        try
        {
            return _reader.GetRecordBatchReader(rowGroups: null, columns: UnreadColumns.Count == 0 ? null : _columns);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw NotReadable(e);
        }
    }

    // Parquet counts the leaves of structs and lists as its columns.
    private static int[] LeavesOf(IEnumerable<Field> wanted, IReadOnlyList<Field> all)
    {
        var (leaves, next, kept) = (new List<int>(), 0, wanted.ToHashSet());
        foreach (var field in all)
        {
            var count = LeafCount(field.DataType);
            if (kept.Contains(field))
            {
                leaves.AddRange(Enumerable.Range(next, count));
            }

            next += count;
        }

        return [.. leaves];
    }

    private static int LeafCount(IArrowType type) => type is NestedType nested ? nested.Fields.Sum(f => LeafCount(f.DataType)) : 1;

    private long CountBytes()
    {
        using var metadata = _reader.ParquetReader.FileMetaData;
        var bytes = metadata.NumRows * Features.Count * CellBytes;
        for (var i = 0; i < metadata.NumRowGroups; i++)
        {
            using var group = _reader.ParquetReader.RowGroup(i);
            bytes += group.MetaData.TotalByteSize;
        }

        return bytes;
    }

    private RecordBatch? Next(Apache.Arrow.Ipc.IArrowArrayStream stream)
    {
        try
        {
            // The stream decodes at once and never waits for anything.
            return stream.ReadNextRecordBatchAsync().AsTask().GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw NotReadable(e);
        }
    }

    private DatasetException NotReadable(Exception e) => new($"'{_path}' is not a Parquet file that can be read: {e.Message}", e);

    // As Features.from_arrow_schema: field by field, so that a column that was dropped, added or cast costs the others nothing.
    private Features ReadFeatures(Schema schema)
    {
        var fields = schema.FieldsList.Where(f => ArrowTypes.IsRead(f.DataType)).ToList();
        var told = ToldFeatures(schema);
        return new Features(fields.Select(f => KeyValuePair.Create(
            f.Name,
            told is not null && told.IndexOf(f.Name) >= 0 && ArrowTypes.Fits(told[f.Name], f.DataType) ? told[f.Name] : ArrowTypes.FeatureOf(f.DataType))));
    }

    private Features? ToldFeatures(Schema schema)
    {
        if (schema.Metadata is null || !schema.Metadata.TryGetValue(FeaturesKey, out var text))
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(text)?["info"]?["features"] is JsonObject json ? FeaturesJson.FromJson(json) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new DatasetException($"The '{FeaturesKey}' metadata of '{_path}' is not JSON: {e.Message}", e);
        }
        catch (DatasetException e)
        {
            throw new DatasetException($"The '{FeaturesKey}' metadata of '{_path}' cannot be used: {e.Message}", e);
        }
    }
}
