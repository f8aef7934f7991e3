using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using TorchSharp;
using Vizsla.Models;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;
using Vizsla.Training.Data;
using Vizsla.Training.Metrics;

namespace Vizsla.Training.Checkpoints;

/// <summary>What was asked, of what, with what: the contents of <c>training_args.json</c>.</summary>
internal sealed class RunDescription
{
    private RunDescription(JsonObject json) => Json = json;

    /// <summary>Arguments under the names of Hugging Face, versions, device, data and model.</summary>
    public JsonObject Json { get; }

    /// <summary>The text of the file, with the way that convolutions are computed by now: the first batch may have shown that another is needed.</summary>
    public string FileText
    {
        get
        {
            Json["convolutions"] = Native.Convolutions.Name(Native.Convolutions.Way);
            return PythonJson.Serialize(Json) + "\n";
        }
    }

    /// <summary>Describes a run that is about to begin.</summary>
    /// <param name="compute">Arguments, network, device and precision.</param>
    /// <param name="train">The training split.</param>
    /// <param name="evaluation">The evaluation split; null without one.</param>
    /// <param name="adapter">The configuration of an adapter; null without one.</param>
    /// <param name="notes">Further keys.</param>
    public static RunDescription Of(ComputeContext compute, ImageDataset train, ImageDataset? evaluation, JsonObject? adapter, JsonObject notes)
    {
        var network = compute.Network;
        var json = new JsonObject
        {
            ["arguments"] = new JsonObject(ArgumentTable.Fields.Select(f => KeyValuePair.Create(f.Name, ArgumentText.ToJson(f.ValueOf(compute.Arguments))))),
            ["data"] = new JsonObject { ["train"] = Data(train), ["eval"] = evaluation is null ? null : Data(evaluation) },
            ["convolutions"] = Native.Convolutions.Name(Native.Convolutions.Way),
            ["device"] = compute.Device.ToString(),
            ["model"] = new JsonObject
            {
                ["model_type"] = network.Configuration.ModelType,
                ["class"] = network.ClassName,
                ["parameters"] = network.parameters().Sum(p => p.numel()),
                ["labels"] = network.Configuration.LabelCount,
            },
            ["precision"] = compute.PrecisionName,
            ["processes"] = compute.Processes.Size,
            ["threads"] = torch.get_num_threads(),
            ["versions"] = new JsonObject
            {
                ["vizsla"] = typeof(Trainer).Assembly.GetName().Version!.ToString(3),
                ["dotnet"] = Environment.Version.ToString(),
                ["torchsharp"] = typeof(torch).Assembly.GetName().Version!.ToString(3),
                ["libtorch"] = Native.LibTorch.Version?.ToString(),
                ["os"] = RuntimeInformation.OSDescription,
            },
        };
        if (adapter is not null)
        {
            json["adapter"] = adapter.DeepClone();
        }

        foreach (var (name, value) in notes)
        {
            json[name] = value?.DeepClone();
        }

        return new(json);
    }

    /// <summary>Reads a file written before.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="System.Text.Json.JsonException">It is not JSON.</exception>
    public static RunDescription Load(string path) => new(PythonJson.Parse(File.ReadAllText(path)) as JsonObject ?? []);

    /// <summary>The arguments, by name.</summary>
    public JsonObject Arguments => Json["arguments"] as JsonObject ?? [];

    /// <summary>Processes that train together; 1 where the file does not say.</summary>
    public int ProcessCount => Json.Whole("processes") ?? 1;

    /// <summary>Pictures of an optimizer step.</summary>
    public double PicturesPerStep => ProcessCount * (Arguments.Number("per_device_train_batch_size") ?? 8) * (Arguments.Number("gradient_accumulation_steps") ?? 1);

    /// <summary>Fingerprint of the training split; null where the file does not say.</summary>
    public string? TrainFingerprint => (Json["data"]?["train"] as JsonObject)?["fingerprint"]?.GetValue<string>();

    /// <summary>The pipeline of the training split as text; null where the file does not say.</summary>
    public string? TrainTransform => (Json["data"]?["train"] as JsonObject)?["transform"]?.GetValue<string>();

    /// <summary>The configuration of the adapter as text; null without one.</summary>
    public string? Adapter => Json["adapter"] is { } adapter ? PythonJson.Serialize(adapter, indent: null) : null;

    /// <summary>Precision of the forward passes; null where the file does not say.</summary>
    public string? Precision => Json["precision"]?.GetValue<string>();

    private static JsonObject Data(ImageDataset dataset) => new()
    {
        ["split"] = dataset.Split,
        ["rows"] = dataset.Count,
        ["fingerprint"] = dataset.Fingerprint,
        ["transform"] = dataset.Transform?.ToString(),
    };
}

/// <summary>Compares the arguments of a resumed run with those it began with.</summary>
internal static partial class ArgumentChanges
{
    // What may differ without changing a number of the run: where it lies, what is written and how fast it goes.
    private static readonly HashSet<string> Harmless =
    [
        "output_dir", "overwrite_output_dir", "resume_from_checkpoint", "run_name", "report_to", "log_level", "logging_dir", "disable_tqdm", "skip_memory_metrics",
        "dataloader_num_workers", "dataloader_prefetch_factor", "dataloader_pin_memory", "eval_accumulation_steps", "save_total_limit", "save_only_model",
        "save_python_state", "do_train", "do_eval", "do_predict", "stop_on_nan", "auto_find_batch_size", "feature_cache",
        "push_to_hub", "ddp_timeout", "hub_model_id", "hub_strategy", "hub_token", "hub_private_repo", "hub_always_push", "hub_revision",
    ];

    // What makes up the pictures of a step, with the number of processes.
    private static readonly string[] s_batch = ["per_device_train_batch_size", "gradient_accumulation_steps"];

    // What changes when rows, evaluations and checkpoints are made, and from which of them the best is chosen, but no weight on the way.
    private static readonly HashSet<string> Visible =
    [
        "eval_strategy", "eval_steps", "eval_delay", "eval_on_start", "logging_strategy", "logging_steps", "logging_first_step", "logging_nan_inf_filter", "save_strategy", "save_steps",
        "per_device_eval_batch_size", "bf16_full_eval", "fp16_full_eval", "prediction_loss_only", "load_best_model_at_end", "metric_for_best_model", "greater_is_better",
        "early_stopping_patience", "early_stopping_threshold", "restore_callback_states_from_checkpoint",
    ];

    /// <summary>Lists what differs and refuses what would change the meaning of the run.</summary>
    /// <param name="checkpoint">The checkpoint to resume from.</param>
    /// <param name="now">What is asked now.</param>
    /// <param name="logger">Receives each difference that is allowed.</param>
    /// <exception cref="TrainingException">Something differs that the steps so far were made with.</exception>
    public static void Check(string checkpoint, RunDescription now, ILogger logger)
    {
        var path = Path.Combine(checkpoint, CheckpointNames.Arguments);
        if (!File.Exists(path))
        {
            return;
        }

        var then = Read(path);
        var changes = Differences(then.Arguments, now.Arguments).Where(c => !Harmless.Contains(c.Name)).ToList();
        var refused = changes.Where(c => !Visible.Contains(c.Name) && !IsMereExtension(c.Name, then.Arguments, now.Arguments)).Select(c => $"{c.Name} was {c.Then} and is {c.Now}").ToList();
        if (then.ProcessCount != now.ProcessCount)
        {
            TakeProcesses(then, now, refused);
        }

        if (then.TrainFingerprint is { } fingerprint && fingerprint != now.TrainFingerprint)
        {
            refused.Add("the training pictures are not the same");
        }

        if (then.Adapter != now.Adapter)
        {
            refused.Add("the adapter's configuration is not the same");
        }

        if (then.TrainTransform is { } transform && transform != now.TrainTransform)
        {
            refused.Add($"the training transform was {transform} and is {now.TrainTransform ?? "none"}");
        }

        if (refused.Count > 0)
        {
            throw new TrainingException(
                $"The run cannot be resumed from '{checkpoint}' with other settings than it began with: {string.Join("; ", refused)}. Give the first ones, or start anew with another output_dir."
                + (refused.Any(IsForLonger) ? $" To train a finished run further, start a new one from its model: vizsla train --model {now.Arguments["output_dir"]} --output ANOTHER, with the new settings." : ""));
        }

        foreach (var (name, before, after) in changes)
        {
            Changed(logger, name, before, after);
        }

        if (then.Precision is { } precision && precision != now.Precision)
        {
            Changed(logger, "precision", precision, now.Precision!);
        }
    }

    /// <summary>Another number of processes goes on exactly where a step takes as many pictures as before.</summary>
    private static void TakeProcesses(RunDescription then, RunDescription now, List<string> refused)
    {
        if (then.PicturesPerStep != now.PicturesPerStep)
        {
            refused.RemoveAll(change => s_batch.Any(name => change.StartsWith(name + " ", StringComparison.Ordinal)));
            refused.Add(Invariant($"{then.ProcessCount} {Processes(then)} took {then.PicturesPerStep} pictures a step, and {now.ProcessCount} {Processes(now)} would take {now.PicturesPerStep} (choose per_device_train_batch_size and gradient_accumulation_steps so that it is {then.PicturesPerStep} again)"));
        }
        else
        {
            refused.RemoveAll(change => s_batch.Any(name => change.StartsWith(name + " ", StringComparison.Ordinal)));
        }

        if (now.Arguments["dataloader_drop_last"]?.GetValue<bool>() == true)
        {
            refused.Add("with dataloader_drop_last another number of processes leaves out other pictures");
        }

        if (Text(now.Arguments["distributed_order"]) == "\"accelerate\"")
        {
            refused.Add("with distributed_order accelerate another number of processes takes other pictures");
        }

        static string Processes(RunDescription run) => run.ProcessCount == 1 ? "process" : "processes";
    }

    // A constant rate does not depend on how long the run is: more epochs change no step that was made.
    private static bool IsMereExtension(string name, JsonObject then, JsonObject now) =>
        name == "num_train_epochs" && now.Number(name) > then.Number(name) && Text(now["lr_scheduler_type"]) is var schedule
        && (schedule == "\"constant\"" || (schedule == "\"constant_with_warmup\"" && now.Number("warmup_steps") is >= 1 or 0 && now.Number("warmup_ratio") is 0 or null))
        && now["unfreeze_learning_rate"] is null && now.Whole("swa_epochs") is null or 0;

    private static bool IsForLonger(string change) =>
        change.StartsWith("num_train_epochs ", StringComparison.Ordinal) || change.StartsWith("max_steps ", StringComparison.Ordinal) || change.StartsWith("learning_rate ", StringComparison.Ordinal);

    private static RunDescription Read(string path)
    {
        try
        {
            return RunDescription.Load(path);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            throw new TrainingException($"The settings '{path}' of the checkpoint cannot be read: {e.Message}", e);
        }
    }

    private static IEnumerable<(string Name, string Then, string Now)> Differences(JsonObject then, JsonObject now) =>
        from field in ArgumentTable.Fields
        let before = then.ContainsKey(field.Name) ? Text(then[field.Name]) : Text(ArgumentText.ToJson(field.Default))
        let after = Text(now[field.Name])
        where before != after
        select (field.Name, before, after);

    // Steps are kept as float numbers, for they may be shares.
    private static string Text(JsonNode? value) =>
        PythonJson.Serialize(value, indent: null) is var text && value is JsonValue && text.EndsWith(".0", StringComparison.Ordinal) ? text[..^2] : text;

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Argument} was {Then} when the run began and is {Now}.")]
    private static partial void Changed(ILogger logger, string argument, string then, string now);
}
