namespace Vizsla.Testing;

/// <summary>A folder of its own for one test, gone when disposed.</summary>
public sealed class TemporaryFolder : IDisposable
{
    /// <summary>The folder; it exists.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("vizsla-").FullName;

    /// <summary>Removes the folder and all below it.</summary>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
