using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using ParquetSharp;
using Vizsla.Datasets;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets;

/// <summary>Parquet files as Python writes them, and ours beside them.</summary>
[Trait("Category", "Golden")]
public sealed class DatasetParquetGoldenTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_recorded_file_reads_with_its_features_and_pictures()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Golden.Require("datasets", "parquet.json")));
        var rows = golden.RootElement.GetProperty("rows").EnumerateArray().ToList();
        var read = 0;

        foreach (var path in Directory.EnumerateFiles(Golden.Require("datasets"), "*.parquet"))
        {
            var dataset = ImageDataset.LoadParquet(path);

            Assert.Equal("""{"image":{"_type":"Image"},"label":{"names":["chihuahua","egyptian_cat","golden_retriever","tabby"],"_type":"ClassLabel"}}""", dataset.Features.ToJson().ToJsonString());
            for (var row = 0; row < dataset.Count; row++)
            {
                Assert.Equal(rows[row].GetProperty("label").GetInt32(), dataset.Label(row));
                Assert.Equal(rows[row].GetProperty("file").GetString(), Path.GetFileName(dataset[row].Path));
                if (dataset[row].Bytes is { } bytes)
                {
                    Assert.Equal(rows[row].GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(bytes.Span)));
                }
            }

            read++;
        }

        Assert.True(read > 0);
    }

    [Fact]
    public void Written_files_have_the_structure_of_the_recorded_ones()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Golden.Require("datasets", "parquet.json")));
        foreach (var recorded in golden.RootElement.GetProperty("files").EnumerateArray())
        {
            var name = recorded.GetProperty("file").GetString()!;
            var dataset = ImageDataset.LoadParquet(Golden.Require("datasets", name));
            var groups = recorded.GetProperty("row_groups");

            dataset.ToParquet(_folder[name], embedPictures: false, rowGroupRows: groups[0].GetProperty("rows").GetInt32());

            var written = Describe(_folder[name]);
            Assert.Equal(Normalize(recorded), written);
            var again = ImageDataset.LoadParquet(_folder[name]);
            Assert.Equal(dataset.Features, again.Features);
            Assert.Equal(Enumerable.Range(0, dataset.Count).Select(r => Spell(dataset[r])), Enumerable.Range(0, again.Count).Select(r => Spell(again[r])));
        }
    }

    [Fact]
    public void Without_metadata_the_columns_are_what_Arrow_says()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Golden.Require("datasets", "parquet.json")));
        var recorded = golden.RootElement.GetProperty("read_back").EnumerateArray().Single(r => r.GetProperty("file").GetString()!.Contains("without", StringComparison.Ordinal));
        var dataset = ImageDataset.LoadParquet(Golden.Require("datasets", "pets.parquet"));

        WriteWithoutMetadata(dataset, _folder["plain.parquet"]);

        var features = ImageDataset.LoadParquet(_folder["plain.parquet"]).Features.ToJson();
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(recorded.GetProperty("features").GetRawText()), features), features.ToJsonString());
    }

    private static void WriteWithoutMetadata(ImageDataset dataset, string path)
    {
        var image = new Apache.Arrow.Types.StructType([new("bytes", Apache.Arrow.Types.BinaryType.Default, true), new("path", Apache.Arrow.Types.StringType.Default, true)]);
        var schema = new Apache.Arrow.Schema([new("image", image, true), new("label", Apache.Arrow.Types.Int64Type.Default, true)], null);
        var bytes = new Apache.Arrow.BinaryArray.Builder();
        var paths = new Apache.Arrow.StringArray.Builder();
        var labels = new Apache.Arrow.Int64Array.Builder();
        for (var row = 0; row < dataset.Count; row++)
        {
            bytes.Append(dataset[row].Bytes!.Value.Span);
            paths.Append(dataset[row].Path);
            labels.Append(dataset.Label(row));
        }

        using var batch = new Apache.Arrow.RecordBatch(schema, [new Apache.Arrow.StructArray(image, dataset.Count, [bytes.Build(), paths.Build()], Apache.Arrow.ArrowBuffer.Empty, 0), labels.Build()], dataset.Count);
        using var writer = new ParquetSharp.Arrow.FileWriter(path, schema);
        writer.WriteRecordBatch(batch, batch.Length);
    }

    // What a reader depends on: schema, metadata, row groups, compression and encodings. Sizes belong to the library that writes.
    private static string Normalize(JsonElement recorded) => JsonSerializer.Serialize(new
    {
        version = recorded.GetProperty("format_version").GetString(),
        huggingface = recorded.GetProperty("key_value_metadata").GetProperty("huggingface").GetString(),
        arrow = recorded.GetProperty("key_value_metadata").TryGetProperty("ARROW:schema", out _),
        groups = recorded.GetProperty("row_groups").EnumerateArray().Select(g => new
        {
            rows = g.GetProperty("rows").GetInt64(),
            columns = g.GetProperty("columns").EnumerateArray().Select(c => new
            {
                path = c.GetProperty("path").GetString(),
                type = c.GetProperty("physical_type").GetString(),
                compression = c.GetProperty("compression").GetString(),
                encodings = c.GetProperty("encodings").EnumerateArray().Select(e => e.GetString()).Order(),
                values = c.GetProperty("num_values").GetInt64(),
                statistics = c.GetProperty("has_statistics").GetBoolean(),
                missing = c.GetProperty("statistics").GetProperty("null_count").GetInt64(),
            }),
        }),
    });

    private static string Describe(string path)
    {
        using var reader = new ParquetFileReader(path);
        var metadata = reader.FileMetaData;
        return JsonSerializer.Serialize(new
        {
            version = metadata.Version == ParquetVersion.PARQUET_2_6 ? "2.6" : $"{metadata.Version}",
            huggingface = metadata.KeyValueMetadata["huggingface"],
            arrow = metadata.KeyValueMetadata.ContainsKey("ARROW:schema"),
            groups = Enumerable.Range(0, metadata.NumRowGroups).Select(g =>
            {
                using var group = reader.RowGroup(g);
                return new
                {
                    rows = group.MetaData.NumRows,
                    columns = Enumerable.Range(0, group.MetaData.NumColumns).Select(c =>
                    {
                        using var chunk = group.MetaData.GetColumnChunkMetaData(c);
                        return new
                        {
                            path = metadata.Schema.Column(c).Path.ToDotString(),
                            type = chunk.Type switch { PhysicalType.ByteArray => "BYTE_ARRAY", PhysicalType.Int64 => "INT64", var other => $"{other}" },
                            compression = $"{chunk.Compression}".ToUpperInvariant(),
                            encodings = chunk.Encodings.Select(Name).Order().ToList(),
                            values = chunk.NumValues,
                            statistics = chunk.IsStatsSet,
                            missing = chunk.Statistics?.NullCount ?? -1,
                        };
                    }).ToList(),
                };
            }).ToList(),
        });
    }

    private static string Name(Encoding encoding) => encoding switch
    {
        Encoding.Plain => "PLAIN",
        Encoding.Rle => "RLE",
        Encoding.RleDictionary => "RLE_DICTIONARY",
        Encoding.PlainDictionary => "PLAIN_DICTIONARY",
        _ => $"{encoding}",
    };

    private static string Spell(ImageSource source) => $"{source.Path} {(source.Bytes is { } bytes ? Convert.ToHexStringLower(SHA256.HashData(bytes.Span)) : "by path")} {source.Label}";
}
