using Vizsla.Imaging;

namespace Vizsla.Benchmarks;

/// <summary>The photos that benchmarks read: those of a folder, or drawn ones of 500x375 where it is missing.</summary>
internal static class Photos
{
    /// <summary>Paths of JPEG files.</summary>
    /// <param name="folder">A folder of .jpg files; null takes ../shared/data/kaggle-dogs/images beside the checkout.</param>
    /// <param name="count">How many.</param>
    public static string[] Find(string? folder, int count)
    {
        folder ??= Path.Combine(Checkout(), "..", "shared", "data", "kaggle-dogs", "images");
        if (Directory.Exists(folder))
        {
            return [.. Directory.EnumerateFiles(folder, "*.jpg").Order(StringComparer.Ordinal).Take(count)];
        }

        Console.WriteLine($"No folder '{Path.GetFullPath(folder)}': random pictures of 500x375 instead.");
        var drawn = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "vizsla-benchmark-photos")).FullName;
        return [.. Enumerable.Range(0, Math.Min(count, 32)).Select(i => Draw(drawn, i))];
    }

    /// <summary>Copies photos into a folder of one class.</summary>
    /// <param name="files">The photos.</param>
    /// <returns>The folder, made anew.</returns>
    public static string AsImageFolder(string[] files)
    {
        var folder = Path.Combine(Path.GetTempPath(), "vizsla-benchmark-folder");
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        var photos = Directory.CreateDirectory(Path.Combine(folder, "dog")).FullName;
        foreach (var file in files)
        {
            File.Copy(file, Path.Combine(photos, Path.GetFileName(file)));
        }

        return folder;
    }

    private static string Draw(string folder, int number)
    {
        var path = Path.Combine(folder, $"{number:00}.jpg");
        using var image = new Image(500, 375);
        for (var y = 0; y < image.Height; y++)
        {
            var row = image.Row(y);
            for (var x = 0; x < row.Length; x++)
            {
                row[x] = (byte)(128 + 60 * Math.Sin(x * 0.02 * (1 + number % 5)) + 40 * Math.Cos(y * 0.07 + x % 3) + ((x * 7919) ^ (y * 104729)) % 23);
            }
        }

        ImageCodec.SaveJpeg(image, path, quality: 90);
        return path;
    }

    internal static string Checkout()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Vizsla.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? Environment.CurrentDirectory;
    }
}
