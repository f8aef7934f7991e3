using ParquetSharp;
using Vizsla.Datasets;
using Vizsla.Datasets.Readers;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Readers;

public sealed class ParquetReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Columns_of_every_type_come_back_with_gaps()
    {
        var dataset = ImageDatasetBuilder.From(Enumerable.Range(0, 70))
            .With("integer", i => i % 7 == 0 ? null : i)
            .With("number", i => i / 4.0)
            .With("flag", i => i % 2 == 0)
            .With("text", i => i % 5 == 0 ? null : $"é{i}", new ValueFeature("large_string"))
            .With("list", i => new object?[] { i, null }, new ListFeature(new ValueFeature("int64")))
            .With("fields", i => new Dictionary<string, object?> { ["a"] = i, ["b"] = $"{i}" })
            .With("small", i => i, new ValueFeature("uint8"))
            .Build();

        dataset.ToParquet(_folder["all.parquet"], rowGroupRows: 30);
        var read = ImageDataset.LoadParquet(_folder["all.parquet"]);

        Assert.Equal(dataset.Features, read.Features);
        for (var row = 0; row < dataset.Count; row++)
        {
            Assert.Equal(dataset.Row(row), read.Row(row));
        }
    }

    [Theory]
    [InlineData(Compression.Zstd)]
    [InlineData(Compression.Snappy)]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Uncompressed)]
    public void Any_compression_and_dictionaries_are_read(Compression compression)
    {
        using (var properties = new WriterPropertiesBuilder().Compression(compression).EnableDictionary().Build())
        using (var writer = new ParquetFileWriter(_folder["x.parquet"], [new Column<string>("text"), new Column<long?>("number")], properties))
        using (var group = writer.AppendRowGroup())
        {
            using (var text = group.NextColumn().LogicalWriter<string>())
            {
                text.WriteBatch(["a", "b", "a"]);
            }

            using (var number = group.NextColumn().LogicalWriter<long?>())
            {
                number.WriteBatch([1, null, 1]);
            }

            writer.Close();
        }

        var dataset = ImageDataset.LoadParquet(_folder["x.parquet"]);

        Assert.Equal(["a", "b", "a"], Enumerable.Range(0, 3).Select(r => dataset.Value(r, "text")));
        Assert.Equal([1L, null, 1L], Enumerable.Range(0, 3).Select(r => dataset.Value(r, "number")));
    }

    [Fact]
    public void Pictures_are_embedded_under_their_file_names()
    {
        _folder.Draw("in/cat/1.png", "in/dog/2.png");

        ImageDataset.LoadImageFolder(_folder["in"])["train"].ToParquet(_folder["pets.parquet"]);

        var read = ImageDataset.LoadParquet(_folder["pets.parquet"]);
        using var image = read.LoadImage(1);
        Assert.Equal("2.png", read[1].Path);
        Assert.Equal(File.ReadAllBytes(_folder["in", "dog", "2.png"]), read[1].ReadBytes().ToArray());
        Assert.Equal(16, image.Width);
        Assert.Equal(["cat", "dog"], read.ClassNames);
    }

    [Fact]
    public void Shards_of_a_folder_are_joined_in_order()
    {
        var dataset = ImageDatasetBuilder.From(Enumerable.Range(0, 5)).With("i", i => i).Build();
        for (var shard = 0; shard < 2; shard++)
        {
            dataset.Shard(2, shard).ToParquet(_folder.Reserve($"data/train-0000{shard}-of-00002.parquet"));
        }

        dataset.Take(1).ToParquet(_folder["data", "test-00000-of-00001.parquet"]);

        var splits = DatasetDict.Load(_folder.Path);

        Assert.Equal(["train", "test"], splits.Keys);
        Assert.Equal([0L, 1L, 2L, 3L, 4L], Enumerable.Range(0, 5).Select(r => splits["train"].Value(r, "i")));
    }

    [Fact]
    public void Large_files_are_unpacked_once_and_read_from_there()
    {
        var bytes = Noise(1_000_000);
        ImageDatasetBuilder.From(Enumerable.Range(0, 70)).WithImage(i => new ImageSource($"{i}.jpg", bytes)).WithLabel(i => $"c{i % 3}").Build().ToParquet(_folder["large.parquet"]);

        var first = ParquetReader.Read([new("train", [_folder["large.parquet"]])], _folder["cache"])["train"];
        var again = ParquetReader.Read([new("train", [_folder["large.parquet"]])], _folder["cache"])["train"];

        Assert.Single(Directory.EnumerateDirectories(_folder["cache"]));
        Assert.Equal(70, first.Count);
        Assert.Equal("69.jpg", again[69].Path);
        Assert.Equal(0, again[69].Label);
        Assert.True(again[3].Bytes!.Value.Span.SequenceEqual(bytes));
        Assert.Equal(first.Fingerprint, again.Fingerprint);
    }

    [Fact]
    public void A_small_file_of_many_rows_is_unpacked_too()
    {
        ImageDatasetBuilder.From(Enumerable.Range(0, 600_000)).With("label", i => i % 2).Build().ToParquet(_folder["many.parquet"]);

        var dataset = ParquetReader.Read([new("train", [_folder["many.parquet"]])], _folder["cache"])["train"];

        Assert.InRange(new FileInfo(_folder["many.parquet"]).Length, 1, 1_000_000);
        Assert.Single(Directory.EnumerateDirectories(_folder["cache"]));
        Assert.Equal(600_000, dataset.Count);
        Assert.Equal(1L, dataset.Value(599_999, "label"));
    }

    [Fact]
    public void No_rows_are_a_file_too()
    {
        _folder.Draw("in/cat/1.png", "in/dog/2.png");

        ImageDataset.LoadImageFolder(_folder["in"])["train"].Take(0).ToParquet(_folder["none.parquet"]);

        var read = ImageDataset.LoadParquet(_folder["none.parquet"]);
        Assert.Equal(0, read.Count);
        Assert.Equal(["cat", "dog"], read.ClassNames);
    }

    [Fact]
    public void Reading_holds_a_few_rows_of_a_row_group_not_all_of_it()
    {
        var bytes = Noise(400_000);
        ImageDatasetBuilder.From(Enumerable.Range(0, 200)).WithImage(i => new ImageSource($"{i}.jpg", bytes)).Build().ToParquet(_folder["x.parquet"]);
        using var source = new ParquetSource(_folder["x.parquet"]);
        var memory = MemoryPool.GetDefaultMemoryPool();

        var held = source.Rows().Select(_ => memory.BytesAllocated).ToList();

        // Tests beside this one allocate in the same pool, so that only the least of many is certain to be this reader's alone.
        Assert.Equal(200, held.Count);
        Assert.InRange(held.Take(100).Min(), 1, 40_000_000);
    }

    [Fact]
    public void A_card_gives_a_file_without_metadata_its_features()
    {
        ImageDatasetBuilder.From(new[] { 1, 0 }).With("label", i => i).Build().ToParquet(_folder["x.parquet"]);
        _folder.WriteText("README.md", "---\ndataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n          '0': cat\n          '1': dog\n---\n# Pets\n");

        var dataset = DatasetDict.Load(_folder.Path)["train"];

        Assert.Equal(["cat", "dog"], dataset.ClassNames);
        Assert.Equal(1, dataset.Label(0));
    }

    [Fact]
    public void A_struct_of_bytes_and_path_becomes_a_picture_when_it_is_cast()
    {
        _folder.Draw("1.png");
        var row = new Dictionary<string, object?> { ["bytes"] = File.ReadAllBytes(_folder["1.png"]), ["path"] = "1.png" };

        var dataset = ImageDatasetBuilder.From([row]).With("image", r => r).Build().CastColumn("image", new ImageFeature());
        using var image = dataset.LoadImage(0);

        Assert.Equal(16, image.Width);
    }

    [Fact]
    public void A_file_that_is_none_is_named()
    {
        var path = _folder.WriteText("x.parquet", "not parquet");

        var error = Assert.Throws<DatasetException>(() => ImageDataset.LoadParquet(path));

        Assert.StartsWith($"'{path}' is not a Parquet file that can be read: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_different_columns_are_refused()
    {
        ImageDatasetBuilder.From([1]).With("a", i => i).Build().ToParquet(_folder["a.parquet"]);
        ImageDatasetBuilder.From([1]).With("b", i => i).Build().ToParquet(_folder["b.parquet"]);

        var error = Assert.Throws<DatasetException>(() => ImageDataset.LoadParquet(_folder["a.parquet"], _folder["b.parquet"]));

        Assert.Equal($"'{_folder["b.parquet"]}' has other columns than '{_folder["a.parquet"]}': {{\"b\":{{\"dtype\":\"int64\",\"_type\":\"Value\"}}}}, expected {{\"a\":{{\"dtype\":\"int64\",\"_type\":\"Value\"}}}}.", error.Message);
    }

    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        var rng = new Rng(1);
        foreach (ref var b in bytes.AsSpan())
        {
            b = (byte)rng.NextUInt32();
        }

        return bytes;
    }
}
