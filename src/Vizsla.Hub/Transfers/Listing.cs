using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Vizsla.Hub.Transfers;

/// <summary>What repositories hold: descriptions, trees, references, history.</summary>
internal sealed class Listing(HubApi api)
{
    /// <summary>A repository at a revision; null asks for its default.</summary>
    public Task<RepoInfo> InfoAsync(RepoId repo, string? revision, CancellationToken cancellationToken) =>
        InfoAsync(repo, revision, RetryPolicy.Repeatable, cancellationToken);

    /// <summary>A repository at a revision; null asks for its default.</summary>
    public async Task<RepoInfo> InfoAsync(RepoId repo, string? revision, RetryPolicy retry, CancellationToken cancellationToken)
    {
        var subject = new RequestSubject("look up", repo, null, revision);
        var rest = revision is null ? "" : $"/revision/{Uri.EscapeDataString(revision)}";
        var (json, _) = await api.GetPageAsync(api.Address(repo, rest), subject, retry, cancellationToken).ConfigureAwait(false);
        return Field(subject, () => new RepoInfo(
            Text(json, "id"),
            Text(json, "sha"),
            (bool?)json["private"] ?? false,
            [.. (json["siblings"] as JsonArray ?? []).Select(s => Text(s, "rfilename"))],
            Strings(json["tags"])));
    }

    /// <summary>Files and folders below a path, page after page.</summary>
    public async IAsyncEnumerable<TreeEntry> TreeAsync(RepoId repo, string revision, string path, bool recursive, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var subject = new RequestSubject("list", repo, path.Length > 0 ? path : null, revision);
        var below = path.Length > 0 ? "/" + string.Join('/', path.Split('/').Select(Uri.EscapeDataString)) : "";
        Uri? address = api.Address(repo, $"/tree/{Uri.EscapeDataString(revision)}{below}?recursive={(recursive ? "true" : "false")}&expand=false");
        while (address is not null)
        {
            var (json, next) = await api.GetPageAsync(address, subject, cancellationToken).ConfigureAwait(false);
            foreach (var entry in Field(subject, () => json.AsArray().Select(Entry).ToArray()))
            {
                yield return entry;
            }

            address = next;
        }
    }

    /// <summary>Those of some paths that exist.</summary>
    public async Task<IReadOnlyList<TreeEntry>> PathsAsync(RepoId repo, string revision, IEnumerable<string> paths, CancellationToken cancellationToken)
    {
        var subject = new RequestSubject("look up paths of", repo, null, revision);
        var form = paths.Select(p => KeyValuePair.Create("paths", p)).Append(KeyValuePair.Create("expand", "false")).ToArray();
        var json = await api.SendAsync(
            HttpMethod.Post, api.Address(repo, $"/paths-info/{Uri.EscapeDataString(revision)}"), () => new FormUrlEncodedContent(form), subject, RetryPolicy.Repeatable, cancellationToken).ConfigureAwait(false);
        return Field(subject, () => json!.AsArray().Select(Entry).ToArray());
    }

    /// <summary>Branches and tags.</summary>
    public async Task<RepoReferences> ReferencesAsync(RepoId repo, CancellationToken cancellationToken)
    {
        var subject = new RequestSubject("list the branches of", repo);
        var json = await api.GetAsync(api.Address(repo, "/refs"), subject, cancellationToken).ConfigureAwait(false);
        return Field(subject, () => new RepoReferences(References(json["branches"]), References(json["tags"])));
    }

    /// <summary>History, newest first.</summary>
    public async Task<IReadOnlyList<CommitEntry>> CommitsAsync(RepoId repo, string revision, CancellationToken cancellationToken)
    {
        var subject = new RequestSubject("list the commits of", repo, null, revision);
        var rows = new List<CommitEntry>();
        Uri? address = api.Address(repo, $"/commits/{Uri.EscapeDataString(revision)}");
        while (address is not null)
        {
            var (json, next) = await api.GetPageAsync(address, subject, cancellationToken).ConfigureAwait(false);
            rows.AddRange(Field(subject, () => json.AsArray().Select(c => new CommitEntry(
                Text(c, "id"), Text(c, "title"), (string?)c!["message"] ?? "", DateTimeOffset.Parse(Text(c, "date"), CultureInfo.InvariantCulture),
                [.. (c["authors"] as JsonArray ?? []).Select(a => (string?)a?["user"] ?? "")])).ToArray()));
            address = next;
        }

        return rows;
    }

    /// <summary>Repositories by owner and words.</summary>
    public async Task<IReadOnlyList<RepoSummary>> SearchAsync(RepoType type, string? owner, string? search, CancellationToken cancellationToken)
    {
        var subject = new RequestSubject("list the repositories");
        var query = string.Join('&', new[] { ("author", owner), ("search", search) }.Where(q => q.Item2 is not null).Select(q => $"{q.Item1}={Uri.EscapeDataString(q.Item2!)}"));
        var rows = new List<RepoSummary>();
        Uri? address = api.Address($"/api/{(type is RepoType.Model ? "models" : "datasets")}{(query.Length > 0 ? "?" + query : "")}");
        while (address is not null)
        {
            var (json, next) = await api.GetPageAsync(address, subject, cancellationToken).ConfigureAwait(false);
            rows.AddRange(Field(subject, () => json.AsArray().Select(r => new RepoSummary(Text(r, "id"), (bool?)r!["private"] ?? false, Strings(r["tags"]))).ToArray()));
            address = next;
        }

        return rows;
    }

    /// <summary>Reads fields of an answer; a missing one means that it is no Hub's.</summary>
    internal static T Field<T>(RequestSubject subject, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            throw new HubException(HubErrorKind.NotAHub, $"{subject}: the answer lacks a field that a Hub gives ({e.Message.TrimEnd('.')}). Check HF_ENDPOINT.", e) { Repo = subject.Repo, Path = subject.Path, Revision = subject.Revision };
        }
    }

    /// <summary>A required string.</summary>
    internal static string Text(JsonNode? node, string name) =>
        node is JsonObject row && row[name] is JsonValue value && value.TryGetValue(out string? text) ? text : throw new FormatException($"no '{name}'");

    private static TreeEntry Entry(JsonNode? row) => new(
        Text(row, "path"),
        (string?)row!["type"] == "directory",
        (long?)row["size"] ?? 0,
        Text(row, "oid"),
        (string?)row["lfs"]?["oid"]);

    private static RepoReference[] References(JsonNode? rows) =>
        [.. (rows as JsonArray ?? []).Select(r => new RepoReference(Text(r, "name"), Text(r, "targetCommit")))];

    private static string[] Strings(JsonNode? rows) => [.. (rows as JsonArray ?? []).Select(r => r!.GetValue<string>())];
}
