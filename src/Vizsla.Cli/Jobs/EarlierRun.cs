using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Cli.Commands;
using Vizsla.Primitives;

namespace Vizsla.Cli.Jobs;

/// <summary>What a run was asked, kept in its <c>training_args.json</c>, so that a command which only says to go on needs to say nothing else.</summary>
internal static class EarlierRun
{
    private const string FileName = "training_args.json";
    private const string Job = "job";
    private const string Dataset = "dataset";

    // Said anew by each command.
    private static readonly string[] NotRemembered = ["output_dir", "resume_from_checkpoint", "overwrite_output_dir"];

    /// <summary>Notes what the verb was asked beside the training arguments.</summary>
    /// <param name="notes">Further keys of <c>training_args.json</c>.</param>
    /// <param name="options">What the verb was asked.</param>
    public static void Note(JsonObject notes, TrainingJobOptions options)
    {
        notes[Dataset] = options.Dataset;
        var job = new JsonObject
        {
            ["model"] = options.Model,
            ["from_scratch"] = options.FromScratch,
            ["image_size"] = options.ImageSize,
            ["dataset_revision"] = options.DatasetRevision,
            ["model_revision"] = options.ModelRevision,
            ["loader"] = DatasetFlags.Word(options.Loading.Rule),
            ["image_column"] = options.Loading.ImageColumn,
            ["label_column"] = options.Loading.LabelColumn,
            ["train_split"] = options.TrainSplit,
            ["eval_split"] = options.EvalSplit,
            ["ignore_mismatched_sizes"] = options.IgnoreMismatchedSizes,
            ["bad_images"] = options.SkipBadImages ? "skip" : "error",
            ["transforms"] = options.Transforms.ToJson(),
        };
        foreach (var (name, value) in options.Adapter?.Given ?? [])
        {
            job[name] = value?.DeepClone();
        }

        notes[Job] = job;
    }

    /// <summary>The arguments and options of an earlier run as a configuration file holds them.</summary>
    /// <param name="resumed">A checkpoint, or <c>true</c> for the last one of the run folder.</param>
    /// <param name="output">The run folder; null where it is not given.</param>
    /// <returns>The configuration; empty where nothing is known of an earlier run.</returns>
    /// <exception cref="UsageException">The file cannot be read.</exception>
    public static JsonObject Read(string resumed, string? output)
    {
        var folder = bool.TryParse(resumed, out var goesOn) ? goesOn ? output : null : resumed;
        var path = folder is null ? null : Path.Combine(folder, FileName);
        if (path is null || !File.Exists(path))
        {
            return [];
        }

        try
        {
            var file = PythonJson.Parse(File.ReadAllText(path)) as JsonObject ?? [];
            var config = (file["arguments"] as JsonObject ?? []).DeepClone().AsObject();
            foreach (var name in NotRemembered)
            {
                config.Remove(name);
            }

            foreach (var (name, value) in (file[Job] as JsonObject ?? []).Append(KeyValuePair.Create(Dataset, file[Dataset])))
            {
                config[name] = value?.DeepClone();
            }

            return config;
        }
        catch (JsonException e)
        {
            throw new UsageException($"'{path}' is not JSON: {e.Message} Give the run's arguments again, or resume from one of its checkpoints.");
        }
    }
}
