using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Vizsla.Primitives;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Checkpoints;

namespace Vizsla.Runs;

/// <summary>The files of a run folder besides its checkpoints.</summary>
/// <remarks>Source: <c>save_metrics</c>, <c>save_state</c> of transformers' <c>Trainer</c>. Parity: the same names, keys and layout.</remarks>
internal sealed partial class RunFolder(string path)
{
    private readonly CheckpointFolders _checkpoints = new(path);

    /// <summary>Decides whether a run starts from the beginning or is resumed, and clears the folder for it.</summary>
    /// <param name="arguments">What was asked.</param>
    /// <param name="logger">Is told which.</param>
    /// <returns>The checkpoint to resume from; null to start from the beginning.</returns>
    /// <exception cref="TrainingException">The folder holds another run, or the checkpoint cannot be resumed.</exception>
    /// <remarks>The caller holds the lock of the folder.</remarks>
    public string? Prepare(TrainingArguments arguments, ILogger logger)
    {
        _checkpoints.Sweep();
        StopRequest.Clear(path);
        if (arguments.ResumeFromCheckpoint is { } asked)
        {
            if (CheckpointChecks.Find(asked, _checkpoints) is { } checkpoint)
            {
                CheckpointChecks.RequireResumable(checkpoint);
                ResumingFrom(logger, checkpoint);
                return checkpoint;
            }

            if (_checkpoints.Steps().Count == 0)
            {
                StartingAnew(logger, path);
                return null;
            }
        }

        if (arguments.OverwriteOutputDir)
        {
            Clear();
        }
        else
        {
            RequireFree();
        }

        return null;
    }

    /// <summary>Refuses arguments whose run would be written over another, before pictures and weights are read.</summary>
    /// <param name="arguments">What was asked.</param>
    /// <exception cref="TrainingException">There is a run, and it is neither to be resumed nor replaced.</exception>
    public static void RequireFree(TrainingArguments arguments)
    {
        if (arguments is { ResumeFromCheckpoint: null, OverwriteOutputDir: false })
        {
            new RunFolder(arguments.OutputDir).RequireFree();
        }
    }

    /// <summary>Refuses a folder with a run that would be written over.</summary>
    /// <exception cref="TrainingException">There is a run, and it is not to be replaced.</exception>
    private void RequireFree()
    {
        if (Holds() is { } what)
        {
            throw new TrainingException(
                $"The folder '{path}' holds another run ({what}). Resume it with resume_from_checkpoint, replace it with overwrite_output_dir, or give another output_dir.");
        }
    }

    /// <summary>Removes the files of a run, and nothing else.</summary>
    private void Clear()
    {
        foreach (var step in _checkpoints.Steps())
        {
            _checkpoints.Remove(step);
        }

        foreach (var file in RunFiles.All.Select(name => Path.Combine(path, name)).Where(File.Exists))
        {
            File.Delete(file);
        }
    }

    /// <summary>Writes a file of the run whole or not at all.</summary>
    public void WriteText(string name, string text)
    {
        Directory.CreateDirectory(path);
        DurableFile.WriteText(Path.Combine(path, name), text);
    }

    /// <summary>Writes the metrics of a split, and adds them to those of all splits.</summary>
    /// <param name="split"><c>train</c>, <c>eval</c> or <c>test</c>.</param>
    /// <param name="metrics">Metrics by name.</param>
    public void WriteMetrics(string split, IReadOnlyDictionary<string, double> metrics)
    {
        var values = new JsonObject(metrics.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)JsonValue.Create(m.Value))));
        WriteText($"{split}_results.json", PythonJson.Serialize(values, indent: 4));
        var file = Path.Combine(path, RunFiles.AllResults);
        var all = File.Exists(file) && PythonJson.Parse(File.ReadAllText(file)) is JsonObject earlier ? earlier : [];
        foreach (var (name, value) in values)
        {
            all[name] = value?.DeepClone();
        }

        WriteText(RunFiles.AllResults, PythonJson.Serialize(all, indent: 4));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Resuming from '{Checkpoint}'.")]
    private static partial void ResumingFrom(ILogger logger, string checkpoint);

    [LoggerMessage(Level = LogLevel.Warning, Message = "'{Folder}' holds no whole checkpoint to resume from: the run starts anew.")]
    private static partial void StartingAnew(ILogger logger, string folder);

    private string? Holds()
    {
        if (_checkpoints.Steps() is [.., var last])
        {
            return $"'{CheckpointNames.Of(last)}'";
        }

        return File.Exists(Path.Combine(path, TrainerState.FileName)) ? $"'{TrainerState.FileName}'" : null;
    }
}

/// <summary>Names of the files of a run.</summary>
internal static class RunFiles
{
    public const string Arguments = CheckpointNames.Arguments;
    public const string Events = "events.jsonl";
    public const string AllResults = "all_results.json";

    /// <summary>Patterns of what a run keeps for itself when its folder is pushed: checkpoints, scratch files, the lock.</summary>
    public static IReadOnlyList<string> NeverPushed { get; } =
        ["_*", "checkpoint-*", ".checkpoint-*", "*/checkpoint-*", "*.tmp", "*.incomplete", RunLock.FileName, StopRequest.FileName];

    /// <summary>What a run may write into its folder besides checkpoints.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        Arguments, Events, AllResults, "train_results.json", "eval_results.json", "test_results.json", TrainerState.FileName,
        "config.json", "model.safetensors", "adapter_config.json", "adapter_model.safetensors", "preprocessor_config.json", Inference.Calibration.FileName, "README.md",
        .. RunPlots.Files.Select(file => $"{RunPlots.Folder}/{file}"),
    ];
}

/// <summary>Keeps a run folder to one process; the system releases it when the process ends, however it ends.</summary>
internal sealed class RunLock : IDisposable
{
    internal const string FileName = "run.lock";

    // What .NET reports for a file that another process has: ERROR_SHARING_VIOLATION, EWOULDBLOCK on Linux and on macOS.
    private static readonly int[] InUse = [unchecked((int)0x80070020), 11, 35];
    private readonly FileStream _file;

    private RunLock(FileStream file) => _file = file;

    /// <summary>Takes the lock.</summary>
    /// <param name="folder">The run folder; created when absent.</param>
    /// <exception cref="TrainingException">Another process has it, or the folder cannot be written.</exception>
    public static RunLock Take(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TrainingException($"The run folder '{folder}' cannot be created: {e.Message}", e);
        }

        try
        {
            return new(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (InUse.Contains(e.HResult))
        {
            throw new TrainingException($"The run folder '{folder}' is in use by another training: wait for it, or give another output_dir.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TrainingException($"The run folder '{folder}' cannot be written: {e.Message.TrimEnd('.')}. Give another output_dir.", e);
        }
    }

    /// <summary>Whether a training has a run folder.</summary>
    /// <param name="folder">A folder with the file of a lock.</param>
    public static bool IsTaken(string folder)
    {
        try
        {
            Take(folder).Dispose();
            return false;
        }
        catch (TrainingException e) when (e.InnerException is IOException { HResult: var code } && InUse.Contains(code))
        {
            return true;
        }
    }

    /// <summary>Releases the folder. The file stays: removing it could take away the lock of who opened it next.</summary>
    public void Dispose() => _file.Dispose();
}
