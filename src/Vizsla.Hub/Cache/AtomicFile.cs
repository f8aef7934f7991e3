using System.Text;

namespace Vizsla.Hub.Cache;

/// <summary>Files that appear whole or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>Writes UTF-8 text beside the path, then renames; folders are made.</summary>
    public static void Write(string path, string text, bool flush = false) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)), flush);

    /// <summary>Has a file written beside the path, then renames it; folders are made, and nothing is left behind where the writing fails.</summary>
    /// <param name="path">Path of the file; replaced as a whole.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="flush">Whether the content is on the disk before the name is, so that a power cut leaves the old file or the new one.</param>
    /// <param name="mode">Who may do what with the file, from its first byte on; null for what the process gives. Without effect on Windows.</param>
    /// <param name="written">Its time of writing, UTC; null for now.</param>
    public static void Write(string path, Action<Stream> write, bool flush = false, UnixFileMode? mode = null, DateTime? written = null)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        var temporary = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = mode;
            }

            using (var stream = new FileStream(temporary, options))
            {
                write(stream);
                if (flush)
                {
                    stream.Flush(flushToDisk: true);
                }
            }

            if (mode is { } bits && !OperatingSystem.IsWindows())
            {
                // Whatever the process masks out of new files.
                File.SetUnixFileMode(temporary, bits);
            }

            if (written is { } time)
            {
                File.SetLastWriteTimeUtc(temporary, time);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}

/// <summary>Marks a folder as a cache, so that backup programs may skip it.</summary>
/// <remarks>Source: huggingface_hub <c>_create_cachedir_tag</c>; the same bytes.</remarks>
internal static class CacheTag
{
    private const string Text =
        "Signature: 8a477f597d28d172789f06886806bc55\n"
        + "# This file is a cache directory tag created by huggingface_hub.\n"
        + "# For information about cache directory tags, see:\n"
        + "#\thttps://bford.info/cachedir/\n";

    public static void Write(string folder)
    {
        var path = Path.Combine(folder, "CACHEDIR.TAG");
        if (!File.Exists(path))
        {
            AtomicFile.Write(path, Text);
        }
    }
}
