using Vizsla.Hub;
using Vizsla.HubServer.Accounts;

namespace Vizsla.HubServer.Tests;

public sealed class HubServerHostTests
{
    [Fact]
    public async Task The_first_start_makes_a_user_with_a_token_for_its_owner_alone()
    {
        await using var server = await ServerFixture.StartAsync();
        var token = TokenStore.Read(server.Host.TokenFile)!;

        var user = await server.Client(token.Reveal()).WhoAmIAsync();

        Assert.Equal(("user", "write"), (user.Name, user.Role));
        Assert.Equal(Path.Combine(server.Folder, "token"), server.Host.TokenFile);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(server.Host.TokenFile));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(server.Folder));
        }
    }

    [Fact]
    public async Task A_token_that_the_operator_has_put_there_is_taken()
    {
        var file = Path.Combine(Path.GetTempPath(), $"vizsla-token-{Guid.NewGuid():N}");
        File.WriteAllText(file, "hf_chosen\n");
        await using var server = await ServerFixture.StartAsync(o => o with { TokenFile = file });

        Assert.Equal("user", (await server.Client("hf_chosen").WhoAmIAsync()).Name);
        File.Delete(file);
    }

    [Fact]
    public async Task A_second_start_finds_everything_as_it_was()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"vizsla-again-{Guid.NewGuid():N}");
        string token;
        await using (var first = await HubServerHost.StartAsync(new HubServerOptions { DataDirectory = folder, Port = 0 }))
        {
            token = TokenStore.Read(first.TokenFile)!.Reveal();
            using var client = ClientOf(first, token, folder);
            await client.CreateRepoAsync(RepoId.Model("user/kept"));
            await client.CommitAsync(RepoId.Model("user/kept"), [new CommitAdd("a.bin", [1, 2, 0]), new CommitAdd("b.txt", [65])], "Add");
        }

        await using var second = await HubServerHost.StartAsync(new HubServerOptions { DataDirectory = folder, Port = 0 });
        using var again = ClientOf(second, token, folder);
        var path = await again.SnapshotDownloadAsync(RepoId.Model("user/kept"));

        Assert.Equal([1, 2, 0], File.ReadAllBytes(Path.Combine(path, "a.bin")));
        Assert.Equal(["Add", "initial commit"], (await again.ListCommitsAsync(RepoId.Model("user/kept"))).Select(c => c.Title));
        await second.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_folder_may_be_given_as_it_is_seen_from_here()
    {
        await using var server = await ServerFixture.StartAsync(o => o with { DataDirectory = Path.GetRelativePath(Environment.CurrentDirectory, o.DataDirectory) });
        var client = server.Client("hf_anna");
        var repo = RepoId.Model("anna/large");
        await client.CreateRepoAsync(repo);
        await client.CommitAsync(repo, [new CommitAdd("a.bin", [1, 2, 0])], "Add");

        Assert.Equal([1, 2, 0], await File.ReadAllBytesAsync(await client.DownloadFileAsync(repo, "a.bin")));
    }

    [Fact]
    public async Task Administration_works_while_the_server_runs()
    {
        await using var server = await ServerFixture.StartAsync();
        using var administration = new HubAdministration(server.Folder);

        await administration.AddUserAsync("carl");
        var token = await administration.CreateTokenAsync("carl", TokenRole.Read, "laptop");

        Assert.Equal("read", (await server.Client(token).WhoAmIAsync()).Role);
        Assert.Equal(1, await administration.RevokeTokensAsync("carl"));
        var e = await Assert.ThrowsAsync<HubException>(() => server.Client(token).WhoAmIAsync());
        Assert.Equal(HubErrorKind.Unauthorized, e.Kind);
    }

    [Theory]
    [InlineData("api", "'api' is reserved for the Hub's own URLs; choose another name.")]
    [InlineData("anna", "There is a user 'anna' already; use 'hub token anna' for another token.")]
    [InlineData("../x", "'../x' is not a valid user name: use letters, digits, '-', '_' or '.', not at an end, at most 96.")]
    public async Task A_user_needs_a_name_of_its_own(string name, string message)
    {
        await using var server = await ServerFixture.StartAsync();
        using var administration = new HubAdministration(server.Folder);

        var e = await Assert.ThrowsAsync<ArgumentException>(() => administration.AddUserAsync(name));

        Assert.StartsWith(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_a_Hub_is_named()
    {
        var e = Assert.Throws<DirectoryNotFoundException>(() => new HubAdministration("/nowhere"));

        Assert.Equal("'/nowhere' is not the data folder of a Hub. Start one there with 'vizsla hub serve --data /nowhere'.", e.Message);
    }

    private static HubClient ClientOf(HubServerHost host, string token, string folder) => new(HubOptions.FromEnvironment(name => name switch
    {
        "HF_HOME" => Path.Combine(folder, "client"),
        "HF_ENDPOINT" => host.Address.ToString(),
        "HF_TOKEN" => token,
        _ => null,
    }));
}
