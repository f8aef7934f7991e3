using System.Text;
using Vizsla.Native;

namespace Vizsla.Training.Checkpoints;

/// <summary>Files that stand whole under their name or not at all.</summary>
internal static class DurableFile
{
    /// <summary>Writes a text aside, flushes it, and puts it in place.</summary>
    public static void WriteText(string path, string text)
    {
        var temporary = path + ".tmp";
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
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
