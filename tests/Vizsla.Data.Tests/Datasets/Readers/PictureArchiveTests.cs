using System.IO.Compression;
using Vizsla.Datasets;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Readers;

public sealed class PictureArchiveTests
{
    [Fact]
    public void Pictures_are_read_where_they_lie_in_the_archive()
    {
        using var folder = new TemporaryFolder();
        folder.Draw("in/b.png", "in/a.png");
        Directory.CreateDirectory(folder["zipped"]);
        ZipFile.CreateFromDirectory(folder["in"], folder["zipped", "pets.zip"]);

        var dataset = ImageDataset.LoadImageFolder(folder["zipped"])["train"];
        using var image = dataset.LoadImage(0);

        Assert.Equal($"zip://a.png::{folder["zipped", "pets.zip"]}", dataset[0].Path);
        Assert.Equal(File.ReadAllBytes(folder["in", "a.png"]), dataset[0].ReadBytes().ToArray());
        Assert.Equal(16, image.Width);
    }

    [Fact]
    public void A_damaged_archive_is_named()
    {
        using var folder = new TemporaryFolder();
        var path = folder.WriteText("pets.zip", "not a zip");

        var error = Assert.Throws<DatasetException>(() => ImageDataset.LoadImageFolder(folder.Path));

        Assert.StartsWith($"'{path}' is not a zip archive that can be read: ", error.Message, StringComparison.Ordinal);
    }
}
