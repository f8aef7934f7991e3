using System.Collections.Concurrent;
using Vizsla.Datasets;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Runs;

namespace Vizsla.Studio.Datasets;

/// <summary>The datasets that pages may show: the one given, and those of the runs.</summary>
internal sealed class DatasetLibrary(StudioOptions options)
{
    private static readonly string[] Keys = ["dataset", "dataset_name", "dataset_dir", "train_dir"];
    private static readonly EnumerationOptions Visible = new() { RecurseSubdirectories = true, MaxRecursionDepth = 3, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.Hidden | FileAttributes.ReparsePoint };

    private readonly ConcurrentDictionary<string, Lazy<DatasetDict>> _loaded = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private (DatasetDict Of, IReadOnlyList<DatasetPhoto> Photos)? _photos;
    private DateTime _changedOnDisk;
    private int _version;

    /// <summary>Raised on any thread when the given dataset is another: labels were changed, or pictures came or went.</summary>
    public event Action? Changed;

    /// <summary>Grows with each change of the given dataset; addresses of pictures hold it, since rows move.</summary>
    public int Version => _version;

    /// <summary>The dataset given when the studio was started; null when none was.</summary>
    /// <exception cref="DatasetException">Its folder holds no pictures in a known layout.</exception>
    public DatasetDict? Given => options.Dataset is { } folder ? Load(folder) : null;

    /// <summary>Every picture of the given dataset, split by split, in the order of their rows.</summary>
    /// <exception cref="DatasetException">Its folder holds no pictures in a known layout.</exception>
    public IReadOnlyList<DatasetPhoto> Photos
    {
        get
        {
            lock (_lock)
            {
                var given = Given;
                if (_photos is not { } known || !ReferenceEquals(known.Of, given))
                {
                    _photos = known = (given!, given is null ? [] : [.. given.SelectMany(split => List(split.Key, split.Value))]);
                }

                return known.Photos;
            }
        }
    }

    /// <summary>
    /// The dataset that a run names, where it lies inside the run's folder; else the one given; null without either. A run may come from somebody else:
    /// what it names elsewhere on this computer is not read unless it was given.
    /// </summary>
    public DatasetDict? OfRun(RunSnapshot run) => FolderOfRun(run) is { } folder ? Load(folder) : null;

    /// <summary>Whether the data of a run are those given when the studio was started.</summary>
    public bool IsGiven(RunSnapshot run) => options.Dataset is { } given && FolderOfRun(run) == given;

    /// <summary>Looks whether files came or went since the given dataset was read.</summary>
    public void Refresh()
    {
        if (options.Dataset is not { } folder || !Directory.Exists(folder))
        {
            return;
        }

        var changed = Directory.EnumerateDirectories(folder, "*", Visible).Prepend(folder).Max(Directory.GetLastWriteTimeUtc);
        lock (_lock)
        {
            if (changed == _changedOnDisk)
            {
                return;
            }

            var isFirst = _changedOnDisk == default;
            _changedOnDisk = changed;
            if (isFirst)
            {
                return;
            }
        }

        Forget();
    }

    /// <summary>The given dataset is read anew.</summary>
    public void Forget()
    {
        _loaded.TryRemove(Path.GetFullPath(options.Dataset!), out _);
        Interlocked.Increment(ref _version);
        Changed?.Invoke();
    }

    private static IEnumerable<DatasetPhoto> List(string split, ImageDataset rows) => Enumerable.Range(0, rows.Count)
        .Select(row => new DatasetPhoto(split, row, rows[row].Name, rows.ClassNames.Count > 0 ? rows.ClassNames[rows.Label(row)] : ""));

    private string? FolderOfRun(RunSnapshot run)
    {
        var named = Keys.Select(key => run.Arguments.GetValueOrDefault(key)).FirstOrDefault(value => !string.IsNullOrEmpty(value) && value != "null");
        return named is not null && Path.GetRelativePath(Path.GetFullPath(run.Folder), Path.GetFullPath(named, Path.GetFullPath(run.Folder))).Replace(Path.DirectorySeparatorChar, '/') is var relative
            && FolderGuard.Resolve(run.Folder, relative) is { } inside && Directory.Exists(inside)
            ? inside
            : options.Dataset;
    }

    private DatasetDict Load(string folder)
    {
        var key = Path.GetFullPath(folder);
        try
        {
            return _loaded.GetOrAdd(key, static path => new Lazy<DatasetDict>(() => DatasetDict.Load(path, new() { Rule = FolderRule.ImageFolder }))).Value;
        }
        catch (DatasetException)
        {
            // What is wrong may be put right while the studio runs.
            _loaded.TryRemove(key, out _);
            throw;
        }
    }
}

/// <summary>A picture of the given dataset.</summary>
/// <param name="Split">Its split.</param>
/// <param name="Row">Its row there.</param>
/// <param name="Path">Its file, or what else it is called.</param>
/// <param name="Label">Its class; empty where the dataset has none.</param>
public sealed record DatasetPhoto(string Split, int Row, string Path, string Label)
{
    /// <summary>Its name without folders.</summary>
    public string Name => System.IO.Path.GetFileName(Path);
}
