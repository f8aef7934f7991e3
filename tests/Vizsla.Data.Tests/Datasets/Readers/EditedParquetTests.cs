using Vizsla.Datasets;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Readers;

/// <summary>Parquet files that other programs edited: what still fits stays, what does not is said.</summary>
public sealed class EditedParquetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("edited-column-dropped.parquet", true)]
    [InlineData("edited-reordered.parquet", true)]
    [InlineData("edited-label-int32.parquet", false)]
    public void A_column_that_was_dropped_moved_or_cast_costs_the_others_nothing(string file, bool hasClasses)
    {
        var dataset = ImageDataset.LoadParquet(Golden.RequireCases("parquet", file));

        Assert.IsType<ImageFeature>(dataset.Features["image"]);
        dataset.LoadImage(0).Dispose();
        Assert.Equal(hasClasses, dataset.Features.ClassLabel is not null);
    }

    [Theory]
    [InlineData("type-decimal.parquet")]
    [InlineData("type-duration.parquet")]
    public void A_column_of_a_type_that_is_not_read_is_left_out_and_said(string file)
    {
        File.Copy(Golden.RequireCases("parquet", file), _folder.Reserve("data/train.parquet"));

        var splits = DatasetDict.Load(_folder["data"], new() { ImageColumn = "image" });

        splits["train"].LoadImage(0).Dispose();
        var left = Assert.Single(splits.LeftOut);
        Assert.Equal((LeftOutReason.Column, 1), (left.Reason, left.Count));
        Assert.StartsWith("1 column is of a type that is not read: '", left.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_label_outside_the_classes_is_said_with_its_row()
    {
        var path = Golden.RequireCases("parquet", "labels-outside.parquet");

        var error = Assert.Throws<DatasetException>(() => ImageDataset.LoadParquet(path));

        Assert.Matches($"^Row [0-9]+ of '{System.Text.RegularExpressions.Regex.Escape(path)}' has the label (99|1099511627776) in the column 'label', but its 3 classes are numbered 0 to 2. Correct the row, or the names of the classes.$", error.Message);
    }

    [Fact]
    public void Damaged_bytes_anywhere_name_the_file()
    {
        var path = _folder["rows.parquet"];
        ImageDatasetBuilder.From(Enumerable.Range(0, 20)).With("number", i => i).With("text", i => $"text {i}").Build().ToParquet(path);
        var whole = File.ReadAllBytes(path);

        for (var at = 4; at < whole.Length; at += 7)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 0x5A;
            File.WriteAllBytes(path, damaged);
            try
            {
                ImageDataset.LoadParquet(path);
            }
            catch (DatasetException e)
            {
                Assert.Contains(path, e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Without_metadata_columns_are_named()
    {
        _folder.Draw("photos/1.png", "photos/2.png", "photos/3.png");
        ImageDatasetBuilder.From(Enumerable.Range(1, 3))
            .With("file", i => _folder["photos", $"{i}.png"])
            .With("bytes", i => File.ReadAllBytes(_folder["photos", $"{i}.png"]))
            .With("breed", i => i == 2 ? "husky" : "corgi")
            .With("number", i => i * 10)
            .Build().ToParquet(_folder.Reserve("data/train.parquet"));

        var named = DatasetDict.Load(_folder["data"], new() { ImageColumn = "bytes", LabelColumn = "breed" })["train"];
        var numbered = DatasetDict.Load(_folder["data"], new() { ImageColumn = "file", LabelColumn = "number" })["train"];

        Assert.Equal(["corgi", "husky"], named.ClassNames);
        Assert.Equal([0, 1, 0], Enumerable.Range(0, 3).Select(named.Label));
        named.LoadImage(1).Dispose();
        Assert.Equal(["10", "20", "30"], numbered.ClassNames);
        numbered.LoadImage(2).Dispose();
        var error = Assert.Throws<DatasetException>(() => DatasetDict.Load(_folder["data"], new() { LabelColumn = "bred" }));
        Assert.Equal("The dataset has no column 'bred'. Columns: file, bytes, breed, number.", error.Message);
    }
}
