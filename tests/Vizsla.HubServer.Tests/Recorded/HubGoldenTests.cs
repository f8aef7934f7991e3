using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Vizsla.Testing.Hub;

namespace Vizsla.HubServer.Tests.Recorded;

/// <summary>Our server answers what real clients were recorded asking: status, the headers that clients read, the shape and values of JSON.</summary>
[Trait("Category", "Golden")]
public sealed class HubGoldenTests
{
    private static readonly string[] Compared = ["ETag", "X-Repo-Commit", "X-Linked-Etag", "X-Linked-Size", "X-Error-Code", "X-Error-Message", "Location", "Link", "Content-Range"];

    // Answers that the recording's server was told to give instead of its own.
    private static readonly Dictionary<string, Func<RecordedExchange, bool>> Injected = new()
    {
        ["the storage answers 403"] = e => Status(e) == 403,
        ["HEAD tells a size of 999, GET gives 3 bytes"] = e => Method(e) == "HEAD",
        ["HEAD without X-Repo-Commit"] = _ => true,
        ["HEAD without ETag"] = _ => true,
        ["a disabled repo (X-Error-Message)"] = _ => true,
        ["upload: LFS batch answers with an error for the object"] = e => PathOf(e).EndsWith("/batch", StringComparison.Ordinal),
        ["upload: LFS verify answers 404"] = e => PathOf(e).EndsWith("/verify", StringComparison.Ordinal),
        ["upload: commit answers 400 with error and errors[]"] = e => PathOf(e).Contains("/commit/", StringComparison.Ordinal),
        ["upload: commit answers 403"] = e => PathOf(e).Contains("/commit/", StringComparison.Ordinal),
        ["hf_hub_download(\"user/old-name\", \"r3.txt\"): the repo was renamed, relative 307"] = e => Status(e) == 307,
        ["a regular file behind a relative 307 to /api/resolve-cache"] = e => Status(e) == 307,
        ["the same size, the connection closes after 15000000, Range is ignored (200)"] = IsRangeIgnored,
        ["24999999 bytes, seven connections close after 12000000, Range is ignored"] = IsRangeIgnored,
        ["push_to_hub while another commit happens (412 once)"] = e => Status(e) == 412,
    };

    private static readonly string[] OfCards = ["cardData", "pipeline_tag", "library_name", "config", "lastModified"];

    public static IEnumerable<TheoryDataRow<string>> Scenarios()
    {
        var folder = Path.Combine(Testing.Golden.Root, "hub");
        var files = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.json").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal) : Enumerable.Empty<string>();
        return files.DefaultIfEmpty("none").Select(f => new TheoryDataRow<string>(f));
    }

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Answers_as_recorded(string file)
    {
        var recording = Recording.Read(Testing.Golden.Require("hub", file));
        await using var run = await ServerRun.StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        var map = new IdMap(run.Hub, run.Storage);
        var faults = new List<string>();

        await Seeds.BeforeAsync(run, recording);
        foreach (var step in recording.Steps)
        {
            await Seeds.BeforeAsync(run, recording, step);
            if (step.Exchanges.FirstOrDefault(e => Status(e) == 307)?.Response["headers"]!["X-Repo-Commit"] is { } commit)
            {
                map.Learn((string)commit!, (await run.Client.RepoInfoAsync(Seeds.Files)).Commit);
            }

            foreach (var exchange in step.Exchanges.Where(e => !IsInjected(step, e)))
            {
                faults.AddRange((await ReplayAsync(run, http, map, exchange)).Select(f => $"{step.Call}\n  {exchange.Key}\n    {f}"));
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} differences in {file}:\n" + string.Join("\n", faults));
    }

    private static async Task<IReadOnlyList<string>> ReplayAsync(ServerRun run, HttpClient http, IdMap map, RecordedExchange exchange)
    {
        var type = (string?)exchange.Request["headers"]!["content-type"];
        if (KnownContents.Body(exchange.Request["body"], type, map.Translate) is not { } body)
        {
            // Nobody has the bytes of this upload; the storage is told that it has them.
            await run.PretendAsync(PathOf(exchange)[^64..], (long)exchange.Request["body"]!["bytes"]!);
            return [];
        }

        using var message = new HttpRequestMessage(new HttpMethod(Method(exchange)), map.AddressOf((string?)exchange.Request["host"] == "cdn", PathOf(exchange), (string?)exchange.Request["query"]));
        foreach (var (name, value) in exchange.Request["headers"]!.AsObject().Where(h => h.Key is not ("content-type" or "content-length" or "transfer-encoding")))
        {
            message.Headers.TryAddWithoutValidation(name, (string)value!);
        }

        if (body.Length > 0)
        {
            message.Content = new ByteArrayContent(body);
            message.Content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        }

        if (IsOfUnknownBytes(exchange))
        {
            return [];
        }

        using var response = await http.SendAsync(message);
        return [.. Differences(exchange, response, await response.Content.ReadAsByteArrayAsync(), map)];
    }

    private static IEnumerable<string> Differences(RecordedExchange exchange, HttpResponseMessage response, byte[] body, IdMap map)
    {
        if ((int)response.StatusCode != Status(exchange))
        {
            yield return $"status {(int)response.StatusCode}, recorded {Status(exchange)}: {System.Text.Encoding.UTF8.GetString(body)}";
            yield break;
        }

        var headers = exchange.Response["headers"]!.AsObject().ToDictionary(h => h.Key, h => (string)h.Value!, StringComparer.OrdinalIgnoreCase);
        foreach (var name in Compared)
        {
            var recorded = headers.GetValueOrDefault(name);
            var own = response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values) ? string.Join(", ", values) : null;
            // A link is an address in angle brackets with its relation; an ETag is an id in quotes.
            // The recording's clients were told to take any 401 for an absent repository; others look for the code.
            if (recorded is null && name == "X-Error-Code" && own == "RepoNotFound" && Status(exchange) == 401)
            {
                continue;
            }

            if ((recorded is null) != (own is null) || (recorded is not null && map.Learn(recorded.Trim('"', '<'), own!.Trim('"', '<')) is { } fault))
            {
                yield return $"{name}: '{own}', recorded '{recorded}'";
            }
        }

        switch (exchange.Response["body"])
        {
            case JsonObject json when json["json"] is { } recorded:
                foreach (var difference in Compare(recorded, body.Length == 0 ? null : JsonNode.Parse(body), "$", map))
                {
                    yield return difference;
                }

                break;
            case JsonObject summary when summary["sha256"] is { } hash:
                if (Convert.ToHexStringLower(SHA256.HashData(body)) != (string)hash!)
                {
                    yield return $"{body.Length} bytes of another hash, recorded {summary["bytes"]}";
                }

                break;
        }
    }

    private static IEnumerable<string> Compare(JsonNode? recorded, JsonNode? own, string at, IdMap map)
    {
        switch (recorded, own)
        {
            case (JsonObject theirs, JsonObject ours):
                // The recording's server read no cards.
                if (!theirs.Select(p => p.Key).Order().SequenceEqual(ours.Select(p => p.Key).Where(k => !OfCards.Contains(k) || theirs.ContainsKey(k)).Order()))
                {
                    return [$"{at}: {string.Join(",", ours.Select(p => p.Key))}, recorded {string.Join(",", theirs.Select(p => p.Key))}"];
                }

                // A folder's id is a hash of another kind on the recording's server.
                return theirs.Where(p => p.Key != "oid" || (string?)theirs["type"] != "directory").SelectMany(p => Compare(p.Value, ours[p.Key], $"{at}.{p.Key}", map));
            case (JsonArray theirs, JsonArray ours) when at.EndsWith(".tags", StringComparison.Ordinal) && theirs.All(t => t is JsonValue):
                return theirs.Select(t => t!.ToString()).Except(ours.Select(t => t!.ToString())).Select(t => $"{at}: lacks {t}");
            case (JsonArray theirs, JsonArray ours):
                return theirs.Count == ours.Count
                    ? theirs.Zip(ours).SelectMany((pair, i) => Compare(pair.First, pair.Second, $"{at}[{i}]", map))
                    : [$"{at}: {ours.Count} rows, recorded {theirs.Count}"];
            case (JsonValue theirs, JsonValue ours) when theirs.TryGetValue(out string? theirText) && ours.TryGetValue(out string? ourText):
                return map.Learn(theirText, ourText) is { } fault ? [$"{at}: {fault}"] : [];
            default:
                return JsonNode.DeepEquals(recorded, own) ? [] : [$"{at}: {own?.ToJsonString()}, recorded {recorded?.ToJsonString()}"];
        }
    }

    private static bool IsInjected(RecordedStep step, RecordedExchange exchange) =>
        Status(exchange) is 413 or 422 or 429 or >= 500 || (Injected.TryGetValue(step.Call, out var isInjected) && isInjected(exchange));

    // Large files that were only made believe have no bytes to compare.
    private static bool IsOfUnknownBytes(RecordedExchange exchange) =>
        Method(exchange) == "GET" && (string?)exchange.Request["host"] == "cdn" && exchange.Response["body"]?["sha256"] is { } hash
            && KnownContents.Find(PathOf(exchange)[^64..]) is null && (long)exchange.Response["body"]!["bytes"]! < 20_000_000 && KnownContents.Find((string)hash!) is null;

    private static bool IsRangeIgnored(RecordedExchange exchange) => exchange.Request["headers"]!["range"] is not null && Status(exchange) == 200;

    private static int Status(RecordedExchange exchange) => (int)exchange.Response["status"]!;

    private static string Method(RecordedExchange exchange) => (string)exchange.Request["method"]!;

    private static string PathOf(RecordedExchange exchange) => (string)exchange.Request["path"]!;
}
