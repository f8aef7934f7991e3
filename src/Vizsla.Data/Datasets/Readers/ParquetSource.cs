using System.Text.Json;
using System.Text.Json.Nodes;
using Apache.Arrow;
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
    private readonly string _path;

    /// <exception cref="DatasetException">The file is no Parquet file.</exception>
    public ParquetSource(string path)
    {
        _path = path;
        try
        {
            using var arrow = ArrowReaderProperties.GetDefault();
            arrow.BatchSize = RowsAtOnce;
            arrow.PreBuffer = false;
            arrow.UseThreads = false;
            using var stream = ReaderProperties.GetDefaultReaderProperties();
            stream.EnableBufferedStream();
            stream.BufferSize = StreamBuffer;
            _reader = new(path, stream, arrow);
            Features = ReadFeatures(_reader.Schema);
        }
        catch (ParquetException e)
        {
            throw NotReadable(e);
        }
    }

    /// <summary>Columns of the file.</summary>
    public Features Features { get; }

    /// <summary>About as many bytes as all rows take in memory: their values unpacked, and an object for each cell.</summary>
    public long MemoryBytes
    {
        get
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
    }

    /// <summary>All rows in order, each with its values in column order.</summary>
    /// <exception cref="DatasetException">The file is damaged.</exception>
    public IEnumerable<object?[]> Rows()
    {
        using var stream = _reader.GetRecordBatchReader();
        while (Next(stream) is { } batch)
        {
            using (batch)
            {
                for (var row = 0; row < batch.Length; row++)
                {
                    var values = new object?[Features.Count];
                    for (var column = 0; column < values.Length; column++)
                    {
                        values[column] = ArrowValues.Read(batch.Column(column), row, Features[column].Value);
                    }

                    yield return values;
                }
            }
        }
    }

    public void Dispose() => _reader.Dispose();

    private RecordBatch? Next(Apache.Arrow.Ipc.IArrowArrayStream stream)
    {
        try
        {
            // The stream decodes at once and never waits for anything.
            return stream.ReadNextRecordBatchAsync().AsTask().GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is ParquetException or InvalidDataException || e.GetType() == typeof(Exception))
        {
            throw NotReadable(e);
        }
    }

    private DatasetException NotReadable(Exception e) => new($"'{_path}' is not a Parquet file that can be read: {e.Message}", e);

    private Features ReadFeatures(Schema schema)
    {
        var inferred = new Features(schema.FieldsList.Select(f => KeyValuePair.Create(f.Name, ArrowTypes.FeatureOf(f.DataType))));
        if (schema.Metadata is null || !schema.Metadata.TryGetValue(FeaturesKey, out var text))
        {
            return inferred;
        }

        try
        {
            var told = JsonNode.Parse(text)?["info"]?["features"] is JsonObject json ? FeaturesJson.FromJson(json) : inferred;
            return told.Names.SequenceEqual(inferred.Names) && schema.FieldsList.All(f => ArrowTypes.Fits(told[f.Name], f.DataType)) ? told : inferred;
        }
        catch (JsonException e)
        {
            throw new DatasetException($"The '{FeaturesKey}' metadata of '{_path}' is not JSON: {e.Message}", e);
        }
    }
}
