using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Datasets.Readers;
using Vizsla.Hub.Cache;

namespace Vizsla.Datasets.Checks;

/// <summary>Moves files of a dataset out of its sight, into <c>.quarantine</c> below its folder, and back.</summary>
/// <remarks>
/// The journal says what will be moved and is on the disk before the first move, so a stop at any moment loses nothing: what was moved comes back, what was not is where it was.
/// No file is deleted or written over.
/// </remarks>
public sealed class Quarantine
{
    /// <summary>Name of the folder of quarantined files; image folders ignore it.</summary>
    public const string FolderName = ".quarantine";

    /// <summary>Name of the file in it that lists what was moved: one JSON object a line.</summary>
    private const string JournalName = "journal.jsonl";

    private readonly string _dataset;
    private readonly string _journal;
    private readonly Action<string, string> _move;

    /// <param name="dataset">Folder of the dataset.</param>
    /// <exception cref="DatasetException">There is no such folder.</exception>
    public Quarantine(string dataset)
        : this(dataset, File.Move)
    {
    }

    internal Quarantine(string dataset, Action<string, string> move)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        _dataset = Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataset));
        _journal = Path.Combine(_dataset, FolderName, JournalName);
        _move = move;
        if (!Directory.Exists(_dataset))
        {
            throw new DatasetException($"'{dataset}' is not a folder. Only files of a dataset on this machine can be moved into quarantine.");
        }
    }

    /// <summary>Moves files out of the dataset.</summary>
    /// <param name="files">Paths of the files below the dataset's folder, and why each is moved.</param>
    /// <returns>What was moved.</returns>
    /// <exception cref="DatasetException">A file lies elsewhere or inside another file, or the folder describes its pictures in a metadata file; nothing was moved then.</exception>
    /// <exception cref="IOException">A file could not be moved; those before it are in quarantine, and <see cref="Undo"/> brings them back.</exception>
    public IReadOnlyList<QuarantinedFile> Move(IReadOnlyList<(string Path, string Reason)> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        if (files.Count == 0)
        {
            return [];
        }

        RefuseMetadata();
        var known = ReadJournal();
        var taken = known.Select(k => k.Quarantined).ToHashSet(StringComparer.OrdinalIgnoreCase);
        QuarantinedFile[] plan = [.. files.Select(f => Plan(f.Path, f.Reason, taken))];
        WriteJournal([.. known, .. plan]);
        foreach (var file in plan)
        {
            Transfer(file.File, file.Quarantined);
        }

        return plan;
    }

    /// <summary>Brings everything back to where it was; can be repeated after a stop.</summary>
    /// <exception cref="IOException">A file could not be moved; repeat when the cause is gone.</exception>
    public QuarantineUndo Undo()
    {
        if (!File.Exists(_journal))
        {
            return new([], [], []);
        }

        var (restored, blocked) = (new List<QuarantinedFile>(), new List<QuarantinedFile>());
        var journal = ReadJournal();
        foreach (var file in journal.Where(f => File.Exists(Full(f.Quarantined))))
        {
            if (File.Exists(Full(file.File)))
            {
                blocked.Add(file);
            }
            else
            {
                Transfer(file.Quarantined, file.File);
                restored.Add(file);
            }
        }

        // Asked at the end: a file whose first move was stopped may have been moved later, under another name.
        QuarantinedFile[] lost = [.. journal.Where(f => !File.Exists(Full(f.Quarantined)) && !File.Exists(Full(f.File)))];
        if (blocked.Count > 0)
        {
            WriteJournal(blocked);
        }
        else
        {
            File.Delete(_journal);
        }

        DeleteEmpty(Path.Combine(_dataset, FolderName));
        return new(restored, blocked, lost);
    }

    // A row of a metadata file without its picture makes the whole dataset unreadable.
    private void RefuseMetadata()
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true };
        if (Directory.EnumerateFiles(_dataset, "metadata.*", options).FirstOrDefault(ImageFolderReader.IsMetadata) is { } metadata)
        {
            throw new DatasetException($"'{metadata}' names the pictures of its folder, and moving one would leave a row without a picture. Remove the rows and pictures by hand; the report in JSON lists them.");
        }
    }

    private QuarantinedFile Plan(string path, string reason, HashSet<string> taken)
    {
        var relative = Path.GetRelativePath(_dataset, Path.GetFullPath(path)).Replace(Path.DirectorySeparatorChar, '/');
        if (!File.Exists(path) || relative.StartsWith("../", StringComparison.Ordinal) || Path.IsPathRooted(relative))
        {
            throw new DatasetException($"'{path}' is not a file of its own below '{_dataset}'. Only pictures in files of their own can be moved into quarantine, not those inside Parquet files and archives.");
        }

        var (folder, stem, extension) = (Path.GetDirectoryName(relative)?.Replace(Path.DirectorySeparatorChar, '/') ?? "", Path.GetFileNameWithoutExtension(relative), Path.GetExtension(relative));
        var target = $"{FolderName}/{relative}";
        for (var n = 2; !taken.Add(target) || File.Exists(Full(target)); n++)
        {
            target = $"{FolderName}/{folder}{(folder.Length > 0 ? "/" : "")}{stem}-{n}{extension}";
        }

        return new(relative, target, reason);
    }

    private void Transfer(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Full(to)) ?? _dataset);
        _move(Full(from), Full(to));
    }

    private List<QuarantinedFile> ReadJournal()
    {
        if (!File.Exists(_journal))
        {
            return [];
        }

        try
        {
            return [.. File.ReadAllLines(_journal).Select(line => JsonNode.Parse(line)).Select(node => new QuarantinedFile(PathText(node, "file"), PathText(node, "quarantined"), Text(node, "reason")))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new DatasetException($"'{_journal}' is damaged: {e.Message} Move the files below '{FolderName}' back by hand; their folders are named as they were.", e);
        }
    }

    private static string Text(JsonNode? node, string key) => (string?)node?[key] ?? throw new JsonException($"A line has no '{key}'.");

    private static string PathText(JsonNode? node, string key) => Text(node, key) is var path && !Path.IsPathRooted(path) && !path.Split('/', '\\').Contains("..")
        ? path
        : throw new JsonException($"'{path}' lies outside of the dataset.");

    // On the disk before the first file moves.
    private void WriteJournal(IReadOnlyList<QuarantinedFile> files) => AtomicFile.Write(
        _journal,
        string.Concat(files.Select(f => new JsonObject { ["file"] = f.File, ["quarantined"] = f.Quarantined, ["reason"] = f.Reason }.ToJsonString() + "\n")),
        flush: true);

    private string Full(string relative) => Path.Combine(_dataset, relative);

    private static void DeleteEmpty(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        foreach (var inner in Directory.EnumerateDirectories(folder))
        {
            DeleteEmpty(inner);
        }

        if (!Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Directory.Delete(folder);
        }
    }
}

/// <summary>What came of <see cref="Quarantine.Undo"/>.</summary>
/// <param name="Restored">Files that are in their old place again.</param>
/// <param name="Blocked">Files that stay in quarantine, since another file has their place.</param>
/// <param name="Lost">Files that are neither in their place nor in quarantine.</param>
public sealed record QuarantineUndo(IReadOnlyList<QuarantinedFile> Restored, IReadOnlyList<QuarantinedFile> Blocked, IReadOnlyList<QuarantinedFile> Lost);

/// <summary>A file that was moved out of a dataset.</summary>
/// <param name="File">Path it had below the dataset's folder, separated by '/'.</param>
/// <param name="Quarantined">Path it has below the dataset's folder, separated by '/'.</param>
/// <param name="Reason">Why it was moved, as a part of a sentence.</param>
public sealed record QuarantinedFile(string File, string Quarantined, string Reason);
