using System.Globalization;

namespace Vizsla.Hub.Cache;

/// <summary>What was fetched into a user's own folder: commit, ETag and time of each file, below <c>.cache/huggingface</c>.</summary>
/// <remarks>Source: huggingface_hub <c>_local_folder.py</c>; the same files.</remarks>
internal sealed class LocalFolder
{
    private readonly string _state;

    public LocalFolder(string folder)
    {
        Root = folder;
        _state = Path.Combine(folder, ".cache", "huggingface");
    }

    /// <summary>The user's folder.</summary>
    public string Root { get; }

    /// <summary>The folder of this folder's own state; its <c>trees</c> holds listings.</summary>
    public string StateFolder => _state;

    /// <summary>Where a file of the repository goes.</summary>
    /// <exception cref="HubException">The name would leave the folder.</exception>
    public string FilePath(string path) => RepoPath.Below(Root, path);

    /// <summary>The lock of a file.</summary>
    public string LockPath(string path) => Record(path, ".lock");

    /// <summary>Where a file grows until it is whole.</summary>
    public string IncompletePath(string path, string etag) => Record(path, $".{etag[..Math.Min(etag.Length, 16)]}.{Guid.NewGuid().ToString("N")[..8]}.incomplete");

    /// <summary>Makes the state folder, which neither git nor backups should take.</summary>
    public void Prepare()
    {
        Directory.CreateDirectory(_state);
        var ignore = Path.Combine(_state, ".gitignore");
        if (!File.Exists(ignore))
        {
            AtomicFile.Write(ignore, "*");
        }

        CacheTag.Write(_state);
    }

    /// <summary>What is recorded of a file; null when nothing is, or the file has been changed since.</summary>
    public (string Commit, string ETag)? Read(string path)
    {
        var record = Record(path, ".metadata");
        var file = FilePath(path);
        if (!File.Exists(record) || !File.Exists(file))
        {
            return null;
        }

        var lines = File.ReadAllLines(record);
        if (lines.Length < 3 || !double.TryParse(lines[2], NumberStyles.Float, CultureInfo.InvariantCulture, out var recorded))
        {
            return null;
        }

        // One second of grace: some file systems keep whole seconds only.
        var changed = (File.GetLastWriteTimeUtc(file) - DateTime.UnixEpoch).TotalSeconds;
        return changed - 1 <= recorded ? (lines[0], lines[1]) : null;
    }

    /// <summary>Records a file's commit, ETag and the time.</summary>
    public void Write(string path, string commit, string etag, DateTimeOffset now)
    {
        var seconds = (now - DateTimeOffset.UnixEpoch).TotalSeconds.ToString("0.0######", CultureInfo.InvariantCulture);
        AtomicFile.Write(Record(path, ".metadata"), $"{commit}\n{etag}\n{seconds}\n");
    }

    private string Record(string path, string suffix) => RepoPath.Below(Path.Combine(_state, "download"), path) + suffix;
}
