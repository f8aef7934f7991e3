using Vizsla.Datasets.Storage;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Readers;

/// <summary>Folders of pictures: which files, which splits, which labels.</summary>
/// <remarks>Source: <c>datasets</c> builder <c>imagefolder</c>.</remarks>
internal static class ImageFolderReader
{
    private static readonly string[] s_splits = ["train", "validation", "test"];
    private static readonly HashSet<string> s_extensions = new(StringComparer.OrdinalIgnoreCase) { ".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff" };

    public static DatasetDict Load(string dir)
    {
        ArgumentNullException.ThrowIfNull(dir);
        if (!Directory.Exists(dir))
        {
            throw new DatasetException($"The dataset folder '{dir}' does not exist.");
        }

        var root = Path.GetFullPath(dir);
        var splits = s_splits.Where(split => Directory.Exists(Path.Combine(root, split))).Select(split => (Name: split, Files: Pictures(Path.Combine(root, split)))).Where(s => s.Files.Length > 0).ToList();
        if (splits.Count == 0)
        {
            splits.Add(("train", Pictures(root)));
        }

        if (splits[0].Files.Length == 0)
        {
            throw new DatasetException($"The dataset folder '{dir}' holds no picture.");
        }

        var names = splits.SelectMany(s => s.Files).Select(ClassName).Distinct(StringComparer.Ordinal).ToList();
        var label = names.Count > 1 ? new ClassLabel(LabelSet.Sorted(names)) : null;
        return new(splits.Select(s => KeyValuePair.Create(s.Name, new ImageDataset(
            new ImageFileTable(root, s.Files, label, label is null ? null : [.. s.Files.Select(f => label.Names.IndexOf(ClassName(f)))]), split: s.Name))));
    }

    private static string ClassName(string file) => Path.GetFileName(Path.GetDirectoryName(file)) ?? "";

    private static string[] Pictures(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(f => s_extensions.Contains(Path.GetExtension(f)) && Path.GetFileName(f)[0] != '.').Order(CodePointComparer.Instance)];
}
