using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Vizsla.Hub.Transfers;

/// <summary>Commits: asks, sends large files, drops what is unchanged, then sends the one request that changes the branch.</summary>
/// <remarks>Source: huggingface_hub <c>HfApi.create_commit</c> 2.x, request by request.</remarks>
internal sealed partial class CommitUpload(HubApi api, HubHttp http, HubOptions options, ILogger logger)
{
    private readonly Listing _listing = new(api);
    private readonly Preupload _preupload = new(api, new LargeFileUpload(api));

    /// <summary>Sends the large files among some, without committing.</summary>
    public async Task<IReadOnlyList<CommitOperation>> PreuploadAsync(RepoId repo, IReadOnlyList<CommitAdd> files, CommitOptions commit, CancellationToken cancellationToken)
    {
        var prepared = await _preupload.RunAsync(repo, files, commit, cancellationToken).ConfigureAwait(false);
        return [.. prepared.Where(f => !f.IsIgnored).Select(f => f.IsLarge ? (CommitOperation)new CommitLargeFile(f.Source.Path, f.Oid, f.Size) { Previous = f.Previous } : f.Source)];
    }

    /// <summary>Commits.</summary>
    public async Task<CommitResult> RunAsync(RepoId repo, IReadOnlyList<CommitOperation> operations, string message, CommitOptions commit, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(message))
        {
            throw new ArgumentException("A commit needs a message; write what it is for.", nameof(message));
        }

        if (operations.OfType<CommitAdd>().LastOrDefault(a => a.Path == "README.md") is { } card)
        {
            await ValidateCardAsync(repo, card, cancellationToken).ConfigureAwait(false);
        }

        var additions = operations.OfType<CommitAdd>().ToList();
        var prepared = additions.Count == 0 ? [] : await _preupload.RunAsync(repo, additions, commit, cancellationToken).ConfigureAwait(false);
        var copies = await CopiesAsync(repo, operations.OfType<CommitCopy>().ToList(), commit, cancellationToken).ConfigureAwait(false);
        var lines = Lines(operations, prepared, copies);
        return lines.Count == 0
            ? await UnchangedAsync(repo, commit, cancellationToken).ConfigureAwait(false)
            : await SendAsync(repo, lines, message, commit, cancellationToken).ConfigureAwait(false);
    }

    private static List<CommitLine> Lines(IReadOnlyList<CommitOperation> operations, IReadOnlyList<PreparedFile> prepared, Dictionary<CommitCopy, CommitLine> copies)
    {
        var files = new Dictionary<object, PreparedFile>(ReferenceEqualityComparer.Instance);
        foreach (var file in prepared)
        {
            files[file.Source] = file;
        }

        var lines = new List<CommitLine>();
        foreach (var operation in operations)
        {
            switch (operation)
            {
                case CommitAdd add when files[add] is { IsIgnored: false, IsUnchanged: false } file:
                    lines.Add(file.IsLarge ? CommitLine.Large(add.Path, file.Oid, file.Size) : CommitLine.Regular(file));
                    break;
                case CommitLargeFile large when large.Previous != large.Sha256:
                    lines.Add(CommitLine.Large(large.Path, large.Sha256, large.Size));
                    break;
                case CommitDelete delete:
                    lines.Add(CommitLine.Delete(delete));
                    break;
                case CommitCopy copy when copies.TryGetValue(copy, out var line):
                    lines.Add(line);
                    break;
            }
        }

        return lines;
    }

    // Large files are copied by name; regular ones are small enough to go through here. Copies that change nothing are dropped.
    private async Task<Dictionary<CommitCopy, CommitLine>> CopiesAsync(RepoId repo, List<CommitCopy> copies, CommitOptions commit, CancellationToken cancellationToken)
    {
        var lines = new Dictionary<CommitCopy, CommitLine>();
        if (copies.Count == 0)
        {
            return lines;
        }

        var present = (await _listing.PathsAsync(repo, commit.Revision, copies.Select(c => c.Path), cancellationToken).ConfigureAwait(false)).ToDictionary(e => e.Path);
        foreach (var group in copies.GroupBy(c => c.SourceRevision ?? commit.Revision))
        {
            var sources = (await _listing.PathsAsync(repo, group.Key, group.Select(c => c.Source), cancellationToken).ConfigureAwait(false)).ToDictionary(e => e.Path);
            foreach (var copy in group)
            {
                if (!sources.TryGetValue(copy.Source, out var source) || source.IsFolder)
                {
                    throw new HubException(HubErrorKind.EntryNotFound, $"Could not copy '{copy.Source}' of {repo.TypeName} '{repo.Id}' at '{group.Key}': there is no such file. Check the path; it is case-sensitive.") { Repo = repo, Path = copy.Source, Revision = group.Key };
                }

                if (present.GetValueOrDefault(copy.Path)?.Oid == source.Oid)
                {
                    continue;
                }

                lines[copy] = source.LfsOid is { } oid
                    ? CommitLine.Large(copy.Path, oid, null)
                    : CommitLine.Regular(await RegularAsync(repo, copy, source, group.Key, cancellationToken).ConfigureAwait(false));
            }
        }

        return lines;
    }

    private async Task<PreparedFile> RegularAsync(RepoId repo, CommitCopy copy, TreeEntry source, string revision, CancellationToken cancellationToken)
    {
        using var response = await http.SendAsync(
            () => new HubRequest(HttpMethod.Get, FileDownload.Resolve(options, repo, copy.Source, revision)), new RequestSubject("copy", repo, copy.Source, revision), RetryPolicy.Repeatable, cancellationToken).ConfigureAwait(false);
        byte[] bytes;
        try
        {
            bytes = await HubHttp.ReadBodyAsync(response, options.DownloadTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TimeoutException)
        {
            throw HubErrors.Unreachable(new RequestSubject("copy", repo, copy.Source, revision), response.RequestMessage!.RequestUri!, e);
        }

        return new PreparedFile(new CommitAdd(copy.Path, bytes), IsLarge: false, IsIgnored: false, Previous: null, source.Oid, bytes.Length);
    }

    private async Task<CommitResult> SendAsync(RepoId repo, IReadOnlyList<CommitLine> lines, string message, CommitOptions commit, CancellationToken cancellationToken)
    {
        var header = new JsonObject { ["summary"] = message, ["description"] = commit.Description };
        if (commit.ParentCommit is { } parent)
        {
            header["parentCommit"] = parent;
        }

        var subject = new RequestSubject("commit to", repo, null, commit.Revision);
        var address = api.Address(repo, $"/commit/{Uri.EscapeDataString(commit.Revision)}{(commit.CreatePullRequest ? "?create_pr=1" : "")}");
        var answer = await api.SendAsync(HttpMethod.Post, address, () => new CommitContent(header, lines), subject, RetryPolicy.Commit, cancellationToken).ConfigureAwait(false);
        return Listing.Field(subject, () => new CommitResult(
            Listing.Text(answer, "commitOid"),
            new Uri(Listing.Text(answer, "commitUrl")),
            IsEmpty: false,
            (string?)answer!["pullRequestUrl"] is { } proposal ? new Uri(proposal) : null));
    }

    private async Task<CommitResult> UnchangedAsync(RepoId repo, CommitOptions commit, CancellationToken cancellationToken)
    {
        LogUnchanged(repo);
        var info = await _listing.InfoAsync(repo, commit.Revision, cancellationToken).ConfigureAwait(false);
        return new CommitResult(info.Commit, api.Address($"/{repo.UrlPrefix}{repo.Id}/commit/{info.Commit}"), IsEmpty: true, null);
    }

    private async Task ValidateCardAsync(RepoId repo, CommitAdd card, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(card.Open());
        var text = await reader.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        var subject = new RequestSubject("commit", repo, card.Path);
        var answer = await api.PostAsync(api.Address("/api/validate-yaml"), new JsonObject { ["content"] = text, ["repoType"] = repo.TypeName }, subject, cancellationToken).ConfigureAwait(false);
        foreach (var warning in answer["warnings"] as JsonArray ?? [])
        {
            LogCard((string?)warning?["message"] ?? "");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Repo}: no file differs from the last commit; nothing is committed.")]
    private partial void LogUnchanged(RepoId repo);

    [LoggerMessage(Level = LogLevel.Warning, Message = "README.md: {Warning}")]
    private partial void LogCard(string warning);
}
