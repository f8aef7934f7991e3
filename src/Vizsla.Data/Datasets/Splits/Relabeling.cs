using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Nodes;
using Vizsla.Datasets.Readers;
using Vizsla.Hub.Cache;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Splits;

/// <summary>A picture and the class that it gets.</summary>
/// <param name="File">Path below the dataset's folder, separated by '/'.</param>
/// <param name="Label">Name of the class.</param>
/// <param name="Expected">Class that it is thought to have now; null does not ask.</param>
public sealed record LabelChange(string File, string Label, string? Expected = null);

/// <summary>A picture whose class was changed.</summary>
/// <param name="File">Path it had below the dataset's folder, separated by '/'.</param>
/// <param name="Moved">Path it has below the dataset's folder, separated by '/'.</param>
/// <param name="OldLabel">Class it had.</param>
/// <param name="Label">Class it has.</param>
public sealed record RelabeledFile(string File, string Moved, string OldLabel, string Label);

/// <summary>Changes labels of an image folder: files move between the class folders of their split, never to another split; <c>split.json</c> follows.</summary>
/// <remarks>The journal says what will be moved and is on the disk before the first move, so a stop at any moment loses nothing. No file is deleted or written over.</remarks>
public sealed class Relabeling
{
    /// <summary>Name of the folder of the journal; image folders ignore it.</summary>
    public const string FolderName = ".relabel";

    private const string JournalName = "journal.jsonl";

    private readonly string _dataset;
    private readonly string _journal;
    private readonly Action<string, string> _move;

    /// <param name="dataset">Folder of the dataset.</param>
    /// <exception cref="DatasetException">There is no such folder.</exception>
    public Relabeling(string dataset)
        : this(dataset, File.Move)
    {
    }

    internal Relabeling(string dataset, Action<string, string> move)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        _dataset = Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataset));
        _journal = Path.Combine(_dataset, FolderName, JournalName);
        _move = move;
        if (!Directory.Exists(_dataset))
        {
            throw new DatasetException($"'{dataset}' is not a folder. Only labels of a dataset on this machine can be changed.");
        }
    }

    /// <summary>Reads changes from a CSV file: <c>file_name</c> and the new class in <c>suggested</c>, with the present one in <c>label</c>, or in <c>label</c> alone.</summary>
    /// <param name="path">The file, as <c>vizsla dataset labels --format csv</c> writes it; lines that are not meant are left out of it.</param>
    /// <exception cref="DatasetException">The file is not readable, or lacks a column or a value.</exception>
    public static IReadOnlyList<LabelChange> ReadChanges(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!File.Exists(path))
        {
            throw new DatasetException($"There is no file '{path}' with labels to change.");
        }

        var table = CsvTable.Read(path);
        var names = table.Features.Names;
        var target = names.Contains("suggested") ? "suggested" : "label";
        if (!names.Contains("file_name") || !names.Contains(target))
        {
            throw new DatasetException($"'{path}' needs the columns file_name and suggested, or file_name and label; it has {string.Join(", ", names)}.");
        }

        return [.. Enumerable.Range(0, table.Count).Select(row => new LabelChange(
            Cell("file_name", row), Cell(target, row), target == "suggested" && names.Contains("label") ? Cell("label", row) : null))];

        string Cell(string column, int row) => table.Columns[table.Features.RequireIndex(column)][row] is { } value
            ? Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!
            : throw new DatasetException(Invariant($"Line {row + 2} of '{path}' has no {column}."));
    }

    /// <summary>Moves pictures to the folders of their new classes.</summary>
    /// <param name="changes">The changes; a picture that has the class already is left alone.</param>
    /// <returns>What was moved.</returns>
    /// <exception cref="DatasetException">A picture is not there, has another class than expected, or the class is unknown, or a metadata file holds the labels; nothing was moved then.</exception>
    /// <exception cref="IOException">A file could not be moved; <see cref="Undo"/> brings back those before it.</exception>
    public IReadOnlyList<RelabeledFile> Apply(IReadOnlyList<LabelChange> changes)
    {
        ArgumentNullException.ThrowIfNull(changes);
        RefuseMetadata();
        var classes = Directory.EnumerateFiles(_dataset, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden })
            .Select(file => Path.GetDirectoryName(Path.GetRelativePath(_dataset, file))!).Where(folder => folder.Length > 0)
            .Select(folder => Path.GetFileName(folder)!).ToHashSet(StringComparer.Ordinal);
        var known = ReadJournal();
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        RelabeledFile[] plan = [.. changes.Select(change => Plan(change, classes, taken)).Where(file => file.OldLabel != file.Label)];
        if (plan.CountBy(file => file.File).FirstOrDefault(file => file.Value > 1).Key is { } twice)
        {
            throw new DatasetException($"'{twice}' gets a label twice; keep one line of it.");
        }

        if (plan.Length == 0)
        {
            return plan;
        }

        WriteJournal([.. known, .. plan]);
        Array.ForEach(plan, file => Transfer(file.File, file.Moved));
        UpdateManifest(plan.ToDictionary(file => file.File, file => (file.Moved, file.Label)));
        return plan;
    }

    /// <summary>Brings every picture back to the class it had, the latest change first; can be repeated after a stop.</summary>
    /// <returns>What was brought back.</returns>
    /// <exception cref="DatasetException">Another file has the place of one; nothing was moved then.</exception>
    public IReadOnlyList<RelabeledFile> Undo()
    {
        var journal = ReadJournal();
        journal.Reverse();
        var places = journal.Select(file => file.File).ToHashSet(StringComparer.Ordinal);
        RelabeledFile[] moved = [.. journal.Where(file => File.Exists(Full(file.Moved)) || places.Contains(file.Moved))];
        if (moved.FirstOrDefault(file => File.Exists(Full(file.File)) && !moved.Any(other => other.Moved == file.File)) is { } blocked)
        {
            throw new DatasetException($"'{blocked.File}' cannot come back: there is another file. Move it away and try again.");
        }

        var restored = new List<RelabeledFile>();
        foreach (var file in moved.Where(file => File.Exists(Full(file.Moved)) && !File.Exists(Full(file.File))))
        {
            Transfer(file.Moved, file.File);
            UpdateManifest(new() { [file.Moved] = (file.File, file.OldLabel) });
            restored.Add(file);
        }

        if (Directory.Exists(Path.Combine(_dataset, FolderName)))
        {
            Directory.Delete(Path.Combine(_dataset, FolderName), recursive: true);
        }

        return restored;
    }

    private void RefuseMetadata()
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true };
        if (Directory.EnumerateFiles(_dataset, "metadata.*", options).FirstOrDefault(ImageFolderReader.IsMetadata) is { } metadata)
        {
            throw new DatasetException($"'{metadata}' holds the labels of its pictures; change them there. Only labels that class folders give are changed by moving files.");
        }
    }

    private RelabeledFile Plan(LabelChange change, HashSet<string> classes, HashSet<string> taken)
    {
        var relative = Path.GetRelativePath(_dataset, Full(change.File)).Replace(Path.DirectorySeparatorChar, '/');
        if (relative.StartsWith("../", StringComparison.Ordinal) || Path.IsPathRooted(relative) || !File.Exists(Full(change.File)))
        {
            throw new DatasetException($"'{change.File}' is not a picture below '{_dataset}'. Expected a path such as 'train/cat/1.jpg'.");
        }

        if (Path.GetDirectoryName(relative) is not { Length: > 0 } folder)
        {
            throw new DatasetException($"'{change.File}' lies in no class folder, so it has no label to change.");
        }

        var old = Path.GetFileName(folder);
        if (change.Expected is { } expected && expected != old)
        {
            throw new DatasetException($"'{change.File}' has the label '{old}' and not '{expected}' as expected; list the labels anew.");
        }

        if (!classes.Contains(change.Label))
        {
            throw new DatasetException($"'{change.Label}' is not a class of '{_dataset}'; '{change.File}' cannot get it.{Suggestion.DidYouMean(change.Label, classes)}");
        }

        var target = Path.Combine(Path.GetDirectoryName(folder) ?? "", change.Label).Replace(Path.DirectorySeparatorChar, '/');
        var (stem, extension) = (Path.GetFileNameWithoutExtension(relative), Path.GetExtension(relative));
        var moved = $"{target}/{stem}{extension}";
        for (var n = 2; old != change.Label && (!taken.Add(moved) || File.Exists(Full(moved))); n++)
        {
            moved = $"{target}/{stem}-{n}{extension}";
        }

        return new(relative, moved, old, change.Label);
    }

    private void Transfer(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Full(to))!);
        _move(Full(from), Full(to));
    }

    private void UpdateManifest(Dictionary<string, (string File, string Label)> changes)
    {
        if (SplitManifest.Read(_dataset) is not { } manifest)
        {
            return;
        }

        var splits = manifest.Splits.ToDictionary(split => split.Key, split => (IReadOnlyList<SplitFileEntry>)[.. split.Value.Select(entry =>
            changes.TryGetValue(entry.File, out var change) ? entry with { File = change.File, Label = change.Label } : entry)]);
        (manifest with { Splits = splits }).Write(_dataset);
    }

    private List<RelabeledFile> ReadJournal()
    {
        if (!File.Exists(_journal))
        {
            return [];
        }

        try
        {
            return [.. File.ReadAllLines(_journal).Select(line => JsonSerializer.Deserialize(line, RelabeledJson.Default.RelabeledFile) ?? throw new JsonException("A line is null.")).Select(Checked)];
        }
        catch (JsonException e)
        {
            throw new DatasetException($"'{_journal}' is damaged: {e.Message} Move the pictures back by hand, and delete it.", e);
        }
    }

    private static RelabeledFile Checked(RelabeledFile file) =>
        new[] { file.File, file.Moved, file.OldLabel, file.Label }.All(path => path is not null && !Path.IsPathRooted(path) && !path.Split('/', '\\').Contains(".."))
            ? file
            : throw new JsonException("A line names a file outside of the dataset, or none.");

    // On the disk before the first file moves.
    private void WriteJournal(IReadOnlyList<RelabeledFile> files) =>
        AtomicFile.Write(_journal, string.Concat(files.Select(file => JsonSerializer.Serialize(file, RelabeledJson.Default.RelabeledFile) + "\n")), flush: true);

    private string Full(string relative) => Path.Combine(_dataset, relative);
}

[JsonSerializable(typeof(RelabeledFile))]
internal sealed partial class RelabeledJson : JsonSerializerContext;
