namespace Vizsla.Loading;

/// <summary>How <see cref="ImageDataset.Map(Transforms.Compose, MapOptions, CancellationToken)"/> prepares pictures.</summary>
public sealed record MapOptions
{
    /// <summary>Folder for the prepared pictures; null takes <c>vizsla/pictures</c> in the user's cache folder.</summary>
    public string? CacheDirectory { get; init; }

    /// <summary>Threads that prepare, at least 1; default one for each core.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Whether a JPEG is decoded at a smaller scale, as <see cref="BatchLoaderOptions.FastDecode"/> says; default false. Pictures of either kind are kept in files of their own.</summary>
    public bool FastDecode { get; init; }

    /// <summary>Receives how many pictures are prepared, while they are; may be null. Called from several threads.</summary>
    public IProgress<int>? Progress { get; init; }

    /// <summary>The folder that is meant.</summary>
    internal string Directory => CacheDirectory ?? Path.Combine(UserCache(), "vizsla", "pictures");

    private static string UserCache() => Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set
        ? set
        : OperatingSystem.IsLinux()
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache")
            : Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
}
