using Vizsla.Hub.Cache;

namespace Vizsla.Hub.Transfers;

/// <summary>Metadata of a file, from a HEAD request.</summary>
/// <param name="Location">Where its bytes are: this Hub, or a signed address of a storage.</param>
/// <param name="ETag">Git's blob id of a regular file, SHA-256 of a large one; names the blob in the cache.</param>
/// <param name="Commit">The revision's commit.</param>
/// <param name="Size">Bytes.</param>
/// <remarks>Source: huggingface_hub <c>get_hf_file_metadata</c>.</remarks>
internal sealed record FileMetadata(Uri Location, string ETag, string Commit, long Size)
{
    /// <summary>Asks for a file's metadata.</summary>
    /// <exception cref="HubException">The Hub refuses, is not reached, or its answer is not one of a Hub.</exception>
    public static async Task<FileMetadata> GetAsync(HubHttp http, Uri address, RequestSubject subject, RetryPolicy retry, TimeSpan timeout, bool authorize, CancellationToken cancellationToken)
    {
        using var response = await http.SendAsync(
            () => new HubRequest(HttpMethod.Head, address) { StopsAtOtherOrigin = true, Authorize = authorize, Timeout = timeout },
            subject, retry, cancellationToken).ConfigureAwait(false);
        var asked = response.RequestMessage!.RequestUri!;
        var location = response.Headers.Location is { } target ? new Uri(asked, target) : asked;
        var commit = HubErrors.Header(response, "X-Repo-Commit");
        var etag = Unquote(HubErrors.Header(response, "X-Linked-ETag") ?? HubErrors.Header(response, "ETag"));
        var size = long.TryParse(HubErrors.Header(response, "X-Linked-Size"), out var linked) ? linked
            : response.Headers.Location is null ? response.Content.Headers.ContentLength : null;
        if (commit is null || !RepoCache.IsCommit(commit))
        {
            throw NotAHub(subject, "without a commit in 'X-Repo-Commit'");
        }

        if (etag is null || !RepoCache.IsBlobName(etag))
        {
            throw NotAHub(subject, "without an ETag that can name a file");
        }

        return size is { } bytes and >= 0 ? new FileMetadata(location, etag, commit, bytes) : throw NotAHub(subject, "without a size");
    }

    private static string? Unquote(string? etag)
    {
        var text = etag?.Trim();
        text = text?.StartsWith("W/", StringComparison.Ordinal) is true ? text[2..] : text;
        return text?.Trim('"');
    }

    private static HubException NotAHub(RequestSubject subject, string what) =>
        new(HubErrorKind.NotAHub, $"{subject}: the answer came {what}, so the server is not a Hub. Check HF_ENDPOINT, proxy and firewall.")
        {
            Repo = subject.Repo,
            Path = subject.Path,
            Revision = subject.Revision,
        };
}
