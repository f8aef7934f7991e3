using Vizsla.Testing.Hub;

namespace Vizsla.Hub.Tests.Recorded;

/// <summary>What the calls of <c>upload</c> mean in C#.</summary>
internal static class UploadCalls
{
    private const string Metadata = "---\nlicense: mit\ntags:\n- image-classification\n---\n# First\n";

    private static readonly RepoId First = RepoId.Model("user/first");
    private static readonly RepoId Secret = RepoId.Model("user/secret");
    private static readonly RepoId Moved = RepoId.Model("user/moved");

    public static Dictionary<string, Func<ClientRun, Task<object?>>> All { get; } = new()
    {
        ["HfApi().whoami()"] = async r => { Assert.Equal(new("user", "User", "write", []), (await r.Client.WhoAmIAsync()) with { Organizations = [] }); return null; },
        ["create_repo(\"user/first\")"] = Create(First),
        ["create_repo(\"user/first\") again"] = Create(First),
        ["create_repo(\"user/first\", exist_ok=True)"] = Create(First, existOk: true),
        ["create_repo(\"first\", exist_ok=True), no namespace"] = Create(RepoId.Model("first"), existOk: true),
        ["create_repo(\"user/secret\", private=True)"] = Create(Secret, isPrivate: true),
        ["create_repo(\"user/secret\", private=False, exist_ok=True), exists as private"] = Create(Secret, isPrivate: false, existOk: true),
        ["create_repo(\"user/data\", repo_type=\"dataset\", private=True)"] = Create(RepoId.Dataset("user/data"), isPrivate: true),
        ["create_repo(\"elsewhere/x\", exist_ok=True), a namespace of others"] = Create(RepoId.Model("elsewhere/x"), existOk: true),
        ["upload_file(path_or_fileobj=b\"hello\\n\", path_in_repo=\"notes/hello.txt\", repo_id=\"user/first\")"] = Put("notes/hello.txt", "hello\n"),
        ["the same upload_file again: nothing changed"] = Put("notes/hello.txt", "hello\n"),
        ["upload_file(commit_message=\"Two\", commit_description=\"More\\nwords\")"] = Commit(_ => [new CommitAdd("notes/hello.txt", Contents.Text("hello 2\n"))], "Two", new() { Description = "More\nwords" }),
        ["upload_file of README.md with metadata"] = Put("README.md", Metadata),
        ["upload_file of README.md without metadata (the server warns)"] = Put("README.md", "# First, no metadata\n"),
        ["upload_file of README.md with a wrong licence (the server refuses)"] = Put("README.md", "---\nlicense: nonsense\n---\n# First\n"),
        ["upload_folder: small.txt, sub/deep file é.txt, .hidden, empty.txt, empty.safetensors, large one.dat of 10 MiB + 100 (LFS by size; the server adds a .gitattributes line), .git/ and .cache/huggingface/ on disk"] = UploadFolder,
        ["the same upload_folder again"] = Folder("up", new()),
        ["upload_folder(path_in_repo=\"runs/1\", allow_patterns=[\"*.json\", \"*.txt\", \"logs/\"], ignore_patterns=\"b*\", delete_patterns=\"*.txt\")"] = UploadRuns,
        ["upload_folder(path_in_repo=\"runs/1\", delete_patterns=[\"*.json\", \"logs/*\"]): a.json is present and changed"] = UploadRunsAgain,
        ["upload_folder with a .gitignore (*.tmp, logs/)"] = UploadWithIgnore,
        ["upload_file of noise(3000, \"w\") as model.safetensors (LFS by name)"] = Put("model.safetensors", Noise.Make(3000, "w")),
        ["the same bytes as copy.safetensors: storage has them already"] = Put("copy.safetensors", Noise.Make(3000, "w")),
        ["the same model.safetensors again: nothing changed"] = Put("model.safetensors", Noise.Make(3000, "w")),
        ["upload_file of another .safetensors, the server gives no verify action"] = Put("v.safetensors", Noise.Make(2000, "v")),
        ["upload_file of noise(250000, \"m\") as many.safetensors, multipart in chunks of 100000"] = Put("many.safetensors", Noise.Make(250_000, "m")),
        ["create_commit with two LFS files, one below and one above the chunk size"] = Commit(_ => [new CommitAdd("p/one.bin", Noise.Make(500, "one")), new CommitAdd("p/two.bin", Noise.Make(100_001, "two"))], "Both"),
        ["create_commit: add a file from a path, delete a file and a folder, copy an LFS and a regular file"] = Commit(
            r => [new CommitAdd("new.txt", Path.Combine(r.Folder, "two/b.txt")), new CommitDelete("copy.safetensors"), new CommitDelete("p/"), new CommitCopy("model.safetensors", "models/again.safetensors"), new CommitCopy("notes/hello.txt", "notes/again.txt")], "Mixed"),
        ["delete_file(\"new.txt\")"] = Commit(_ => [new CommitDelete("new.txt")], "Delete new.txt with huggingface_hub"),
        ["delete_folder(\"sub\")"] = Commit(_ => [new CommitDelete("sub") { IsFolder = true }], "Delete folder sub with huggingface_hub"),
        ["delete_file(\"absent.txt\")"] = Commit(_ => [new CommitDelete("absent.txt")], "Delete absent.txt with huggingface_hub"),
        ["create_commit with no operations"] = Commit(_ => [], "None"),
        ["create_commit(parent_commit=\"0\"*40)"] = Commit(_ => [new CommitAdd("x.txt", "x"u8.ToArray())], "Stale", new() { ParentCommit = new string('0', 40) }),
        ["create_commit(create_pr=True)"] = Commit(_ => [new CommitAdd("x.txt", "x"u8.ToArray())], "As PR", new() { CreatePullRequest = true }),
        ["create_branch(\"user/first\", branch=\"dev/one\")"] = Do(r => r.Client.CreateBranchAsync(First, "dev/one")),
        ["create_branch again"] = Do(r => r.Client.CreateBranchAsync(First, "dev/one")),
        ["create_branch(exist_ok=True)"] = Do(r => r.Client.CreateBranchAsync(First, "dev/one", existOk: true)),
        ["create_branch(branch=\"old\", revision=\"<commit>\")"] = Do(r => r.Client.CreateBranchAsync(First, "old", (string)r.Recording.Steps.First(s => s.Call.Contains("branch=\"old\"", StringComparison.Ordinal)).Exchanges[0].Request["body"]!["json"]!["startingPoint"]!)),
        ["upload_file(revision=\"dev/one\")"] = Put("dev.txt", "on dev\n", new() { Revision = "dev/one" }),
        ["upload_file(revision=\"absent\")"] = Put("x.txt", "x\n", new() { Revision = "absent" }),
        ["create_tag(\"user/first\", tag=\"v1.0\", tag_message=\"First\")"] = Do(r => r.Client.CreateTagAsync(First, "v1.0", message: "First")),
        ["create_tag(tag=\"v1.0\") again"] = Do(r => r.Client.CreateTagAsync(First, "v1.0")),
        ["create_tag(tag=\"v1.1\", revision=\"dev/one\", exist_ok=True)"] = Do(r => r.Client.CreateTagAsync(First, "v1.1", "dev/one", existOk: true)),
        ["list_repo_refs(\"user/first\")"] = async r => await r.Client.ListReferencesAsync(First) is var refs ? new[] { refs.Branches.Select(b => b.Name).ToArray(), [.. refs.Tags.Select(t => t.Name)] } : null,
        ["delete_branch(\"old\")"] = Do(r => r.Client.DeleteBranchAsync(First, "old")),
        ["delete_tag(\"v1.1\")"] = Do(r => r.Client.DeleteTagAsync(First, "v1.1")),
        ["list_repo_commits(\"user/first\")"] = async r => (await r.Client.ListCommitsAsync(First)).Select(c => c.Title).ToArray(),
        ["list_repo_files(\"user/first\")"] = async r => await r.Client.ListTreeAsync(First).Where(e => !e.IsFolder).Select(e => e.Path).ToArrayAsync(),
        ["list_repo_tree(\"user/first\", recursive=True), pages of 4"] = async r => await r.Client.ListTreeAsync(First).Select(e => e.Path).ToArrayAsync(),
        ["get_paths_info(\"user/first\", [\"notes\", \"model.safetensors\", \"absent\"])"] = async r => (await r.Client.PathsInfoAsync(First, ["notes", "model.safetensors", "absent"])).Select(e => $"{(e.IsFolder ? "RepoFolder" : "RepoFile")} {e.Path}").ToArray(),
        ["model_info(\"user/first\")"] = async r => await r.Client.RepoInfoAsync(First) is var info ? new { sha = info.Commit, @private = info.IsPrivate, siblings = info.Files } : null,
        ["dataset_info(\"user/data\")"] = async r => (await r.Client.RepoInfoAsync(RepoId.Dataset("user/data"))).Commit,
        ["repo_exists(\"user/first\"), (\"user/none\")"] = async r => new[] { await r.Client.RepoExistsAsync(First), await r.Client.RepoExistsAsync(RepoId.Model("user/none")) },
        ["revision_exists(\"user/first\", \"v1.0\"), \"v9\""] = async r => new[] { await r.Client.RevisionExistsAsync(First, "v1.0"), await r.Client.RevisionExistsAsync(First, "v9") },
        ["file_exists(\"user/first\", \"README.md\"), \"absent\""] = async r => new[] { await r.Client.FileExistsAsync(First, "README.md"), await r.Client.FileExistsAsync(First, "absent") },
        ["update_repo_settings(\"user/first\", private=True)"] = Do(r => r.Client.SetVisibilityAsync(First, isPrivate: true)),
        ["list_models(author=\"user\", search=\"fir\")"] = async r => (await r.Client.ListReposAsync(RepoType.Model, "user", "fir")).Select(m => m.Id).ToArray(),
        ["move_repo(\"user/secret\", \"user/moved\")"] = Do(r => r.Client.MoveRepoAsync(Secret, Moved)),
        ["upload_file(token=\"hf_reader\"): a token without write access"] = async r => await r.With(o => o with { Token = new("hf_reader") }).CommitAsync(First, [new CommitAdd("r.txt", "r"u8.ToArray())], "Upload"),
        ["upload_file(token=False)"] = async r => await r.With(o => o with { Token = null }).CommitAsync(First, [new CommitAdd("r.txt", "r"u8.ToArray())], "Upload"),
        ["upload_file to a repo that is absent"] = async r => await r.Client.CommitAsync(RepoId.Model("user/none"), [new CommitAdd("r.txt", "r"u8.ToArray())], "Upload"),
        ["upload_file(path_in_repo=\".git/config\")"] = Put(".git/config", "r"),
        ["upload_file(path_in_repo=\"../x\")"] = Put("../x", "r"),
        ["delete_repo(\"user/moved\")"] = Do(r => r.Client.DeleteRepoAsync(Moved)),
        ["delete_repo(\"user/moved\", missing_ok=True)"] = Do(r => r.Client.DeleteRepoAsync(Moved, missingOk: true)),
    };

    private static Func<ClientRun, Task<object?>> Do(Func<ClientRun, Task> call) => async r =>
    {
        await call(r);
        return null;
    };

    private static Func<ClientRun, Task<object?>> Create(RepoId repo, bool? isPrivate = null, bool existOk = false) =>
        async r => (await r.Client.CreateRepoAsync(repo, isPrivate, existOk)).ToString();

    private static Func<ClientRun, Task<object?>> Put(string path, string text, CommitOptions? options = null) => Put(path, Contents.Text(text), options);

    private static Func<ClientRun, Task<object?>> Put(string path, byte[] bytes, CommitOptions? options = null) =>
        Commit(_ => [new CommitAdd(path, bytes)], $"Upload {path} with huggingface_hub", options);

    private static Func<ClientRun, Task<object?>> Commit(Func<ClientRun, IReadOnlyList<CommitOperation>> operations, string message, CommitOptions? options = null) =>
        async r => await r.Client.CommitAsync(First, operations(r), message, options);

    private static Func<ClientRun, Task<object?>> Folder(string folder, UploadFolderOptions options) =>
        async r => await r.Client.UploadFolderAsync(First, Path.Combine(r.Folder, folder), options with { Message = "Upload folder using huggingface_hub" });

    private static Task<object?> UploadFolder(ClientRun run)
    {
        run.Write("up/small.txt", Contents.Text("small\n"));
        run.Write("up/sub/deep file é.txt", Contents.Text("deep\n"));
        run.Write("up/large one.dat", Noise.Make((10 * 1024 * 1024) + 100, "large"));
        run.Write("up/.git/config", Contents.Text("x"));
        run.Write("up/.cache/huggingface/x", Contents.Text("x"));
        run.Write("up/.hidden", Contents.Text("h"));
        run.Write("up/empty.txt", []);
        run.Write("up/empty.safetensors", []);
        return Folder("up", new())(run);
    }

    private static Task<object?> UploadRuns(ClientRun run)
    {
        run.Write("two/a.json", Contents.Text("{}"));
        run.Write("two/b.txt", Contents.Text("b"));
        run.Write("two/logs/c.log", Contents.Text("c"));
        run.Write("two/d.tmp", Contents.Text("d"));
        return Folder("two", new() { PathInRepo = "runs/1", AllowPatterns = ["*.json", "*.txt", "logs/"], IgnorePatterns = ["b*"], DeletePatterns = ["*.txt"] })(run);
    }

    private static Task<object?> UploadRunsAgain(ClientRun run)
    {
        run.Write("two/b2.txt", Contents.Text("b2"));
        run.Write("two/a.json", Contents.Text("{\"x\": 1}"));
        File.Delete(Path.Combine(run.Folder, "two/logs/c.log"));
        return Folder("two", new() { PathInRepo = "runs/1", DeletePatterns = ["*.json", "logs/*"] })(run);
    }

    private static Task<object?> UploadWithIgnore(ClientRun run)
    {
        run.Write("two/.gitignore", Contents.Text("*.tmp\nlogs/\n"));
        return Folder("two", new())(run);
    }
}
