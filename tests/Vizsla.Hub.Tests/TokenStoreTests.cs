namespace Vizsla.Hub.Tests;

public sealed class TokenStoreTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"vizsla-token-{Guid.NewGuid():N}");

    [Fact]
    public void A_token_is_kept_for_its_owner_alone_and_read_back()
    {
        var file = Path.Combine(_folder, "hf", "token");

        TokenStore.Write(file, new HubToken("hf_first"));
        TokenStore.Write(file, new HubToken("hf_second"));

        Assert.Equal("hf_second", TokenStore.Read(file)!.Reveal());
        Assert.Equal([file], Directory.GetFiles(Path.GetDirectoryName(file)!));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public void No_file_is_no_token()
    {
        Assert.Null(TokenStore.Read(Path.Combine(_folder, "token")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("hf_a b")]
    [InlineData("hf_a\r\nX-Evil: 1")]
    public void What_a_header_cannot_carry_is_no_token(string secret)
    {
        Assert.Throws<ArgumentException>(() => new HubToken(secret));
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }
}
