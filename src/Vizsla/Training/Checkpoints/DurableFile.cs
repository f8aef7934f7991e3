using Vizsla.Hub.Cache;
using Vizsla.Native;

namespace Vizsla.Training.Checkpoints;

/// <summary>Files that are whole under their name or absent, also after a power cut.</summary>
internal static class DurableFile
{
    /// <summary>Writes a text aside, flushes it, and puts it in place.</summary>
    public static void WriteText(string path, string text)
    {
        AtomicFile.Write(path, text, flush: true);
        DirectorySync.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Flushes the contents of every file of a folder and the folder itself.</summary>
    public static void FlushFolder(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(handle);
        }

        DirectorySync.Flush(folder);
    }
}
