namespace Vizsla.Hub.Tests;

public sealed class RepoIdTests
{
    [Theory]
    [InlineData("gpt2", null, "gpt2")]
    [InlineData("user/vit-pets_1.0", "user", "vit-pets_1.0")]
    public void Names_are_read(string id, string? owner, string name)
    {
        var repo = RepoId.Parse(id);

        Assert.Equal((owner, name, id), (repo.Owner, repo.Name, repo.Id));
    }

    [Theory]
    [InlineData("a/b/c", "Repository id must be in the form 'name' or 'owner/name', got 'a/b/c'.")]
    [InlineData("user/..", "Repository id 'user/..' must use letters")]
    [InlineData("user/a--b", "Repository id 'user/a--b' must not contain '--' or '..'.")]
    [InlineData("user/x.git", "Repository id 'user/x.git' must not end with '.git'.")]
    [InlineData("../../etc", "Repository id must be")]
    [InlineData("user/a b", "Repository id 'user/a b' must use letters")]
    [InlineData("-x", "Repository id '-x' must use letters")]
    [InlineData("x\n", "Repository id 'x\n' must use letters")]
    [InlineData("", "Repository id '' must use letters")]
    public void Others_are_refused_with_the_rule_they_break(string id, string message)
    {
        var e = Assert.Throws<ArgumentException>(() => RepoId.Parse(id));

        Assert.StartsWith(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dataset_has_its_own_folder_and_addresses()
    {
        var repo = RepoId.Dataset("user/pets");

        Assert.Equal(("datasets--user--pets", "datasets", "datasets/", "dataset"), (repo.FolderName, repo.ApiSegment, repo.UrlPrefix, repo.TypeName));
        Assert.NotEqual(repo, RepoId.Model("user/pets"));
    }
}
