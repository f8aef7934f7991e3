using System.Security.Cryptography;
using Vizsla.Models;

namespace Vizsla.Cli.Jobs;

/// <summary>Which weights an exported file was made of, for its metadata.</summary>
internal static class ExportSource
{
    /// <summary>Looks at the model's files.</summary>
    /// <param name="name">Its folder, or its name on a Hub, which is in the cache.</param>
    /// <param name="revision">Branch, tag or commit of a name; null means <c>main</c>.</param>
    /// <returns>
    /// Of a Hub <c>source</c>, the repository, and <c>source_revision</c>, the commit; of a folder <c>source_revision</c> alone: <c>sha256:</c> and the hash of its weights (of several files, one
    /// after the other), by which a Hub knows them too.
    /// </returns>
    public static IEnumerable<(string Key, string Value)> Of(string name, string? revision)
    {
        if (Directory.Exists(name))
        {
            return [("source_revision", $"sha256:{Hash(ModelFolder.WeightFiles(name))}")];
        }

        var repository = PretrainedModels.RepositoryOf(name) ?? name;
        return HubCache.Find(repository, revision ?? "main") is { } snapshot ? [("source", repository), ("source_revision", Path.GetFileName(snapshot))] : [];
    }

    private static string Hash(IEnumerable<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        foreach (var file in files)
        {
            using var stream = File.OpenRead(file);
            int read;
            while ((read = stream.Read(buffer)) > 0)
            {
                hash.AppendData(buffer, 0, read);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
