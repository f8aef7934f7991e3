using System.Globalization;

namespace Vizsla.Hub;

/// <summary>Address of the Hub, location of the cache, and the access token.</summary>
/// <remarks>Source: huggingface_hub <c>constants.py</c>; the same variables with the same defaults.</remarks>
public sealed record HubOptions
{
    /// <summary>The Hub that is asked unless <c>HF_ENDPOINT</c> names another.</summary>
    public static readonly Uri DefaultEndpoint = new("https://huggingface.co");

    /// <summary>Address of the Hub, without a trailing slash. Default https://huggingface.co; HF: <c>HF_ENDPOINT</c>.</summary>
    public Uri Endpoint { get; init; } = DefaultEndpoint;

    /// <summary>Folder of everything. Default <c>~/.cache/huggingface</c>; HF: <c>HF_HOME</c>.</summary>
    public required string Home { get; init; }

    /// <summary>Folder of downloaded repositories. Default <c>{Home}/hub</c>; HF: <c>HF_HUB_CACHE</c>.</summary>
    public required string CacheDirectory { get; init; }

    /// <summary>File of the stored token. Default <c>{Home}/token</c>; HF: <c>HF_TOKEN_PATH</c>.</summary>
    public required string TokenPath { get; init; }

    /// <summary>The access token; null sends anonymous requests. HF: <c>HF_TOKEN</c>, else the token file.</summary>
    public HubToken? Token { get; init; }

    /// <summary>True: no request at all, only the cache answers. Default false; HF: <c>HF_HUB_OFFLINE</c>.</summary>
    public bool Offline { get; init; }

    /// <summary>True: snapshots hold the files themselves instead of links to blobs. Default false; HF: <c>HF_HUB_DISABLE_SYMLINKS</c>.</summary>
    public bool DisableSymlinks { get; init; }

    /// <summary>True: reads are sent without the token. Default false; HF: <c>HF_HUB_DISABLE_IMPLICIT_TOKEN</c>.</summary>
    public bool DisableImplicitToken { get; init; }

    /// <summary>How long to wait for a file's metadata. Default 10 seconds; HF: <c>HF_HUB_ETAG_TIMEOUT</c>.</summary>
    public TimeSpan MetadataTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long to wait for the next bytes of a file. Default 10 seconds; HF: <c>HF_HUB_DOWNLOAD_TIMEOUT</c>.</summary>
    public TimeSpan DownloadTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The options that this process's environment asks for.</summary>
    /// <exception cref="ArgumentException">A variable holds an invalid value, such as an endpoint that is not an address.</exception>
    public static HubOptions FromEnvironment() => FromEnvironment(Environment.GetEnvironmentVariable);

    /// <summary>The options that an environment asks for.</summary>
    /// <param name="read">Gives a variable's value, or null.</param>
    /// <exception cref="ArgumentException">A variable holds an invalid value.</exception>
    public static HubOptions FromEnvironment(Func<string, string?> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        var home = Folder(read, "HF_HOME") ?? Path.Combine(Folder(read, "XDG_CACHE_HOME") ?? Path.Combine(UserFolder(read), ".cache"), "huggingface");
        var tokenPath = Folder(read, "HF_TOKEN_PATH") ?? Path.Combine(home, "token");
        return new HubOptions
        {
            Endpoint = ReadEndpoint(read("HF_ENDPOINT")),
            Home = home,
            CacheDirectory = Folder(read, "HF_HUB_CACHE") ?? Folder(read, "HUGGINGFACE_HUB_CACHE") ?? Path.Combine(home, "hub"),
            TokenPath = tokenPath,
            Token = HubToken.FromText(read("HF_TOKEN")) ?? HubToken.FromText(read("HUGGING_FACE_HUB_TOKEN")) ?? TokenStore.Read(tokenPath),
            Offline = IsTrue(read("HF_HUB_OFFLINE")) || IsTrue(read("TRANSFORMERS_OFFLINE")),
            DisableSymlinks = IsTrue(read("HF_HUB_DISABLE_SYMLINKS")),
            DisableImplicitToken = IsTrue(read("HF_HUB_DISABLE_IMPLICIT_TOKEN")),
            MetadataTimeout = Seconds(read, "HF_HUB_ETAG_TIMEOUT"),
            DownloadTimeout = Seconds(read, "HF_HUB_DOWNLOAD_TIMEOUT"),
        };
    }

    private static Uri ReadEndpoint(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return DefaultEndpoint;
        }

        return Uri.TryCreate(text.TrimEnd('/'), UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri
            : throw new ArgumentException($"HF_ENDPOINT is '{text}', expected an address such as 'http://127.0.0.1:8000'.");
    }

    private static TimeSpan Seconds(Func<string, string?> read, string name) => read(name) switch
    {
        null or "" => TimeSpan.FromSeconds(10),
        var text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value > 0 => TimeSpan.FromSeconds(value),
        var text => throw new ArgumentException($"{name} is '{text}', expected a number of seconds above 0."),
    };

    private static bool IsTrue(string? text) => text?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

    private static string? Folder(Func<string, string?> read, string name) => read(name) is not { Length: > 0 } path
        ? null
        : Path.GetFullPath(path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? UserFolder(read) + path[1..] : path);

    private static string UserFolder(Func<string, string?> read) =>
        read("HOME") is { Length: > 0 } home ? home : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
}
