using System.Collections.Concurrent;
using Vizsla.Datasets;
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

    /// <summary>The dataset that a run was trained on, or else the one given; null when neither is found.</summary>
    public DatasetDict? OfRun(RunSnapshot run) => FolderOfRun(run) is { } folder ? Load(folder) : null;

    private string? FolderOfRun(RunSnapshot run)
    {
        var named = Keys.Select(key => run.Arguments.GetValueOrDefault(key)).FirstOrDefault(value => !string.IsNullOrEmpty(value) && value != "null");
        return named is not null && Directory.Exists(named) ? named : options.Dataset;
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
