using Vizsla.Datasets.Statistics;
using Vizsla.Imaging;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Statistics;

public sealed class DatasetStatisticsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Classes_sizes_and_formats_are_counted_for_each_split()
    {
        Draw("train/cat/1.png", 40, 30);
        Draw("train/cat/2.jpg", 20, 60);
        Draw("train/dog/3.png", 40, 30);
        Draw("test/dog/4.png", 16, 16);
        _folder.WriteText("data/train/dog/5.png", "text");

        var statistics = DatasetStatistics.Measure(ImageDataset.LoadImageFolder(_folder["data"]));

        var train = statistics.Splits[0];
        Assert.Equal(("train", 4, 1), (train.Split, train.Count, train.UnreadableCount));
        Assert.Equal([new("cat", 2), new("dog", 2)], train.Classes);
        Assert.Equal([new("PNG RGB", 2), new("JPEG RGB", 1)], train.Formats);
        Assert.Equal([new((40, 30), 2), new((20, 60), 1)], train.Sizes);
        Assert.Equal((new Spread(20, 40, 40), new Spread(30, 30, 60)), (train.Width, train.Height));
        Assert.Equal(new[] { "1.png", "2.jpg" }.Sum(f => new FileInfo(_folder["data", "train", "cat", f]).Length) + new FileInfo(_folder["data", "train", "dog", "3.png"]).Length, train.Bytes);
        Assert.Equal([new("cat", 0), new("dog", 1)], statistics.Splits[1].Classes);
        Assert.Equal((4, 30), ((int)StatisticsJson.Write(statistics)["train"]!["pictures"]!, (int)StatisticsJson.Write(statistics)["train"]!["height"]!["median"]!));
    }

    [Fact]
    public void A_picture_that_lies_on_its_side_is_measured_upright()
    {
        var folder = Golden.RequireData("odd-images", "exif-orientation");

        var split = Assert.Single(DatasetStatistics.Measure(ImageDataset.LoadImageFolder(folder)).Splits);

        // Nine landscapes and nine portraits of the same photos, stored in every orientation.
        Assert.Equal([9, 9], split.Sizes.Select(s => s.Value));
        Assert.Equal(split.Sizes[0].Key, (split.Sizes[1].Key.Height, split.Sizes[1].Key.Width));
    }

    [Fact]
    public void A_dataset_without_labels_has_no_classes()
    {
        var rows = ImageDatasetBuilder.From(["a"]).With("text", t => t).WithImage(_ => new byte[] { 1 }).Build();

        var split = Assert.Single(DatasetStatistics.Measure(new(KeyValuePair.Create("train", rows))).Splits);

        Assert.Empty(split.Classes);
        Assert.Equal((1, new Spread(0, 0, 0)), (split.UnreadableCount, split.Width));
    }

    private void Draw(string file, int width, int height)
    {
        using var image = new Image(width, height);
        image.Pixels.Fill(100);
        var path = _folder.Reserve($"data/{file}");
        if (file.EndsWith(".jpg", StringComparison.Ordinal))
        {
            ImageCodec.SaveJpeg(image, path);
        }
        else
        {
            ImageCodec.SavePng(image, path);
        }
    }
}
