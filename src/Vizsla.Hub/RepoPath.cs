namespace Vizsla.Hub;

/// <summary>Paths inside repositories: what may become a path on this disk, and what may be sent.</summary>
/// <remarks>Source: huggingface_hub <c>_validate_path_in_repo</c>, <c>_validate_relative_filename</c>; refused here on every system: drives, roots, backslashes, <c>..</c>.</remarks>
internal static class RepoPath
{
    private static readonly string[] Forbidden = [".git", ".cache"];

    /// <summary>A path for a commit: leading <c>./</c> and slashes dropped, the rest checked.</summary>
    public static string Normalize(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var normal = path.TrimStart('/');
        normal = normal.StartsWith("./", StringComparison.Ordinal) ? normal[2..] : normal;
        if (Fault(normal) is { } fault)
        {
            throw new ArgumentException($"Path '{path}' cannot be a path in a repository: {fault}.", nameof(path));
        }

        if (normal.Split('/').FirstOrDefault(part => Forbidden.Contains(part, StringComparer.OrdinalIgnoreCase)) is { } part)
        {
            throw new ArgumentException($"Path '{path}' lies in a '{part}' folder, which a repository does not take; leave it out.", nameof(path));
        }

        return normal;
    }

    /// <summary>Why a path from elsewhere must not become a file below a folder; null when it may.</summary>
    public static string? Fault(string path)
    {
        if (path.Length == 0)
        {
            return "it is empty";
        }

        if (path.Contains('\\', StringComparison.Ordinal) || path.Contains('\0', StringComparison.Ordinal))
        {
            return "it holds a backslash or a zero character";
        }

        if (path[0] == '/' || (path.Length > 1 && path[1] == ':'))
        {
            return "it is absolute";
        }

        if (OperatingSystem.IsWindows() && path.Split('/').Any(part => part.IndexOfAny(Path.GetInvalidFileNameChars()) >= 0))
        {
            return "it holds a character that this system does not allow in names";
        }

        return path.Split('/').Any(part => part is "" or "." or "..") ? "it has an empty, '.' or '..' part" : null;
    }

    /// <summary>Where a repository's path lies below a folder.</summary>
    /// <exception cref="HubException">The path would leave the folder.</exception>
    public static string Below(string folder, string path, RepoId? repo = null)
    {
        var full = Fault(path) is null ? Path.GetFullPath(Path.Combine(folder, path.Replace('/', Path.DirectorySeparatorChar))) : null;
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + Path.DirectorySeparatorChar;
        var fault = Fault(path) ?? (full!.StartsWith(root, StringComparison.Ordinal) ? LinkOnTheWay(root, full) : "it resolves outside");
        return fault is null
            ? full!
            : throw new HubException(HubErrorKind.UnsafeName, $"The file name '{path}' would leave '{folder}' ({fault}); it is refused. Nothing was written.")
            {
                Repo = repo,
                Path = path,
            };
    }

    private static string? LinkOnTheWay(string root, string full)
    {
        for (var folder = Path.GetDirectoryName(full)!; folder.Length > root.Length; folder = Path.GetDirectoryName(folder)!)
        {
            if (new DirectoryInfo(folder).LinkTarget is not null)
            {
                return $"'{folder}' is a link";
            }
        }

        return null;
    }
}
