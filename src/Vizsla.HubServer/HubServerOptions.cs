namespace Vizsla.HubServer;

/// <summary>How a self-hosted Hub runs.</summary>
public sealed record HubServerOptions
{
    /// <summary>The port of <c>hub serve</c> when none is given.</summary>
    public const int DefaultPort = 8000;

    /// <summary>Folder of everything: database, large files, the first token. Made when absent.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Port of the Hub; 0 takes a free one. Default 8000.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>Address to listen on: <c>127.0.0.1</c> for this machine alone, <c>0.0.0.0</c> for all. Default <c>127.0.0.1</c>.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Second port that serves the bytes of large files from another origin; null serves them from <see cref="Port"/>. Default null.</summary>
    public int? StoragePort { get; init; }

    /// <summary>Address that clients reach the Hub by, when a proxy stands before it; null takes it from each request.</summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>Names besides addresses, <c>localhost</c>, this computer's name and that of <see cref="PublicUrl"/> under which clients may call. Default none.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>File of the first user's token; null means <c>token</c> in <see cref="DataDirectory"/>. A token that is there already is taken, else one is written, mode 0600.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Size above which a file is a large file whatever its name, in bytes. Default 10 MiB.</summary>
    public long LargeFileThreshold { get; set; } = 10 * 1024 * 1024;

    /// <summary>Size above which an upload goes in parts of this size, in bytes; null never splits. Default 512 MiB.</summary>
    public long? PartSize { get; set; } = 512 * 1024 * 1024;

    /// <summary>Whether clients are asked to confirm large files. Default true.</summary>
    public bool Verify { get; set; } = true;

    /// <summary>Rows of a listing in one answer. Default 1000.</summary>
    public int PageSize { get; set; } = 1000;

    /// <summary>How long a signed address of a large file is good for. Default one hour.</summary>
    public TimeSpan LinkLifetime { get; init; } = TimeSpan.FromHours(1);
}
