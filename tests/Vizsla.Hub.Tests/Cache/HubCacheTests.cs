using Vizsla.Hub.Cache;

namespace Vizsla.Hub.Tests.Cache;

public sealed class HubCacheTests : IDisposable
{
    private const string Old = "1111111111111111111111111111111111111111";
    private const string New = "2222222222222222222222222222222222222222";

    private readonly string _folder = Directory.CreateTempSubdirectory("vizsla-cache-").FullName;
    private readonly HubCache _cache;

    public HubCacheTests()
    {
        _cache = new HubCache(HubOptions.FromEnvironment(name => name == "HF_HOME" ? _folder : null));
        Put("models--user--pets", "refs/v1", Old);
        Put("models--user--pets", "refs/main", New);
        Put("models--user--pets", "blobs/shared", "12345");
        Put("models--user--pets", "blobs/old", "123");
        Put("models--user--pets", "blobs/new", "1234567");
        Link("models--user--pets", Old, "config.json", "shared");
        Link("models--user--pets", Old, "model.safetensors", "old");
        Link("models--user--pets", New, "config.json", "shared");
        Link("models--user--pets", New, "deep/model.safetensors", "new");
        Put("datasets--user--pets", $"snapshots/{New}/data.csv", "a,b");
        Put("version_diffusers_cache.txt", "", "1");
    }

    [Fact]
    public void Repositories_are_listed_with_their_revisions()
    {
        var repos = _cache.Scan();

        Assert.Equal(["datasets/user/pets", "user/pets"], repos.Select(r => r.Repo.ToString()));
        Assert.Equal([(Old, "v1", 2, 8), (New, "main", 2, 12)], repos[1].Revisions.Select(r => (r.Commit, r.References.Single(), r.FileCount, (int)r.Size)).Order());
        Assert.Equal(15 + 80, repos[1].Size);
    }

    [Fact]
    public void Deleting_a_revision_keeps_what_others_use()
    {
        var freed = _cache.Delete(RepoId.Model("user/pets"), "v1");

        Assert.Equal(3 + 40, freed);
        Assert.True(File.Exists(Path.Combine(_folder, "hub/models--user--pets/snapshots", New, "deep/model.safetensors")));
        Assert.Equal(["new", "shared"], Directory.GetFiles(Path.Combine(_folder, "hub/models--user--pets/blobs")).Select(f => Path.GetFileName(f)).Order());
        Assert.Equal(["main"], _cache.Scan()[1].Revisions.Single().References);
    }

    [Fact]
    public void Deleting_a_repository_removes_its_folder()
    {
        _cache.Delete(RepoId.Dataset("user/pets"));

        Assert.Equal(["user/pets"], _cache.Scan().Select(r => r.Repo.ToString()));
    }

    [Fact]
    public void What_is_not_there_is_named_with_what_is()
    {
        var repo = Assert.Throws<ArgumentException>(() => _cache.Delete(RepoId.Model("user/none")));
        var revision = Assert.Throws<ArgumentException>(() => _cache.Delete(RepoId.Model("user/pets"), "v2"));

        Assert.StartsWith($"The cache '{_folder}/hub' has no model 'user/none'. It has: datasets/user/pets, user/pets.", repo.Message, StringComparison.Ordinal);
        Assert.StartsWith("The cache has no revision 'v2' of 'user/pets'. It has: ", revision.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Put(string repo, string path, string text)
    {
        var file = Path.Combine(_folder, "hub", repo, path).TrimEnd('/');
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    private void Link(string repo, string commit, string path, string blob)
    {
        var file = Path.Combine(_folder, "hub", repo, "snapshots", commit, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.CreateSymbolicLink(file, Path.GetRelativePath(Path.GetDirectoryName(file)!, Path.Combine(_folder, "hub", repo, "blobs", blob)));
    }
}
