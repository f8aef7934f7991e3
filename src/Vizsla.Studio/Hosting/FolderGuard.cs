namespace Vizsla.Studio.Hosting;

/// <summary>Finds files below a folder by the paths of addresses, and never anything outside it.</summary>
internal static class FolderGuard
{
    /// <summary>The file or folder below <paramref name="root"/> that a path names.</summary>
    /// <param name="root">The folder that was given to the server.</param>
    /// <param name="relative">The path as the request has it, already decoded once.</param>
    /// <returns>The full path of something that exists, or null: outside the folder (by '..', a root, a drive, or a link that leads out) or absent.</returns>
    public static string? Resolve(string root, string relative)
    {
        if (relative.Length == 0 || relative.AsSpan().ContainsAny('\\', ':', '\0') || relative.Contains('%', StringComparison.Ordinal) || Path.IsPathRooted(relative))
        {
            return null;
        }

        if (relative.Split('/').Any(part => part is "" or "." or ".."))
        {
            return null;
        }

        var home = RealPath(Path.GetFullPath(root));
        var path = Path.GetFullPath(Path.Combine(home, relative));
        if (!IsBelow(home, path) || !Path.Exists(path))
        {
            return null;
        }

        return IsBelow(home, RealPath(path)) ? path : null;
    }

    private static bool IsBelow(string home, string path) =>
        path.StartsWith(home.EndsWith(Path.DirectorySeparatorChar) ? home : home + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>The path with every link on the way followed.</summary>
    private static string RealPath(string path)
    {
        var root = Path.GetPathRoot(path) ?? "";
        var real = root;
        foreach (var part in path[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            var next = Path.Combine(real, part);
            FileSystemInfo entry = Directory.Exists(next) ? new DirectoryInfo(next) : new FileInfo(next);
            var target = entry.LinkTarget is null ? null : entry.ResolveLinkTarget(returnFinalTarget: true);
            // A link's target may itself lie behind links.
            real = target is null ? next : RealPath(target.FullName);
        }

        return real;
    }
}
