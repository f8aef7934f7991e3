using Vizsla.Datasets.Checks;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Checks;

public sealed class ImageScanTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Names_every_picture_that_cannot_be_read_in_order()
    {
        _folder.Draw("a.png", "b.png", "c.png");
        _folder.WriteText("b.png", "text");
        _folder.WriteText("c.png", "");

        var bad = ImageScan.Run([_folder["c.png"], _folder["a.png"], _folder["b.png"]], cacheFolder: _folder["cache"]);

        Assert.Equal([_folder["c.png"], _folder["b.png"]], bad.Select(b => b.Path));
        Assert.All(bad, b => Assert.NotEmpty(b.Reason));
    }

    [Fact]
    public void An_unchanged_file_is_not_read_again()
    {
        _folder.Draw(Enumerable.Range(0, 120).Select(i => $"in/{i}.png"));
        string[] paths = [.. Enumerable.Range(0, 120).Select(i => _folder["in", $"{i}.png"])];
        Assert.Empty(ImageScan.Run(paths, cacheFolder: _folder["cache"]));
        var file = new FileInfo(paths[7]);
        var written = file.LastWriteTimeUtc;
        File.WriteAllBytes(paths[7], new byte[file.Length]);

        File.SetLastWriteTimeUtc(paths[7], written);
        Assert.Empty(ImageScan.Run(paths, cacheFolder: _folder["cache"]));

        File.SetLastWriteTimeUtc(paths[7], written.AddSeconds(1));
        Assert.Equal(paths[7], Assert.Single(ImageScan.Run(paths, cacheFolder: _folder["cache"])).Path);
    }

    [Fact]
    public void A_dataset_is_scanned_row_by_row()
    {
        _folder.Draw("cat/1.png", "dog/2.png");
        _folder.WriteText("dog/3.png", "text");

        var bad = ImageScan.Run(ImageDataset.LoadImageFolder(_folder.Path)["train"]);

        Assert.Equal(2, Assert.Single(bad).Row);
    }

    [Fact]
    public void Real_pictures_that_Pillow_loads_are_not_complained_about()
    {
        var folder = Golden.RequireData("oxford-pets");

        var bad = ImageScan.Run([.. Directory.EnumerateFiles(folder, "*.jpg", SearchOption.AllDirectories)], cacheFolder: _folder["cache"]);

        Assert.Empty(bad);
    }
}
