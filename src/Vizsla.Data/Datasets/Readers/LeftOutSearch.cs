using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Readers;

/// <summary>Finds the photos below a folder that are in no row of a dataset. What a file is, its first bytes say, not its name.</summary>
internal sealed class LeftOutSearch
{
    private const int Examples = 3;

    // Put there by this program or by a Hub's client.
    private static readonly string[] s_ownFolders = [".quarantine", ".cache", ".git"];

    private readonly string _root;
    private readonly IReadOnlySet<string> _used;
    private readonly LeftOutReason _known;
    private readonly SortedDictionary<LeftOutReason, List<string>> _found = [];

    private LeftOutSearch(string root, IReadOnlySet<string> used, LeftOutReason known) => (_root, _used, _known) = (root, used, known);

    /// <summary>Walks a folder.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="used">Full paths of the files that are in rows.</param>
    /// <param name="known">The reason for photos that only a rule of places leaves out.</param>
    public static IReadOnlyList<LeftOut> Run(string root, IReadOnlySet<string> used, LeftOutReason known)
    {
        var search = new LeftOutSearch(root, used, known);
        var folder = new DirectoryInfo(root);
        if (folder.Exists)
        {
            search.Walk(folder);
        }

        return [.. search._found.Select(f => new LeftOut(f.Key, f.Value.Count, [.. f.Value.Order(CodePointComparer.Instance).Take(Examples)]))];
    }

    private void Walk(DirectoryInfo folder)
    {
        var inside = 0;
        foreach (var entry in folder.EnumerateFileSystemInfos())
        {
            if (entry is DirectoryInfo inner)
            {
                inside++;
                if (inner.LinkTarget is not null)
                {
                    Add(LeftOutReason.LinkedFolder, inner.FullName);
                }
                else if (!s_ownFolders.Contains(inner.Name))
                {
                    Walk(inner);
                }
            }
            else if (_used.Contains(entry.FullName))
            {
                inside++;
            }
            else if (ReasonOf(entry.FullName, (FileInfo)entry) is { } reason)
            {
                inside++;
                Add(reason, entry.FullName);
            }
            else if (entry.Name[0] != '.' && entry.Name is not ("Thumbs.db" or "desktop.ini"))
            {
                // A folder of other files is no class that lacks its photos.
                inside++;
            }
        }

        if (inside == 0 && folder.FullName.Length > _root.Length && !IsHidden(folder.FullName))
        {
            Add(LeftOutReason.EmptyFolder, folder.FullName);
        }
    }

    private void Add(LeftOutReason reason, string path)
    {
        if (!_found.TryGetValue(reason, out var paths))
        {
            _found.Add(reason, paths = []);
        }

        paths.Add(Path.GetRelativePath(_root, path).Replace('\\', '/'));
    }

    // Null for what is no photo.
    private LeftOutReason? ReasonOf(string path, FileInfo file)
    {
        if (file.LinkTarget is not null && file.ResolveLinkTarget(returnFinalTarget: true) is not { Exists: true })
        {
            return LeftOutReason.BrokenLink;
        }

        Span<byte> start = stackalloc byte[ImageFormats.StartBytes];
        try
        {
            using var stream = file.OpenRead();
            start = start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            start = [];
        }

        var isRead = ImageFormats.IsRead(start);
        if (!isRead && OtherFormats.PictureName(start) is null)
        {
            return null;
        }

        return IsHidden(path) ? LeftOutReason.Hidden
            : !isRead ? LeftOutReason.UnreadFormat
            : ImageExtensions.Suffix(path).Length == 0 ? LeftOutReason.NoExtension
            : ImageExtensions.IsImage(path) && (_known != LeftOutReason.UnknownExtension) ? _known
            : LeftOutReason.UnknownExtension;
    }

    private bool IsHidden(string path) => Path.GetRelativePath(_root, path).Split('/', '\\').Any(part => part[0] == '.' || part.StartsWith("__", StringComparison.Ordinal));
}
