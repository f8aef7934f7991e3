using Vizsla.Testing.Hub;

namespace Vizsla.Hub.Tests.Recorded;

/// <summary>What the calls of <c>download</c> and <c>snapshot</c> mean in C#.</summary>
internal static class DownloadCalls
{
    private static readonly RepoId Files = RepoId.Model("user/files");
    private static readonly RepoId Data = RepoId.Dataset("user/data");
    private static readonly RepoId Snap = RepoId.Model("user/snap");

    public static Dictionary<string, Func<ClientRun, Task<object?>>> Download { get; } = new()
    {
        ["hf_hub_download(\"user/files\", \"config.json\"): fresh"] = Get("config.json"),
        ["the same again: HEAD only"] = Get("config.json"),
        ["\"model.safetensors\": LFS, redirected to another origin"] = Get("model.safetensors"),
        ["\"model.safetensors\" again"] = Get("model.safetensors"),
        ["subfolder=\"sub/dir\", filename=\"notes é.txt\""] = Get("sub/dir/notes é.txt"),
        ["\"a#b%c?.txt\": odd characters"] = Get("a#b%c?.txt"),
        ["\"empty.txt\": an empty file"] = Get("empty.txt"),
        ["revision=\"<commit>\", cached"] = Get("config.json", r => r.FirstCommit),
        ["revision=\"<commit>\", big.txt not cached"] = Get("big.txt", r => r.FirstCommit),
        ["revision=\"<first 7 of commit>\""] = Get("config.json", r => r.FirstCommit[..7]),
        ["after a new commit that changes config.json"] = Get("config.json"),
        ["model.safetensors after that commit: same etag, blob reused"] = Get("model.safetensors"),
        ["revision=\"v1\" (a tag of the first commit)"] = Get("config.json", _ => "v1"),
        ["revision=\"dev/one\" (a branch with a slash)"] = Get("config.json", _ => "dev/one"),
        ["revision=\"refs/pr/1\""] = Get("config.json", _ => "refs/pr/1"),
        ["\"absent.json\": EntryNotFound"] = Get("absent.json"),
        ["\"absent.json\" again"] = Get("absent.json"),
        ["try_to_load_from_cache of a cached, a known absent, an unknown file"] = Cached,
        ["local_files_only=True, cached"] = Get("config.json", options: new() { LocalFilesOnly = true }),
        ["local_files_only=True, not cached"] = Get("never.json", options: new() { LocalFilesOnly = true }),
        ["force_download=True"] = Get("config.json", options: new() { Force = true }),
        ["HF_HUB_OFFLINE=1, cached"] = Offline("config.json"),
        ["HF_HUB_OFFLINE=1, not cached"] = Offline("never.json"),
        ["TRANSFORMERS_OFFLINE=1, known absent"] = Offline("absent.json"),
        ["the server is gone (HF_ENDPOINT of a closed port), cached"] = Gone("config.json"),
        ["the server is gone, not cached"] = Gone("never.json"),
        ["the connection closes after 50000 of 120000 bytes, once; the storage honours Range"] = Get("cut1.bin"),
        ["the same, the storage ignores Range (200)"] = Get("cut2.bin"),
        ["the connection always closes after 20000 bytes and Range is ignored"] = Get("cut3.bin"),
        ["the next call, in a new process"] = Get("cut3.bin"),
        ["the connection closes after 30000 bytes of every answer, Range is honoured"] = Get("cut4.bin"),
        ["25000000 bytes, the connection closes after 15000000, Range is honoured"] = Get("large.bin"),
        ["the same size, the connection closes after 15000000, Range is ignored (200)"] = Get("large2.bin"),
        ["24999999 bytes, seven connections close after 12000000, Range is ignored"] = Get("large3.bin"),
        ["a regular file behind a relative 307 to /api/resolve-cache"] = Get("r1.txt"),
        ["the server gzips text answers without Content-Length when it may"] = Get("r2.txt"),
        ["hf_hub_download(\"user/old-name\", \"r3.txt\"): the repo was renamed, relative 307"] = async r => await r.Client.DownloadFileAsync(RepoId.Model("user/old-name"), "r3.txt"),
        ["repo_type=\"dataset\", \"train.csv\""] = async r => await r.Client.DownloadFileAsync(Data, "train.csv"),
        ["repo_type=\"dataset\", \"x.parquet\""] = async r => await r.Client.DownloadFileAsync(Data, "x.parquet"),
        ["HF_HUB_DISABLE_SYMLINKS=1, cache_dir=\"<tmp>/flat\": two files"] = Flat,
        ["local_dir=\"<tmp>/local\", config.json: fresh"] = Local("config.json"),
        ["the same again"] = Local("config.json"),
        ["local_dir, \"sub/dir/notes é.txt\""] = Local("sub/dir/notes é.txt"),
        ["local_dir, model.safetensors"] = Local("model.safetensors"),
        ["local_dir, model.safetensors present without its .metadata: hashed, not fetched"] = LocalWithoutMetadata,
        ["local_dir, config.json edited after its .metadata was written"] = LocalEdited,
        ["local_dir, after a new commit that changes config.json"] = Local("config.json"),
        ["local_dir, revision=<that first commit>"] = Local("config.json", r => r.FirstCommit),
        ["local_dir, HF_HUB_OFFLINE=1"] = async r => await r.With(o => o with { Offline = true }).DownloadFileAsync(Files, "config.json", options: new() { LocalDirectory = Path.Combine(r.Folder, "local") }),
        ["local_dir of a file that is in the cache already"] = LocalFromCache,
    };

    public static Dictionary<string, Func<ClientRun, Task<object?>>> Snapshot { get; } = new()
    {
        ["snapshot_download(\"user/snap\", allow_patterns=[\"*.json\"])"] = Take(new() { AllowPatterns = ["*.json"] }),
        ["snapshot_download(allow_patterns=\"*.json\", ignore_patterns=\"pre*\")"] = Take(new() { AllowPatterns = ["*.json"], IgnorePatterns = ["pre*"] }),
        ["snapshot_download(allow_patterns=[\"logs/\"])"] = Take(new() { AllowPatterns = ["logs/"] }),
        ["snapshot_download(allow_patterns=\"nothing*\")"] = Take(new() { AllowPatterns = ["nothing*"] }),
        ["HF_HUB_OFFLINE=1, everything asked for while only a part is cached"] = Take(new(), change: o => o with { Offline = true }),
        ["HF_HUB_OFFLINE=1, allow_patterns='*.json'"] = Take(new() { AllowPatterns = ["*.json"] }, change: o => o with { Offline = true }),
        ["snapshot_download(ignore_patterns=[\"*.bin\", \"logs/*\"])"] = Take(new() { IgnorePatterns = ["*.bin", "logs/*"] }),
        ["snapshot_download() of all"] = Take(new()),
        ["snapshot_download() again: nothing new"] = Take(new()),
        ["after a commit that changes config.json and adds new.txt; the listing comes in pages of 3"] = Take(new() { MaxWorkers = 1 }),
        ["revision=<first commit>, all cached"] = Take(new(), r => r.FirstCommit),
        ["local_dir=\"<tmp>/snap\", allow_patterns=\"*.json\""] = TakeLocal,
        ["local_dir again"] = TakeLocal,
        ["local_files_only=True"] = Take(new() { LocalFilesOnly = true }),
        ["local_files_only=True, a repo that is not cached"] = async r => await r.Client.SnapshotDownloadAsync(RepoId.Model("user/none"), options: new() { LocalFilesOnly = true }),
        ["HF_HUB_OFFLINE=1"] = Take(new(), change: o => o with { Offline = true }),
        ["a repo that is absent"] = async r => await r.Client.SnapshotDownloadAsync(RepoId.Model("user/none")),
        ["a revision that is absent"] = Take(new(), _ => "absent"),
        ["the server is gone, cached"] = Take(new(), change: o => o with { Endpoint = new Uri("http://127.0.0.1:9") }),
    };

    private static Func<ClientRun, Task<object?>> Get(string path, Func<ClientRun, string>? revision = null, DownloadOptions? options = null) =>
        async r => await r.Client.DownloadFileAsync(Files, path, revision?.Invoke(r), options);

    private static Func<ClientRun, Task<object?>> Offline(string path) =>
        async r => await r.With(o => o with { Offline = true }).DownloadFileAsync(Files, path);

    private static Func<ClientRun, Task<object?>> Gone(string path) =>
        async r => await r.With(o => o with { Endpoint = new Uri("http://127.0.0.1:9") }).DownloadFileAsync(Files, path);

    private static Func<ClientRun, Task<object?>> Local(string path, Func<ClientRun, string>? revision = null) =>
        async r => await r.With(o => o with { CacheDirectory = Path.Combine(r.Folder, "other-cache") })
            .DownloadFileAsync(Files, path, revision?.Invoke(r), new() { LocalDirectory = Path.Combine(r.Folder, "local") });

    private static Task<object?> Cached(ClientRun run)
    {
        var (found, absent, unknown) = (run.Client.CachedFile(Files, "config.json"), run.Client.CachedFile(Files, "absent.json"), run.Client.CachedFile(Files, "never.json"));
        Assert.True(absent is { Path: null, IsKnownAbsent: true });
        Assert.True(unknown is { Path: null, IsKnownAbsent: false });
        return Task.FromResult<object?>(new[] { found.Path, "<object object at 0x…>", "None" });
    }

    private static async Task<object?> Flat(ClientRun run)
    {
        var client = run.With(o => o with { DisableSymlinks = true, CacheDirectory = Path.Combine(run.Folder, "flat") });
        await client.DownloadFileAsync(Files, "config.json");
        return await client.DownloadFileAsync(Files, "model.safetensors");
    }

    private static Task<object?> LocalWithoutMetadata(ClientRun run)
    {
        File.Delete(Path.Combine(run.Folder, "local/.cache/huggingface/download/model.safetensors.metadata"));
        return Local("model.safetensors")(run);
    }

    private static Task<object?> LocalEdited(ClientRun run)
    {
        var file = Path.Combine(run.Folder, "local/config.json");
        File.WriteAllText(file, "changed here");
        File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch.AddSeconds(2e9));
        return Local("config.json")(run);
    }

    // The file went into the cache before the step: its HEAD and GET are not part of it.
    private static async Task<object?> LocalFromCache(ClientRun run)
    {
        var commit = (string)run.Recording.Steps[^1].Exchanges[0].Response["headers"]!["X-Repo-Commit"]!;
        run.Write($"hf/hub/models--user--files/snapshots/{commit}/model.safetensors", Noise.Make(200_000, "one"));
        return await run.Client.DownloadFileAsync(Files, "model.safetensors", options: new() { LocalDirectory = Path.Combine(run.Folder, "local2") });
    }

    private static Func<ClientRun, Task<object?>> Take(SnapshotOptions options, Func<ClientRun, string>? revision = null, Func<HubOptions, HubOptions>? change = null) =>
        async r => await r.With(change).SnapshotDownloadAsync(Snap, revision?.Invoke(r), options);

    private static async Task<object?> TakeLocal(ClientRun run) =>
        await run.Client.SnapshotDownloadAsync(Snap, options: new() { AllowPatterns = ["*.json"], LocalDirectory = Path.Combine(run.Folder, "snap") });
}
