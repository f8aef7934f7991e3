using System.Text;
using System.Text.Json.Nodes;
using Vizsla.Hub;
using Vizsla.Testing;
using Vizsla.Testing.Hub;

namespace Vizsla.HubServer.Tests.Recorded;

/// <summary>What the recording's script did to its server between the calls, by the call that follows.</summary>
internal static class Seeds
{
    /// <summary>The repository of <c>download</c>.</summary>
    public static readonly RepoId Files = RepoId.Model("user/files");
    private static readonly RepoId Snap = RepoId.Model("user/snap");

    private static readonly Dictionary<string, byte[]> Common = new()
    {
        ["config.json"] = "{\"model_type\": \"vit\"}\n"u8.ToArray(),
        ["sub/dir/notes é.txt"] = Encoding.UTF8.GetBytes("notes é\n"),
        ["model.safetensors"] = Noise.Make(200_000, "one"),
        ["empty.txt"] = [],
        ["a#b%c?.txt"] = "odd name\n"u8.ToArray(),
        ["big.txt"] = Lines("a line of text", 3000),
    };

    private static readonly Lazy<byte[]> Large = new(() => Noise.Make(25_000_000, "large"));

    /// <summary>Before the first step of a scenario.</summary>
    public static async Task BeforeAsync(ServerRun run, Recording recording)
    {
        switch ((string)recording.Json["scenario"]!)
        {
            case "download":
                await run.SeedAsync(Files, Common);
                break;
            case "snapshot":
                await run.SeedAsync(Snap, Common.Where(f => f.Key != "a#b%c?.txt").Concat(new Dictionary<string, byte[]>
                {
                    ["model.bin"] = Noise.Make(4000, "bin"),
                    ["logs/a.log"] = "a\n"u8.ToArray(),
                    ["logs/deep/b.log"] = "b\n"u8.ToArray(),
                    ["preprocessor_config.json"] = "{}\n"u8.ToArray(),
                }));
                break;
            case "errors":
                await run.SeedAsync(RepoId.Model("user/open"), Common);
                await run.SeedAsync(RepoId.Model("user/private"), Common, isPrivate: true);
                await run.SeedAsync(RepoId.Model("user/gated"), Common, isGated: true);
                for (var n = 0; n < 12; n++)
                {
                    await run.SeedAsync(RepoId.Model($"user/t{n}"), new Dictionary<string, byte[]> { ["config.json"] = "{}\n"u8.ToArray(), ["w.bin"] = Noise.Make(9000, $"t{n}") });
                }

                break;
            case "from-pretrained":
                await SeedModelsAsync(run);
                break;
            case "datasets-load":
                await SeedDatasetAsync(run, recording);
                break;
        }
    }

    /// <summary>Before a step.</summary>
    public static async Task BeforeAsync(ServerRun run, Recording recording, RecordedStep step)
    {
        run.Options.Verify = step.Call != "upload_file of another .safetensors, the server gives no verify action";
        run.Options.PartSize = step.Call.Contains("multipart in chunks", StringComparison.Ordinal) || step.Call.Contains("below and one above the chunk size", StringComparison.Ordinal) ? 100_000 : null;
        run.Options.PageSize = step.Call.Contains("pages of 4", StringComparison.Ordinal) ? 4 : step.Call.Contains("pages of 3", StringComparison.Ordinal) ? 3 : 1000;
        switch (step.Call)
        {
            case "after a new commit that changes config.json":
                await run.SeedAsync(Files, One("config.json", "{\"model_type\": \"vit\", \"v\": 2}\n"), "Second");
                break;
            case "revision=\"v1\" (a tag of the first commit)":
                await run.Client.CreateTagAsync(Files, "v1", (await run.Client.ListCommitsAsync(Files))[1].Id);
                break;
            case "revision=\"dev/one\" (a branch with a slash)":
                await run.Client.CreateBranchAsync(Files, "dev/one");
                break;
            case "revision=\"refs/pr/1\"":
                await run.PointAsync(Files, "refs/pr/1", (await run.Client.RepoInfoAsync(Files)).Commit);
                break;
            case "the connection closes after 50000 of 120000 bytes, once; the storage honours Range":
                foreach (var name in new[] { "cut1.bin", "cut2.bin", "cut3.bin" })
                {
                    await run.SeedAsync(Files, [KeyValuePair.Create(name, Noise.Make(120_000, name))], name);
                }

                break;
            case "the connection closes after 30000 bytes of every answer, Range is honoured":
                await run.SeedAsync(Files, [KeyValuePair.Create("cut4.bin", Noise.Make(120_000, "cut4.bin"))], "cut4");
                break;
            case "25000000 bytes, the connection closes after 15000000, Range is honoured":
                await run.SeedAsync(Files, [KeyValuePair.Create("large.bin", Large.Value)], "large");
                break;
            case "the same size, the connection closes after 15000000, Range is ignored (200)":
                byte[] reversed = [.. Large.Value];
                Array.Reverse(reversed);
                await run.SeedAsync(Files, [KeyValuePair.Create("large2.bin", reversed)], "large2");
                break;
            case "24999999 bytes, seven connections close after 12000000, Range is ignored":
                await run.SeedAsync(Files, [KeyValuePair.Create("large3.bin", Large.Value[1..])], "large3");
                break;
            case "a regular file behind a relative 307 to /api/resolve-cache":
                await run.SeedAsync(Files, [KeyValuePair.Create("r1.txt", Lines("one", 50)), KeyValuePair.Create("r2.txt", Lines("two", 500))], "r");
                break;
            case "hf_hub_download(\"user/old-name\", \"r3.txt\"): the repo was renamed, relative 307":
                await run.SeedAsync(RepoId.Model("user/renamed"), One("r3.txt", "three\n"));
                break;
            case "repo_type=\"dataset\", \"train.csv\"":
                await run.SeedAsync(RepoId.Dataset("user/data"), [KeyValuePair.Create("train.csv", "a,b\n1,2\n"u8.ToArray()), KeyValuePair.Create("x.parquet", Noise.Make(5000, "p"))]);
                break;
            case "local_dir, after a new commit that changes config.json":
                await run.SeedAsync(Files, One("config.json", "{\"model_type\": \"vit\", \"v\": 3}\n"), "Third");
                break;
            case "after a commit that changes config.json and adds new.txt; the listing comes in pages of 3":
                await run.SeedAsync(Snap, [KeyValuePair.Create("config.json", "{\"v\": 2}\n"u8.ToArray()), KeyValuePair.Create("new.txt", "new\n"u8.ToArray())], "Second");
                break;
            case "push_to_hub to a repo whose README.md has metadata and words of its own":
                await run.SeedAsync(RepoId.Dataset("user/written"), One("README.md", "---\nlicense: cc-by-4.0\ntags:\n- pets\npretty_name: Mes bêtes\n---\n\n# My pets\n\nWords of the author.\n"));
                break;
            case "load_dataset(\"user/folders\"): pictures in class folders, no card":
                await run.SeedAsync(RepoId.Dataset("user/folders"), Pictures());
                break;
            case "load_dataset(\"user/no-card\"): the same parquet files, no README.md":
                await SeedLargeAsync(run, RepoId.Dataset("user/no-card"), Parquet(recording), isPrivate: false);
                break;
        }
    }

    private static async Task SeedModelsAsync(ServerRun run)
    {
        byte[] Read(string model, string name) => File.ReadAllBytes(Golden.Require("vit", model, name));
        IEnumerable<KeyValuePair<string, byte[]>> Of(string model, params string[] names) => names.Select(n => KeyValuePair.Create(n, Read(model, n)));
        IEnumerable<string> Named(string model, Func<string, bool> isWanted) => Directory.GetFiles(Golden.Require("vit", model)).Select(f => Path.GetFileName(f)).Where(isWanted);
        await run.SeedAsync(RepoId.Model("user/vit-pets"), Of("vit-tiny", "config.json", "model.safetensors", "preprocessor_config.json"));
        await run.SeedAsync(RepoId.Model("user/no-processor"), Of("vit-tiny", "config.json", "model.safetensors"));
        await run.SeedAsync(RepoId.Model("user/no-weights"), Of("vit-tiny", "config.json"));
        await run.SeedAsync(RepoId.Model("user/vit-sharded"), Of("vit-sharded", [.. Named("vit-sharded", n => n.StartsWith("model", StringComparison.Ordinal) || n == "config.json")]));
        await run.SeedAsync(RepoId.Model("user/vit-bin"), Of("vit-bin", [.. Named("vit-bin", n => n.EndsWith(".bin", StringComparison.Ordinal) || n == "config.json")]));
    }

    private static async Task SeedDatasetAsync(ServerRun run, Recording recording)
    {
        var card = Directory.GetFiles(Golden.Require("hub", "cards"), $"pets-first.hub-{recording.Client}.md").Single();
        var repo = RepoId.Dataset("user/pets");
        await SeedLargeAsync(run, repo, Parquet(recording), isPrivate: true);
        await run.SeedAsync(repo, [KeyValuePair.Create("README.md", File.ReadAllBytes(card))], isPrivate: true);
    }

    private static async Task SeedLargeAsync(ServerRun run, RepoId repo, IEnumerable<(string Path, string Oid, long Size)> files, bool isPrivate)
    {
        await run.Client.CreateRepoAsync(repo, isPrivate, existOk: true);
        foreach (var (_, oid, size) in files)
        {
            await run.PretendAsync(oid, size);
        }

        await run.Client.CommitAsync(repo, [.. files.Select(f => new CommitLargeFile(f.Path, f.Oid, f.Size))], "Upload files");
    }

    // The recording's own listings say which files there were.
    private static IReadOnlyList<(string Path, string Oid, long Size)> Parquet(Recording recording) => [.. recording.Steps
        .SelectMany(s => s.Exchanges)
        .Select(e => (e.Response["body"] as JsonObject)?["json"])
        .OfType<JsonArray>()
        .SelectMany(rows => rows)
        .Where(row => row is JsonObject && row["lfs"] is not null && ((string)row["path"]!).EndsWith(".parquet", StringComparison.Ordinal))
        .Select(row => ((string)row!["path"]!, (string)row["lfs"]!["oid"]!, (long)row["size"]!))
        .Distinct()];

    private static IEnumerable<KeyValuePair<string, byte[]>> Pictures() =>
        from split in new[] { "train", "test" }
        from name in new[] { "tabby", "chihuahua" }
        from picture in Directory.GetFiles(Golden.RequireData("tiny-imagenet-pets", "validation", name)).Order(StringComparer.Ordinal).Take(2).Select((file, i) => (file, i))
        select KeyValuePair.Create($"{split}/{name}/{picture.i}.jpg", File.ReadAllBytes(picture.file));

    private static KeyValuePair<string, byte[]>[] One(string path, string text) => [KeyValuePair.Create(path, Encoding.UTF8.GetBytes(text))];

    private static byte[] Lines(string line, int count) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(line + "\n", count)));
}
