namespace Vizsla.Hub.Cache;

/// <summary>Small files that appear whole or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>Writes beside the path, then renames; folders are made.</summary>
    public static void Write(string path, string text)
    {
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        var temporary = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
        try
        {
            File.WriteAllText(temporary, text);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
