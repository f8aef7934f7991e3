namespace Vizsla.Datasets.Readers;

/// <summary>What lies behind a path: the file itself, or the one a link leads to.</summary>
internal static class RealFile
{
    /// <summary>The file; for a link its last target, whose length and time count.</summary>
    public static FileInfo Of(string path)
    {
        var file = new FileInfo(path);
        return file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
    }

    /// <summary>Length in bytes, or -1 where there is no file.</summary>
    public static long Length(string path)
    {
        var file = Of(path);
        return file.Exists ? file.Length : -1;
    }
}
