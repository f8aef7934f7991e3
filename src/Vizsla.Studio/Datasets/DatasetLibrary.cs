using System.Collections.Concurrent;
using Vizsla.Datasets;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Runs;

namespace Vizsla.Studio.Datasets;

/// <summary>The datasets that pages may show: the one given, and those of the runs.</summary>
internal sealed class DatasetLibrary(StudioOptions options)
{
    private static readonly string[] Keys = ["dataset", "dataset_name", "dataset_dir", "train_dir"];

    private readonly ConcurrentDictionary<string, Lazy<DatasetDict>> _loaded = new(StringComparer.Ordinal);

    /// <summary>The dataset given when the studio was started; null when none was.</summary>
    /// <exception cref="DatasetException">Its folder holds no pictures in a known layout.</exception>
    public DatasetDict? Given => options.Dataset is { } folder ? Load(folder) : null;

    /// <summary>
    /// The dataset that a run names, where it lies inside the run's folder; else the one given; null without either. A run may come from somebody else:
    /// what it names elsewhere on this computer is not read unless it was given.
    /// </summary>
    public DatasetDict? OfRun(RunSnapshot run) => FolderOfRun(run) is { } folder ? Load(folder) : null;

    /// <summary>Whether the data of a run are those given when the studio was started.</summary>
    public bool IsGiven(RunSnapshot run) => options.Dataset is { } given && FolderOfRun(run) == given;

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
