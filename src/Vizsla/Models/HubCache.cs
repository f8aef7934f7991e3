namespace Vizsla.Models;

/// <summary>Finds a model by its Hub name among the files that are already on this machine.</summary>
/// <remarks>Source: the cache layout of <c>huggingface_hub</c>: <c>models--org--name/refs/main</c> names the commit below <c>snapshots</c>.</remarks>
internal static class HubCache
{
    /// <summary>The cache's folder: <c>HF_HUB_CACHE</c>, else <c>HF_HOME/hub</c>, else the user's.</summary>
    public static string Root
    {
        get
        {
            if (Environment.GetEnvironmentVariable("HF_HUB_CACHE") is { Length: > 0 } cache)
            {
                return cache;
            }

            var home = Environment.GetEnvironmentVariable("HF_HOME") is { Length: > 0 } set
                ? set
                : Path.Combine(
                    Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg
                        ? xdg
                        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
                    "huggingface");
            return Path.Combine(home, "hub");
        }
    }

    /// <summary>The snapshot of a name such as <c>google/vit-base-patch16-224</c>, or null when it is not on this machine.</summary>
    /// <param name="name">Repository, with or without an organization.</param>
    /// <param name="revision">Branch, tag or commit.</param>
    public static string? Find(string name, string revision = "main")
    {
        if (!IsRepositoryName(name))
        {
            return null;
        }

        var repository = Path.Combine(Root, "models--" + name.Replace("/", "--", StringComparison.Ordinal));
        var reference = Path.Combine(repository, "refs", revision);
        var commit = File.Exists(reference) ? File.ReadAllText(reference).Trim() : revision;
        var snapshot = Path.Combine(repository, "snapshots", commit);
        return commit.Length > 0 && Directory.Exists(snapshot) ? snapshot : null;
    }

    /// <summary>Whether a text can be the name of a repository: one or two parts of letters, digits, <c>-</c>, <c>_</c> and <c>.</c>.</summary>
    public static bool IsRepositoryName(string name) =>
        name.Split('/') is { Length: 1 or 2 } parts
        && parts.All(p => p.Length > 0 && p is not ("." or "..") && p.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'));
}
