using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Vizsla.Hub.Transfers;

/// <summary>Sends large files to the storage: whole, or in the parts that the server asks for.</summary>
/// <remarks>Source: git-lfs batch API; huggingface_hub <c>lfs.py</c>. The storage and the end of a multipart upload see no token; verify does.</remarks>
internal sealed class LargeFileUpload(HubApi api)
{
    private const int ObjectsPerRequest = 256;
    private const string MediaType = "application/vnd.git-lfs+json";

    /// <summary>Sends those files that the storage lacks.</summary>
    public async Task SendAsync(RepoId repo, IReadOnlyList<PreparedFile> files, CommitOptions options, CancellationToken cancellationToken)
    {
        foreach (var chunk in files.DistinctBy(f => f.Oid).Chunk(ObjectsPerRequest))
        {
            var actions = await BatchAsync(repo, chunk, options, cancellationToken).ConfigureAwait(false);
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, options.MaxWorkers), CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(chunk, parallel, async (file, token) =>
            {
                if (actions.TryGetValue(file.Oid, out var action) && action["upload"] is JsonObject upload)
                {
                    await SendAsync(repo, file, upload, options, token).ConfigureAwait(false);
                    await VerifyAsync(repo, file, action["verify"], options, token).ConfigureAwait(false);
                }

                options.Progress?.Report(new(file.Source.Path, file.Size, file.Size));
            }).ConfigureAwait(false);
        }
    }

    private async Task<Dictionary<string, JsonObject>> BatchAsync(RepoId repo, PreparedFile[] files, CommitOptions options, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["operation"] = "upload",
            ["transfers"] = new JsonArray("basic", "multipart"),
            ["objects"] = new JsonArray([.. files.Select(f => new JsonObject { ["oid"] = f.Oid, ["size"] = f.Size })]),
            ["hash_algo"] = "sha256",
            ["ref"] = new JsonObject { ["name"] = options.Revision },
        };
        var subject = new RequestSubject("send large files to", repo, null, options.Revision);
        using var response = await api.Http.SendAsync(
            () => new HubRequest(HttpMethod.Post, api.Address($"/{repo.UrlPrefix}{repo.Id}.git/info/lfs/objects/batch")) { Content = () => HubApi.Json(body, MediaType), Accept = MediaType },
            subject, RetryPolicy.Repeatable, cancellationToken).ConfigureAwait(false);
        var answer = await api.ReadAsync(response, subject, cancellationToken).ConfigureAwait(false);
        return Listing.Field(subject, () =>
        {
            var objects = (answer["objects"] as JsonArray ?? throw new FormatException("no 'objects'")).Select(o => o!.AsObject()).ToList();
            if (objects.FirstOrDefault(o => o["error"] is not null) is { } refused)
            {
                var path = files.FirstOrDefault(f => f.Oid == (string?)refused["oid"])?.Source.Path;
                var said = (string?)refused["error"]!["message"];
                throw new HubException(HubErrorKind.Other, $"{subject with { Path = path }}: the storage refuses it: {said?.TrimEnd('.')}. Nothing was committed.") { Repo = repo, Path = path, Revision = options.Revision };
            }

            return objects.Where(o => o["actions"] is JsonObject).ToDictionary(o => Listing.Text(o, "oid"), o => o["actions"]!.AsObject());
        });
    }

    private async Task SendAsync(RepoId repo, PreparedFile file, JsonObject upload, CommitOptions options, CancellationToken cancellationToken)
    {
        var subject = new RequestSubject("send", repo, file.Source.Path, options.Revision);
        var target = Listing.Field(subject, () => new Uri(Listing.Text(upload, "href")));
        if (upload["header"]?["chunk_size"] is JsonValue size)
        {
            await SendPartsAsync(file, subject, target, upload["header"]!.AsObject(), long.Parse(size.ToString(), CultureInfo.InvariantCulture), options, cancellationToken).ConfigureAwait(false);
            return;
        }

        using var response = await PutAsync(target, file, 0, file.Size, subject, options, cancellationToken).ConfigureAwait(false);
    }

    private async Task SendPartsAsync(PreparedFile file, RequestSubject subject, Uri complete, JsonObject header, long partSize, CommitOptions options, CancellationToken cancellationToken)
    {
        var targets = Listing.Field(subject, () => header.Where(h => h.Key.All(char.IsAsciiDigit))
            .OrderBy(h => int.Parse(h.Key, CultureInfo.InvariantCulture)).Select(h => new Uri((string)h.Value!)).ToArray());
        var expected = (file.Size + partSize - 1) / partSize;
        if (targets.Length != expected)
        {
            throw new HubException(HubErrorKind.NotAHub, $"{subject}: the server offers {targets.Length} parts of {partSize} bytes for {file.Size} bytes, {expected} are needed. Report it to the Hub's operator.") { Repo = subject.Repo, Path = subject.Path, Revision = subject.Revision };
        }

        var tags = new string[targets.Length];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, options.MaxWorkers), CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, targets.Length, parallel, async (i, token) =>
        {
            var from = i * partSize;
            using var response = await PutAsync(targets[i], file, from, Math.Min(partSize, file.Size - from), subject, options, token).ConfigureAwait(false);
            tags[i] = HubErrors.Header(response, "ETag") ?? throw new HubException(HubErrorKind.NotAHub, $"{subject}: the storage gave no ETag for part {i + 1}. Report it to the Hub's operator.") { Repo = subject.Repo, Path = subject.Path, Revision = subject.Revision };
        }).ConfigureAwait(false);

        var body = new JsonObject
        {
            ["oid"] = file.Oid,
            ["parts"] = new JsonArray([.. tags.Select((tag, i) => new JsonObject { ["partNumber"] = i + 1, ["etag"] = tag })]),
        };
        using var done = await api.Http.SendAsync(
            () => new HubRequest(HttpMethod.Post, complete) { Content = () => HubApi.Json(body, MediaType), Accept = MediaType, Authorize = false },
            subject, RetryPolicy.Repeatable, cancellationToken).ConfigureAwait(false);
    }

    private Task<HttpResponseMessage> PutAsync(Uri target, PreparedFile file, long from, long count, RequestSubject subject, CommitOptions options, CancellationToken cancellationToken) =>
        api.Http.SendAsync(
            () => new HubRequest(HttpMethod.Put, target)
            {
                Content = () => new SliceContent(file.Source, from, count, options.Progress is { } progress ? sent => progress.Report(new(file.Source.Path, from + sent, file.Size)) : null),
                Authorize = false,
                Timeout = Timeout.InfiniteTimeSpan,
            },
            subject, RetryPolicy.Repeatable, cancellationToken);

    private async Task VerifyAsync(RepoId repo, PreparedFile file, JsonNode? verify, CommitOptions options, CancellationToken cancellationToken)
    {
        if (verify is null)
        {
            return;
        }

        var subject = new RequestSubject("verify", repo, file.Source.Path, options.Revision);
        var address = Listing.Field(subject, () => new Uri(Listing.Text(verify, "href")));
        await api.SendAsync(HttpMethod.Post, address, () => HubApi.Json(new JsonObject { ["oid"] = file.Oid, ["size"] = file.Size }), subject, RetryPolicy.Repeatable, cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>A range of a file as a request's body; opened anew for each attempt.</summary>
/// <param name="source">The file.</param>
/// <param name="from">First byte.</param>
/// <param name="count">Bytes.</param>
/// <param name="sent">Receives the number of bytes sent; null reports nothing.</param>
internal sealed class SliceContent(CommitAdd source, long from, long count, Action<long>? sent) : HttpContent
{
    private const int BufferSize = 128 * 1024;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var input = source.Open();
        await using (input.ConfigureAwait(false))
        {
            input.Position = from;
            var buffer = new byte[BufferSize];
            for (var done = 0L; done < count;)
            {
                var read = await input.ReadAsync(buffer.AsMemory(0, (int)Math.Min(BufferSize, count - done)), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    throw new IOException($"'{source.File ?? source.Path}' has become shorter while it was sent. Send it again when nothing writes to it.");
                }

                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                done += read;
                sent?.Invoke(done);
            }
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = count;
        return true;
    }
}
