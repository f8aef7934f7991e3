namespace Vizsla.Hub.Tests;

public sealed class HubOptionsTests
{
    [Fact]
    public void Nothing_set_means_the_folders_and_the_address_of_huggingface_hub()
    {
        var options = HubOptions.FromEnvironment(name => name == "HOME" ? "/home/anna" : null);

        Assert.Equal(new Uri("https://huggingface.co"), options.Endpoint);
        Assert.Equal("/home/anna/.cache/huggingface", options.Home);
        Assert.Equal("/home/anna/.cache/huggingface/hub", options.CacheDirectory);
        Assert.Equal("/home/anna/.cache/huggingface/token", options.TokenPath);
        Assert.Null(options.Token);
        Assert.False(options.Offline || options.DisableSymlinks || options.DisableImplicitToken);
        Assert.Equal((10, 10), (options.MetadataTimeout.TotalSeconds, options.DownloadTimeout.TotalSeconds));
    }

    [Fact]
    public void Every_variable_is_read()
    {
        var set = new Dictionary<string, string>
        {
            ["HF_HOME"] = "/data/hf",
            ["HF_HUB_CACHE"] = "/cache",
            ["HF_TOKEN_PATH"] = "/secret/token",
            ["HF_ENDPOINT"] = "http://127.0.0.1:8000/",
            ["HF_TOKEN"] = " hf_abc\n",
            ["HF_HUB_OFFLINE"] = "yes",
            ["HF_HUB_DISABLE_SYMLINKS"] = "1",
            ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "True",
            ["HF_HUB_ETAG_TIMEOUT"] = "2.5",
            ["HF_HUB_DOWNLOAD_TIMEOUT"] = "30",
        };

        var options = HubOptions.FromEnvironment(set.GetValueOrDefault);

        Assert.Equal(("/data/hf", "/cache", "/secret/token"), (options.Home, options.CacheDirectory, options.TokenPath));
        Assert.Equal("http://127.0.0.1:8000/", options.Endpoint.ToString());
        Assert.Equal("hf_abc", options.Token!.Reveal());
        Assert.True(options.Offline && options.DisableSymlinks && options.DisableImplicitToken);
        Assert.Equal((2.5, 30), (options.MetadataTimeout.TotalSeconds, options.DownloadTimeout.TotalSeconds));
    }

    [Theory]
    [InlineData("HF_ENDPOINT", "hub.example.org", "HF_ENDPOINT is 'hub.example.org', expected an address such as 'http://127.0.0.1:8000'.")]
    [InlineData("HF_HUB_ETAG_TIMEOUT", "soon", "HF_HUB_ETAG_TIMEOUT is 'soon', expected a number of seconds above 0.")]
    public void What_cannot_be_read_is_named(string variable, string value, string message)
    {
        var e = Assert.Throws<ArgumentException>(() => HubOptions.FromEnvironment(name => name == variable ? value : null));

        Assert.Equal(message, e.Message);
    }

    [Fact]
    public void The_token_shows_itself_nowhere()
    {
        var options = HubOptions.FromEnvironment(name => name == "HF_TOKEN" ? "hf_secretword" : null);

        Assert.DoesNotContain("secretword", options.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secretword", $"{options.Token}", StringComparison.Ordinal);
        Assert.DoesNotContain("secretword", System.Text.Json.JsonSerializer.Serialize(options), StringComparison.Ordinal);
    }
}
