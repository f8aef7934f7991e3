using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Vizsla.Hub.Transfers;

/// <summary>Asks which files go where, then sends the large ones to the storage.</summary>
/// <remarks>Source: huggingface_hub <c>_fetch_upload_modes</c>, <c>preupload_lfs_files</c>.</remarks>
internal sealed class Preupload(HubApi api, LargeFileUpload storage)
{
    private const int FilesPerRequest = 256;
    private const int SampleSize = 512;

    /// <summary>Asks and sends.</summary>
    /// <returns>One row per file, in order.</returns>
    public async Task<IReadOnlyList<PreparedFile>> RunAsync(RepoId repo, IReadOnlyList<CommitAdd> files, CommitOptions options, CancellationToken cancellationToken)
    {
        var ignore = files.FirstOrDefault(f => f.Path == ".gitignore") is { } own ? await ReadTextAsync(own, cancellationToken).ConfigureAwait(false) : null;
        var prepared = new List<PreparedFile>(files.Count);
        foreach (var chunk in files.Chunk(FilesPerRequest))
        {
            prepared.AddRange(await AskAsync(repo, chunk, ignore, options, cancellationToken).ConfigureAwait(false));
        }

        var large = prepared.Where(f => f.IsLarge && !f.IsIgnored).ToList();
        await storage.SendAsync(repo, large, options, cancellationToken).ConfigureAwait(false);
        return prepared;
    }

    private async Task<IReadOnlyList<PreparedFile>> AskAsync(RepoId repo, CommitAdd[] files, string? ignore, CommitOptions options, CancellationToken cancellationToken)
    {
        var sizes = files.Select(f => f.Length).ToArray();
        var rows = new JsonArray();
        for (var i = 0; i < files.Length; i++)
        {
            rows.Add((JsonNode)new JsonObject { ["path"] = files[i].Path, ["sample"] = Convert.ToBase64String(await SampleAsync(files[i], cancellationToken).ConfigureAwait(false)), ["size"] = sizes[i] });
        }

        var body = new JsonObject { ["files"] = rows };
        if (ignore is not null)
        {
            body["gitIgnore"] = ignore;
        }

        var subject = new RequestSubject("prepare the commit to", repo, null, options.Revision);
        var address = api.Address(repo, $"/preupload/{Uri.EscapeDataString(options.Revision)}{(options.CreatePullRequest ? "?create_pr=1" : "")}");
        var answer = await api.PostAsync(address, body, subject, cancellationToken).ConfigureAwait(false);
        var modes = Listing.Field(subject, () => (answer["files"] as JsonArray ?? throw new FormatException("no 'files'"))
            .ToDictionary(f => Listing.Text(f, "path"), f => (Large: Listing.Text(f, "uploadMode") == "lfs", Ignored: (bool?)f!["shouldIgnore"] ?? false, Oid: (string?)f["oid"])));

        var prepared = new List<PreparedFile>(files.Length);
        for (var i = 0; i < files.Length; i++)
        {
            var (large, ignored, previous) = Listing.Field(subject, () => modes.TryGetValue(files[i].Path, out var mode) ? mode : throw new FormatException($"no mode for '{files[i].Path}'"));
            // The storage takes no empty object: an empty file is always a regular one.
            large &= sizes[i] > 0;
            var oid = ignored ? "" : await PreparedFile.HashAsync(files[i], large, sizes[i], cancellationToken).ConfigureAwait(false);
            prepared.Add(new PreparedFile(files[i], large, ignored, previous, oid, sizes[i]));
        }

        return prepared;
    }

    private static async Task<byte[]> SampleAsync(CommitAdd file, CancellationToken cancellationToken)
    {
        var stream = file.Open();
        await using (stream.ConfigureAwait(false))
        {
            var sample = new byte[SampleSize];
            var read = await stream.ReadAtLeastAsync(sample, SampleSize, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return sample[..read];
        }
    }

    private static async Task<string> ReadTextAsync(CommitAdd file, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(file.Open());
        return await reader.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>A file to add, with what the Hub wants of it.</summary>
/// <param name="Source">The file.</param>
/// <param name="IsLarge">True: its bytes go to the storage; false: into the commit itself.</param>
/// <param name="IsIgnored">True: the repository's <c>.gitignore</c> leaves it out.</param>
/// <param name="Previous">Id of what the repository has at this path; null when nothing.</param>
/// <param name="Oid">Id of the new content: SHA-256 of a large file, Git's blob id of another.</param>
/// <param name="Size">Bytes.</param>
internal sealed record PreparedFile(CommitAdd Source, bool IsLarge, bool IsIgnored, string? Previous, string Oid, long Size)
{
    /// <summary>Whether committing it would change nothing.</summary>
    public bool IsUnchanged => Previous == Oid;

    /// <summary>The content's id.</summary>
    public static async Task<string> HashAsync(CommitAdd source, bool isLarge, long size, CancellationToken cancellationToken)
    {
        var stream = source.Open();
        await using (stream.ConfigureAwait(false))
        {
            if (isLarge)
            {
                return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken).ConfigureAwait(false));
            }

            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
            hash.AppendData(Encoding.ASCII.GetBytes($"blob {size}\0"));
            var buffer = new byte[64 * 1024];
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                hash.AppendData(buffer, 0, read);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }
}
