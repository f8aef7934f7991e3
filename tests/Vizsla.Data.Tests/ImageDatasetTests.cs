using Vizsla.Datasets;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Transforms;

namespace Vizsla.Tests;

public sealed class ImageDatasetTests
{
    [Fact]
    public void A_row_gives_its_path_and_label_and_decodes_on_demand()
    {
        using var folder = Animals("train/fish/a.png", "train/snake/b.png", "test/snake/c.png");

        var dataset = ImageDataset.LoadImageFolder(folder.Path);
        using var image = dataset["test"].LoadImage(0);

        Assert.Equal(["train", "test"], dataset.Keys);
        Assert.Equal(["fish", "snake"], dataset.Features.ClassLabel!.Names);
        Assert.Equal(folder["train", "snake", "b.png"], dataset["train"][1].Path);
        Assert.Equal(1, dataset["train"][1].Label);
        Assert.Equal(1, dataset["train"].Label(1));
        Assert.Equal((32, 32), (image.Width, image.Height));
    }

    [Fact]
    public void Selected_rows_keep_their_order_and_the_transform()
    {
        using var folder = Animals("fish/a.png", "fish/b.png", "snake/c.png");
        var train = ImageDataset.LoadImageFolder(folder.Path)["train"];
        train.SetTransform(new Compose(new Resize(16)));

        var selected = train.Select([2, 0, 2]);

        Assert.Equal(["c.png", "a.png", "c.png"], Enumerable.Range(0, 3).Select(row => Path.GetFileName(selected[row].Path)));
        Assert.Equal(train.Transform, selected.Transform);
    }

    [Fact]
    public void The_fingerprint_follows_content_and_order_but_not_the_place()
    {
        using var folder = Animals("fish/a.png", "snake/c.png");
        using var moved = Animals("fish/a.png", "snake/c.png");
        using var renamed = Animals("fish/a.png", "snake/d.png");

        var train = ImageDataset.LoadImageFolder(folder.Path)["train"];

        Assert.Equal(16, train.Fingerprint.Length);
        Assert.Equal(train.Fingerprint, ImageDataset.LoadImageFolder(moved.Path)["train"].Fingerprint);
        Assert.NotEqual(train.Fingerprint, ImageDataset.LoadImageFolder(renamed.Path)["train"].Fingerprint);
        Assert.NotEqual(train.Fingerprint, train.Select([1, 0]).Fingerprint);
    }

    [Fact]
    public void An_unknown_split_or_column_is_refused_with_the_known_ones()
    {
        using var folder = Animals("fish/a.png", "snake/c.png");
        var dataset = ImageDataset.LoadImageFolder(folder.Path);

        Assert.Equal("The dataset has no split 'test'. Splits: train.", Assert.Throws<DatasetException>(() => dataset["test"]).Message);
        Assert.Equal("The dataset has no column 'text'. Columns: image, label.", Assert.Throws<DatasetException>(() => dataset["train"].Value(0, "text")).Message);
    }

    private static TemporaryFolder Animals(params string[] files)
    {
        var folder = new TemporaryFolder();
        for (var i = 0; i < files.Length; i++)
        {
            using var image = AnimalPainter.Paint(AnimalPainter.Classes[i % AnimalPainter.Classes.Count], 32, new Rng((ulong)i));
            ImageCodec.SavePng(image, folder.Reserve(files[i]));
        }

        return folder;
    }
}
