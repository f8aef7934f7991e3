namespace Vizsla.Testing;

/// <summary>A folder of its own for one test, deleted at its end.</summary>
public sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vizsla-test-");

    /// <summary>Full path of the folder.</summary>
    public string Path => _folder.FullName;

    /// <summary>Path of something in the folder.</summary>
    /// <param name="parts">Names below the folder.</param>
    public string this[params string[] parts] => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Writes a text file, with the folders above it.</summary>
    /// <param name="relative">Path below the folder, separated by '/'.</param>
    /// <param name="text">Content.</param>
    /// <returns>Full path of the file.</returns>
    public string WriteText(string relative, string text)
    {
        var path = Reserve(relative);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Makes the folders above a file that is about to be written.</summary>
    /// <param name="relative">Path below the folder, separated by '/'.</param>
    /// <returns>Full path of the file.</returns>
    public string Reserve(string relative)
    {
        var path = System.IO.Path.Combine([Path, .. relative.Split('/')]);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        return path;
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);
}
