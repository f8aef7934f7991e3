using System.Text.Json.Nodes;
using Apache.Arrow;
using ParquetSharp;
using ParquetSharp.Arrow;
using Vizsla.Datasets.Storage;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Writers;

/// <summary>Rows of a dataset as one Parquet file that Python's <c>load_dataset</c> reads with its features.</summary>
/// <remarks>
/// Source: datasets 5.2 <c>ParquetDatasetWriter</c>: picture columns plain and uncompressed, others with a dictionary and Snappy, a page index, row groups of about 100 MB, features under <c>huggingface</c>.
/// Differs: pages are not cut by content, so the key <c>content_defined_chunking</c> is not written.
/// </remarks>
internal static class ParquetShardWriter
{
    private const long RowGroupBytes = 100_000_000;
    private const long BatchBytes = 8_000_000;
    private const long CellBytes = 8;

    /// <summary>Writes a file.</summary>
    /// <param name="dataset">The rows.</param>
    /// <param name="path">Path of the file; overwritten.</param>
    /// <param name="embedPictures">Whether pictures on disk go into the file; else their paths stand there.</param>
    /// <param name="rowGroupRows">Rows of a row group; null aims at 100 MB.</param>
    /// <param name="cancellationToken">Stops between two rows; what is written by then is no valid file.</param>
    /// <returns>Bytes of the rows as Arrow holds them in memory: what the card calls <c>num_bytes</c>.</returns>
    /// <exception cref="DatasetException">A picture cannot be read, or a column cannot be stored.</exception>
    public static long Write(ImageDataset dataset, string path, bool embedPictures, int? rowGroupRows, CancellationToken cancellationToken)
    {
        var schema = SchemaOf(dataset.Features);
        using var properties = Properties(dataset.Features);
        using var arrow = new ArrowWriterPropertiesBuilder().StoreSchema().Build();
        using var writer = new FileWriter(path, schema, properties, arrow);
        writer.NewBufferedRowGroup();
        var batch = dataset.Features.Select(_ => new List<object?>()).ToArray();
        var (batchBytes, groupBytes, groupRows, total) = (0L, 0L, 0, 0L);
        for (var row = 0; row < dataset.Count; row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var bytes = AddRow(dataset, row, batch, embedPictures);
            (batchBytes, groupBytes, groupRows, total) = (batchBytes + bytes, groupBytes + bytes, groupRows + 1, total + bytes);
            var isGroupFull = rowGroupRows is { } limit ? groupRows == limit : groupBytes >= RowGroupBytes;
            if (isGroupFull || batchBytes >= BatchBytes || row == dataset.Count - 1)
            {
                Flush(writer, schema, dataset.Features, batch);
                batchBytes = 0;
            }

            if (isGroupFull && row < dataset.Count - 1)
            {
                writer.NewBufferedRowGroup();
                (groupBytes, groupRows) = (0, 0);
            }
        }

        writer.Close();
        return total;
    }

    private static long AddRow(ImageDataset dataset, int row, List<object?>[] batch, bool embedPictures)
    {
        var bytes = 0L;
        foreach (var (column, (name, feature)) in dataset.Features.Index())
        {
            var value = Stored(dataset.Value(row, name), feature, embedPictures);
            batch[column].Add(value);
            bytes += value switch
            {
                ImageSource source => (source.Bytes?.Length ?? 0) + (source.Path?.Length ?? 0) + CellBytes,
                string text => text.Length + CellBytes,
                _ => CellBytes,
            };
        }

        return bytes;
    }

    private static object? Stored(object? value, Feature feature, bool embedPictures) => (value, feature) switch
    {
        (ImageSource source, ImageFeature) when embedPictures => new ImageSource(source.Path is null ? null : Path.GetFileName(source.Path), source.ReadBytes()),
        (IReadOnlyList<object?> items, ListFeature list) => items.Select(i => Stored(i, list.Element, embedPictures)).ToList(),
        _ => value,
    };

    private static void Flush(FileWriter writer, Schema schema, Features features, List<object?>[] batch)
    {
        using var rows = new RecordBatch(schema, features.Select((f, c) => ArrowColumn.Build(f.Value, batch[c])), batch[0].Count);
        writer.WriteBufferedRecordBatch(rows);
        foreach (var column in batch)
        {
            column.Clear();
        }
    }

    private static Schema SchemaOf(Features features)
    {
        var metadata = PythonJson.Serialize(new JsonObject { ["info"] = new JsonObject { ["features"] = features.ToJson() } }, indent: null, sortKeys: false, ensureAscii: true);
        return new(features.Select(f => new Field(f.Key, ArrowTypes.Of(f.Value), nullable: true)), [KeyValuePair.Create("huggingface", metadata)]);
    }

    private static WriterProperties Properties(Features features)
    {
        using var builder = new WriterPropertiesBuilder();
        builder.Version(ParquetVersion.PARQUET_2_6).Compression(Compression.Snappy).EnableDictionary().EnableWritePageIndex();
        foreach (var (name, feature) in features)
        {
            // A path of the schema: fields of lists stand under 'list.element'.
            var prefix = feature is ListFeature ? name + ".list.element" : name;
            if (feature is ImageFeature or ListFeature { Element: ImageFeature })
            {
                foreach (var part in new[] { prefix + ".bytes", prefix + ".path" })
                {
                    builder.Compression(part, Compression.Uncompressed).DisableDictionary(part).Encoding(part, Encoding.Plain);
                }
            }
        }

        return builder.Build();
    }
}
