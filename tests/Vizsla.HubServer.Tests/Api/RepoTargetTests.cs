using Vizsla.HubServer.Api;

namespace Vizsla.HubServer.Tests.Api;

public sealed class RepoTargetTests
{
    [Theory]
    [InlineData("/api/models/user/repo", "user/repo", "", "")]
    [InlineData("/api/datasets/user/repo/tree/main/a/b?recursive=true", "datasets/user/repo", "main", "a/b")]
    [InlineData("/user/repo/resolve/dev%2Fone/a%23b%25c%3F.txt", "user/repo", "dev/one", "a#b%c?.txt")]
    [InlineData("/user/repo/resolve/main/100%252F.txt", "user/repo", "main", "100%2F.txt")]
    [InlineData("/datasets/user/repo/resolve/refs%2Fpr%2F1/x", "datasets/user/repo", "refs/pr/1", "x")]
    [InlineData("/datasets/user/repo.git/info/lfs/objects/batch", "datasets/user/repo", "lfs", "objects/batch")]
    [InlineData("/user/repo.git/info/lfs/objects/batch", "user/repo", "lfs", "objects/batch")]
    [InlineData("/api/resolve-cache/models/user/repo/0123456789abcdef0123456789abcdef01234567/sub/x.txt?etag=1", "user/repo", "0123456789abcdef0123456789abcdef01234567", "sub/x.txt")]
    public void Addresses_are_read_from_the_request_line(string target, string repo, string revision, string path)
    {
        var read = RepoTarget.Parse(target)!;

        Assert.Equal((repo, revision, path), (read.Id.ToString(), read.Revision, read.Path));
    }

    [Theory]
    [InlineData("/api/models/gpt2")]
    [InlineData("/api/models/user/..%2Fetc")]
    [InlineData("/")]
    [InlineData("/user")]
    [InlineData("/api/models//x")]
    public void Others_name_no_repository(string target)
    {
        Assert.Null(RepoTarget.Parse(target));
    }
}
