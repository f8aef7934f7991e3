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
        using var group = new ParquetRowGroup(dataset.Features);
        var total = 0L;
        for (var row = 0; row < dataset.Count; row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            total += group.Add(dataset.Features.Select(f => Stored(dataset.Value(row, f.Key), f.Value, embedPictures)));
            if (rowGroupRows is { } limit ? group.RowCount == limit : group.Bytes >= RowGroupBytes)
            {
                group.Write(writer);
            }
        }

        if (group.RowCount > 0 || dataset.Count == 0)
        {
            group.Write(writer);
        }

        writer.Close();
        return total;
    }

    private static object? Stored(object? value, Feature feature, bool embedPictures) => (value, feature) switch
    {
        (ImageSource source, ImageFeature) when embedPictures => new ImageSource(source.Path is null ? null : Path.GetFileName(source.Path), source.ReadBytes()),
        (IReadOnlyList<object?> items, ListFeature list) => items.Select(i => Stored(i, list.Element, embedPictures)).ToList(),
        _ => value,
    };

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
