namespace Vizsla.Hub;

/// <summary>The token file, readable by its owner alone.</summary>
/// <remarks>Source: huggingface_hub <c>_login.py</c>; the same file.</remarks>
public static class TokenStore
{
    /// <summary>The stored token; null when there is none.</summary>
    /// <param name="path">The file, see <see cref="HubOptions.TokenPath"/>.</param>
    public static HubToken? Read(string path) => File.Exists(path) ? HubToken.FromText(File.ReadAllText(path)) : null;

    /// <summary>Stores a token: mode 0600 from the first byte on, replaced in one step.</summary>
    /// <param name="path">The file.</param>
    /// <param name="token">The token.</param>
    public static void Write(string path, HubToken token)
    {
        ArgumentNullException.ThrowIfNull(token);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        var temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var stream = new FileStream(temporary, options))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(token.Reveal()));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Removes the stored token; does nothing when there is none.</summary>
    /// <param name="path">The file.</param>
    public static void Delete(string path) => File.Delete(path);
}
