using Vizsla.Imaging;

namespace Vizsla.Cli.Commands;

/// <summary>The photos that a user means by files and folders.</summary>
internal static class InputFiles
{
    private static readonly string[] s_extensions = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"];

    /// <summary>Files as given, and the photos of folders in the order of their paths.</summary>
    /// <exception cref="UsageException">Something is neither a file nor a folder, or a folder holds no photo.</exception>
    public static IReadOnlyList<string> Find(IEnumerable<string> inputs)
    {
        var files = new List<string>();
        foreach (var input in inputs)
        {
            if (Directory.Exists(input))
            {
                var before = files.Count;
                files.AddRange(Directory.EnumerateFiles(input, "*", SearchOption.AllDirectories)
                    .Where(f => s_extensions.Contains(Path.GetExtension(f), StringComparer.OrdinalIgnoreCase) || ImageCodec.Recognizes(f))
                    .Order(StringComparer.Ordinal));
                if (files.Count == before)
                {
                    throw new UsageException($"The folder '{input}' holds no photo ({string.Join(", ", s_extensions)}).");
                }
            }
            else if (File.Exists(input))
            {
                files.Add(input);
            }
            else
            {
                throw new UsageException($"There is no file or folder '{input}'.");
            }
        }

        return files;
    }
}
