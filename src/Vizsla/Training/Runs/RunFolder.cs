using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Training.Checkpoints;
using Vizsla.Training.Reports;

namespace Vizsla.Training.Runs;

/// <summary>The files of a run folder besides its checkpoints.</summary>
/// <remarks>Source: <c>save_metrics</c>, <c>save_state</c> of transformers' <c>Trainer</c>. Parity: the same names, keys and layout.</remarks>
internal sealed class RunFolder(string path)
{
    /// <summary>Path of the folder.</summary>
    public string Path { get; } = path;

    /// <summary>Its checkpoints.</summary>
    public CheckpointFolders Checkpoints { get; } = new(path);

    /// <summary>Refuses a folder with a run that would be written over.</summary>
    /// <exception cref="TrainingException">There is a run, and it is not to be replaced.</exception>
    public void RequireFree()
    {
        if (Holds() is { } what)
        {
            throw new TrainingException(
                $"The folder '{Path}' holds another run ({what}). Go on with it by --resume_from_checkpoint true, replace it by --overwrite_output_dir true, or give another --output_dir.");
        }
    }

    /// <summary>Removes the files of a run, and nothing else.</summary>
    public void Clear()
    {
        foreach (var step in Checkpoints.Steps())
        {
            Checkpoints.Remove(step);
        }

        foreach (var file in RunFiles.All.Select(name => System.IO.Path.Combine(Path, name)).Where(File.Exists))
        {
            File.Delete(file);
        }
    }

    /// <summary>Writes a file of the run whole or not at all.</summary>
    public void WriteText(string name, string text)
    {
        Directory.CreateDirectory(Path);
        DurableFile.WriteText(System.IO.Path.Combine(Path, name), text);
    }

    /// <summary>Writes the metrics of a split, and adds them to those of all splits.</summary>
    /// <param name="split"><c>train</c>, <c>eval</c> or <c>test</c>.</param>
    /// <param name="metrics">Metrics by name.</param>
    public void WriteMetrics(string split, IReadOnlyDictionary<string, double> metrics)
    {
        var values = new JsonObject(metrics.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)JsonValue.Create(m.Value))));
        WriteText($"{split}_results.json", PythonJson.Serialize(values, indent: 4));
        var path = System.IO.Path.Combine(Path, RunFiles.AllResults);
        var all = File.Exists(path) && PythonJson.Parse(File.ReadAllText(path)) is JsonObject earlier ? earlier : [];
        foreach (var (name, value) in values)
        {
            all[name] = value?.DeepClone();
        }

        WriteText(RunFiles.AllResults, PythonJson.Serialize(all, indent: 4));
    }

    private string? Holds()
    {
        if (Checkpoints.Steps() is [.., var last])
        {
            return $"'{CheckpointNames.Of(last)}'";
        }

        return File.Exists(System.IO.Path.Combine(Path, TrainerState.FileName)) ? $"'{TrainerState.FileName}'" : null;
    }
}

/// <summary>Names of the files of a run.</summary>
internal static class RunFiles
{
    public const string Arguments = "training_args.json";
    public const string Events = "events.jsonl";
    public const string AllResults = "all_results.json";

    /// <summary>Patterns of what a run keeps for itself when its folder is pushed: checkpoints, scratch files, the lock.</summary>
    public static IReadOnlyList<string> NeverPushed { get; } =
        ["_*", "checkpoint-*", ".checkpoint-*", "*/checkpoint-*", "*.tmp", "*.incomplete", RunLock.FileName];

    /// <summary>What a run may write into its folder besides checkpoints.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        Arguments, Events, AllResults, "train_results.json", "eval_results.json", "test_results.json", TrainerState.FileName,
        "config.json", "model.safetensors", "preprocessor_config.json", "README.md",
        .. RunPlots.Files.Select(file => $"{RunPlots.Folder}/{file}"),
    ];
}
