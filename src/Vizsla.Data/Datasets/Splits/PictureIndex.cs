using Vizsla.Datasets.Readers;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Splits;

/// <summary>The files below a folder of photos by name, as ids and paths of a label file mean them.</summary>
internal sealed class PictureIndex
{
    private readonly string _root;
    private readonly Dictionary<string, Folder> _folders = new(StringComparer.Ordinal);
    private readonly Lazy<ILookup<string, string>> _everywhere;

    /// <param name="root">The folder of the photos.</param>
    public PictureIndex(string root)
    {
        _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        _everywhere = new(() => FolderListing.Files(_root).Where(ImageExtensions.IsImage).ToLookup(f => Stem(f[(f.LastIndexOf('/') + 1)..]), StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>The path below the folder that an id stands for: itself, or a path with either slash, absolute ones too.</summary>
    /// <param name="id">An id of a label file.</param>
    /// <returns>The path separated by '/', or null where it leads out of the folder.</returns>
    public string? Below(string id)
    {
        var path = id.Replace('\\', '/');
        var root = _root.Replace('\\', '/');
        if (path.StartsWith(root + '/', StringComparison.Ordinal))
        {
            path = path[(root.Length + 1)..];
        }
        else if (path.StartsWith('/') || (path.Length > 1 && char.IsAsciiLetter(path[0]) && path[1] == ':'))
        {
            return null;
        }

        var parts = new List<string>();
        foreach (var part in path.Split('/').Where(p => p is not ("" or ".")))
        {
            if (part != "..")
            {
                parts.Add(part);
            }
            else if (parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else
            {
                return null;
            }
        }

        return string.Join('/', parts);
    }

    /// <summary>The files that a path stands for: the file of that name in any Unicode form, else the pictures of that name and any extension.</summary>
    /// <param name="path">A path below the folder.</param>
    /// <returns>Paths below the folder; more than one where the extension is missing and several would do.</returns>
    public string[] Find(string path)
    {
        var slash = path.LastIndexOf('/');
        var (folder, name) = (slash < 0 ? "" : path[..slash], path[(slash + 1)..]);
        var files = In(folder);
        var found = files.Exact.Contains(name) ? [name]
            : files.ByForm[CanonicalForm.Decompose(name)].FirstOrDefault() is { } other ? [other]
            : files.ByStem[CanonicalForm.Decompose(name)].Order(StringComparer.Ordinal).ToArray();
        return [.. found.Select(f => slash < 0 ? f : $"{folder}/{f}")];
    }

    /// <summary>Names of the pictures directly in the folder.</summary>
    public IEnumerable<string> Direct => In("").Exact.Where(f => ImageExtensions.IsImage(f) && f[0] != '.');

    /// <summary>Why a path may have no picture, and the picture that may be meant.</summary>
    /// <param name="path">A path without a picture.</param>
    /// <returns>The kind as a part of a sentence, and the file; null where nothing is alike.</returns>
    public (string Kind, string File)? Hint(string path)
    {
        var slash = path.LastIndexOf('/');
        var (folder, name) = (slash < 0 ? "" : path[..slash], path[(slash + 1)..]);
        foreach (var file in In(folder).Exact.Where(ImageExtensions.IsImage).Order(StringComparer.Ordinal))
        {
            var (given, there) = (Stem(name), Stem(file));
            var kind = given == there ? "in the extension"
                : name.Equals(file, StringComparison.OrdinalIgnoreCase) || name.Equals(there, StringComparison.OrdinalIgnoreCase) ? "in upper and lower case"
                : IsSameNumber(given, there) ? "in leading zeros"
                : given.Equals(there, StringComparison.OrdinalIgnoreCase) ? "in case and extension"
                : null;
            if (kind is not null)
            {
                return (kind, slash < 0 ? file : $"{folder}/{file}");
            }
        }

        return _everywhere.Value[Stem(name)].FirstOrDefault(f => f.Contains('/', StringComparison.Ordinal)) is { } below ? ("in the folder", below) : null;
    }

    private static bool IsSameNumber(string a, string b) =>
        a.Length > 0 && b.Length > 0 && a.All(char.IsAsciiDigit) && b.All(char.IsAsciiDigit) && a.TrimStart('0') == b.TrimStart('0');

    private static string Stem(string name) => ImageExtensions.IsImage(name) ? Path.GetFileNameWithoutExtension(name) : name;

    private Folder In(string folder)
    {
        if (!_folders.TryGetValue(folder, out var files))
        {
            var path = Path.Combine(_root, folder);
            _folders.Add(folder, files = new(Directory.Exists(path) ? [.. Directory.EnumerateFiles(path).Select(f => Path.GetFileName(f))] : []));
        }

        return files;
    }

    private sealed class Folder(string[] names)
    {
        public HashSet<string> Exact { get; } = names.ToHashSet(StringComparer.Ordinal);

        public ILookup<string, string> ByForm { get; } = names.ToLookup(CanonicalForm.Decompose, StringComparer.Ordinal);

        public ILookup<string, string> ByStem { get; } = names.Where(ImageExtensions.IsImage).ToLookup(f => CanonicalForm.Decompose(Path.GetFileNameWithoutExtension(f)), StringComparer.Ordinal);
    }
}
