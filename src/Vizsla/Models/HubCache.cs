using Vizsla.Hub;

namespace Vizsla.Models;

/// <summary>Finds a model by its Hub name among the files that are already on this machine.</summary>
/// <remarks>Source: the cache layout of <c>huggingface_hub</c>: <c>models--org--name/refs/main</c> names the commit below <c>snapshots</c>.</remarks>
internal static class HubCache
{
    /// <summary>The cache's folder: <c>HF_HUB_CACHE</c>, else <c>HF_HOME/hub</c>, else the user's.</summary>
    public static string Root => HubOptions.FromEnvironment().CacheDirectory;

    /// <summary>The snapshot of a name such as <c>google/vit-base-patch16-224</c>, or null when it is not on this machine.</summary>
    /// <param name="name">Repository, with or without an organization.</param>
    /// <param name="revision">Branch, tag or commit.</param>
    public static string? Find(string name, string revision = "main")
    {
        if (!RepoId.TryParse(name, RepoType.Model, out var repository))
        {
            return null;
        }

        var folder = Path.Combine(Root, repository!.FolderName);
        var reference = Path.Combine(folder, "refs", revision);
        var commit = File.Exists(reference) ? File.ReadAllText(reference).Trim() : revision;
        var snapshot = Path.Combine(folder, "snapshots", commit);
        return commit.Length > 0 && Directory.Exists(snapshot) ? snapshot : null;
    }
}
