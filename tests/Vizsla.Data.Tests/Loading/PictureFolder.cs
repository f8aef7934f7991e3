using Vizsla.Imaging;

namespace Vizsla.Tests.Loading;

/// <summary>A temporary folder of two classes of small pictures, no two alike.</summary>
internal sealed class PictureFolder : IDisposable
{
    public PictureFolder(int count, int width = 24, int height = 20, string extension = ".png")
    {
        Path = Directory.CreateTempSubdirectory("vizsla-").FullName;
        Files = [.. Enumerable.Range(0, count).Select(i => Write(i, width, height, extension))];
    }

    public string Path { get; }

    public IReadOnlyList<string> Files { get; }

    public ImageDataset Load() => ImageDataset.LoadImageFolder(Path)["train"];

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private string Write(int number, int width, int height, string extension)
    {
        var file = System.IO.Path.Combine(Path, number % 2 == 0 ? "cat" : "dog", $"{number:000}{extension}");
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        using var image = new Image(width, height);
        for (var i = 0; i < image.Pixels.Length; i++)
        {
            image.Pixels[i] = (byte)(number * 31 + i * 7 + i / 13);
        }

        if (extension == ".png")
        {
            ImageCodec.SavePng(image, file);
        }
        else
        {
            ImageCodec.SaveJpeg(image, file);
        }

        return file;
    }
}
