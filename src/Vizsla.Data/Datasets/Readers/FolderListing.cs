using System.IO.Enumeration;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Readers;

/// <summary>Every file below a folder, by path relative to it.</summary>
internal static class FolderListing
{
    /// <summary>Lists files and links to files; linked folders are not entered, hidden files are listed.</summary>
    /// <param name="root">Full path of the folder.</param>
    /// <returns>Paths relative to the folder, separated by '/', in code point order; none where the folder is absent.</returns>
    public static string[] Files(string root)
    {
        if (!Directory.Exists(root))
        {
            return [];
        }

        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };
        var start = Path.EndsInDirectorySeparator(root) ? root.Length : root.Length + 1;
        var entries = new FileSystemEnumerable<string>(root, (ref entry) => entry.ToFullPath()[start..].Replace(Path.DirectorySeparatorChar, '/'), options)
        {
            ShouldIncludePredicate = (ref entry) => !entry.IsDirectory,
            ShouldRecursePredicate = (ref entry) => (entry.Attributes & FileAttributes.ReparsePoint) == 0,
        };
        string[] files = [.. entries];
        Array.Sort(files, CodePointComparer.Instance);
        return files;
    }
}
