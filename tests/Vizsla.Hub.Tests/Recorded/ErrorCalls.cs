using Vizsla.Testing.Hub;

namespace Vizsla.Hub.Tests.Recorded;

/// <summary>What the calls of <c>errors</c> mean in C#.</summary>
internal static class ErrorCalls
{
    private static readonly (string Label, string? Token)[] Askers = [("a token of the owner", "hf_writer"), ("no token", null), ("a token of another user", "hf_other"), ("an invalid token", "hf_wrong")];

    public static Dictionary<string, Func<ClientRun, Task<object?>>> All { get; } = Make();

    private static Dictionary<string, Func<ClientRun, Task<object?>>> Make()
    {
        var calls = new Dictionary<string, Func<ClientRun, Task<object?>>>
        {
            ["a missing file"] = Get("user/open", "absent.bin"),
            ["a missing revision"] = async r => await r.Client.DownloadFileAsync(RepoId.Model("user/open"), "config.json", "absent"),
            ["a missing revision, model_info"] = async r => await r.Client.RepoInfoAsync(RepoId.Model("user/open"), "absent"),
            ["a repo id that is not valid"] = Get("a/b/c"),
            ["a repo id that is not valid: dots"] = Get("user/.."),
            ["HEAD answers 503 twice, nothing cached"] = Get("user/t0"),
            ["HEAD is well, the storage answers 503 twice"] = Get("user/t1", "w.bin"),
            ["HEAD answers 503, the file is cached"] = Cached,
            ["HEAD answers 429 with RateLimit headers, nothing cached"] = Get("user/t3"),
            ["the storage answers 429 with Retry-After once"] = Get("user/t4", "w.bin"),
            ["HEAD answers 500 for ever, nothing cached"] = Get("user/t5"),
            ["the storage answers 403"] = Get("user/t6", "w.bin"),
            ["HEAD tells a size of 999, GET gives 3 bytes"] = Get("user/t7"),
            ["HEAD without X-Repo-Commit"] = Get("user/t8"),
            ["HEAD without ETag"] = Get("user/t9"),
            ["a disabled repo (X-Error-Message)"] = Get("user/t10"),
            ["upload: PUT answers 503 twice"] = Put("u1.bin"),
            ["upload: preupload answers 503 once"] = Put("u2.txt"),
            ["upload: commit answers 503 once"] = Put("u3.txt"),
            ["upload: commit answers 429 once"] = Put("u4.txt"),
            ["upload: LFS batch answers 422"] = Put("u5.bin"),
            ["upload: LFS batch answers with an error for the object"] = Put("u6.bin"),
            ["upload: LFS verify answers 404"] = Put("u7.bin"),
            ["upload: commit answers 413"] = Put("u8.txt"),
            ["upload: commit answers 400 with error and errors[]"] = Put("u9.txt"),
            ["upload: commit answers 403"] = Put("ua.txt"),
        };
        foreach (var (label, token) in Askers)
        {
            HubClient Asker(ClientRun r) => r.With(o => o with { Token = token is null ? null : new HubToken(token), CacheDirectory = Path.Combine(r.Folder, "c-" + label) });
            foreach (var repo in new[] { "user/none", "user/private", "user/gated", "user/open" })
            {
                calls[$"hf_hub_download(\"{repo}\", \"config.json\"), {label}"] = async r => await Asker(r).DownloadFileAsync(RepoId.Model(repo), "config.json") is not null ? "<path>" : null;
            }

            calls[$"model_info(\"user/private\"), {label}"] = async r => (await Asker(r).RepoInfoAsync(RepoId.Model("user/private"))).Id;
            calls[$"whoami(), {label}"] = async r => (await Asker(r).WhoAmIAsync()).Name;
        }

        return calls;
    }

    private static Func<ClientRun, Task<object?>> Get(string repo, string path = "config.json") =>
        async r => await r.Client.DownloadFileAsync(RepoId.Model(repo), path);

    private static Func<ClientRun, Task<object?>> Put(string name) => async r =>
    {
        var bytes = name.EndsWith(".bin", StringComparison.Ordinal) ? Noise.Make(700, name[..2]) : Contents.Text(name[..2]);
        await r.Client.CommitAsync(RepoId.Model("user/t11"), [new CommitAdd(name, bytes)], $"Upload {name} with huggingface_hub");
        return "CommitInfo";
    };

    // The file was cached before the step.
    private static async Task<object?> Cached(ClientRun run)
    {
        var commit = ((string)run.Recording.Steps.First(s => s.Call == "HEAD answers 503, the file is cached").Json["returns"]!).Split('/')[^2];
        run.Write($"hf/hub/models--user--t2/refs/main", Contents.Text(commit));
        run.Write($"hf/hub/models--user--t2/snapshots/{commit}/config.json", Contents.Text("{}\n"));
        return await run.Client.DownloadFileAsync(RepoId.Model("user/t2"), "config.json");
    }
}
