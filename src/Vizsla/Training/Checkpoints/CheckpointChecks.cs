using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Adapters;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;

namespace Vizsla.Training.Checkpoints;

/// <summary>Finds checkpoints to resume from and says what is wrong with those that cannot be resumed.</summary>
internal static class CheckpointChecks
{
    private static readonly string[] Needed =
        [CheckpointNames.Optimizer, CheckpointNames.Scheduler, CheckpointNames.Generator, CheckpointNames.Progress, TrainerState.FileName];

    /// <summary>The checkpoint that <c>resume_from_checkpoint</c> means.</summary>
    /// <param name="asked">A folder, or <c>true</c>.</param>
    /// <param name="folders">The checkpoints of the run folder.</param>
    /// <returns>Its path; null where <c>true</c> was asked and there is none.</returns>
    /// <exception cref="TrainingException">The folder is absent.</exception>
    public static string? Find(string asked, CheckpointFolders folders)
    {
        if (bool.TryParse(asked, out var last))
        {
            return last ? folders.Steps().Reverse().Select(folders.PathOf).FirstOrDefault(f => Problem(f) is null) : null;
        }

        return Directory.Exists(asked)
            ? asked
            : throw new TrainingException($"There is no checkpoint '{asked}'. Give the path of a checkpoint folder, or 'true' for the last one in the run folder.");
    }

    /// <summary>Refuses a checkpoint that cannot be resumed.</summary>
    /// <exception cref="TrainingException">It is not whole, or holds weights alone.</exception>
    public static void RequireResumable(string folder)
    {
        if (Problem(folder) is { } problem)
        {
            throw new TrainingException($"The checkpoint '{folder}' cannot be resumed: {problem}. Resume from another one.");
        }
    }

    private static string? Problem(string folder)
    {
        if (PythonCheckpoint.Is(folder))
        {
            return PythonCheckpoint.Problem(folder);
        }

        var weights = AdapterConfig.IsIn(folder) ? NetworkAdapter.WeightsFile : CheckpointNames.Weights;
        var missing = Needed.Prepend(weights).Where(name => !File.Exists(Path.Combine(folder, name))).ToList();
        if (missing.Count > 0)
        {
            return missing.Contains(CheckpointNames.Optimizer) && !missing.Contains(weights)
                ? "it holds the model without the optimizer's state (save_only_model)"
                : $"it lacks {string.Join(", ", missing.Select(m => $"'{m}'"))}";
        }

        return CheckpointManifest.Problem(folder);
    }
}

/// <summary>The sizes of a checkpoint's files, by which a file that was cut short later is found.</summary>
internal static class CheckpointManifest
{
    public static void Write(string folder)
    {
        var sizes = Directory.EnumerateFiles(folder).Select(f => KeyValuePair.Create(Path.GetFileName(f), (JsonNode?)JsonValue.Create(new FileInfo(f).Length)));
        DurableFile.WriteText(Path.Combine(folder, CheckpointNames.Manifest), PythonJson.Serialize(new JsonObject { ["files"] = new JsonObject(sizes) }) + "\n");
    }

    /// <summary>What is wrong with a checkpoint, as half a sentence; null where it is whole.</summary>
    public static string? Problem(string folder)
    {
        try
        {
            var files = PythonJson.Parse(File.ReadAllText(Path.Combine(folder, CheckpointNames.Manifest)))?["files"] as JsonObject
                ?? throw new JsonException("No 'files'.");
            foreach (var (name, _) in files)
            {
                var file = new FileInfo(Path.Combine(folder, name));
                var size = files.Number(name);
                if (!file.Exists || file.Length != size)
                {
                    return file.Exists ? Invariant($"'{name}' has {file.Length} bytes, expected {size} bytes") : $"'{name}' is missing";
                }
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or FormatException)
        {
            return $"'{CheckpointNames.Manifest}' cannot be read ({e.Message})";
        }
    }
}
