using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets;

/// <summary>Folders of small pictures for tests.</summary>
internal static class Pictures
{
    /// <summary>Draws a small PNG at each path, each one different.</summary>
    public static TemporaryFolder Draw(this TemporaryFolder folder, params IEnumerable<string> files)
    {
        foreach (var (i, file) in files.Index())
        {
            using var image = AnimalPainter.Paint(AnimalPainter.Classes[i % AnimalPainter.Classes.Count], 16, new Rng((ulong)i));
            ImageCodec.SavePng(image, folder.Reserve(file));
        }

        return folder;
    }

    /// <summary>Paths of all files below a folder, separated by '/', sorted.</summary>
    public static IEnumerable<string> Tree(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Select(f => Path.GetRelativePath(folder, f).Replace('\\', '/'))
        .Order(StringComparer.Ordinal);
}
