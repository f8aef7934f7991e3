using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Adapters;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;
using Vizsla.Training.Optimizers;

namespace Vizsla.Runs.Cards;

/// <summary>The metadata of a model card, which the Hub reads.</summary>
/// <remarks>Source: <c>TrainingSummary.create_metadata</c> of transformers' <c>modelcard.py</c>. Parity: keys, order and values.</remarks>
internal static class CardFrontMatter
{
    // The only metrics that Python's cards list.
    private static readonly string[] KnownMetrics = ["accuracy", "f1", "matthews_correlation", "precision", "recall"];

    /// <summary>The metadata of a card.</summary>
    /// <param name="facts">What it is filled from.</param>
    /// <param name="summary">The results.</param>
    public static JsonObject Of(CardFacts facts, LogSummary summary)
    {
        var metadata = new JsonObject { ["library_name"] = facts.Adapter is null ? "transformers" : "peft" };
        if ((facts.Adapter?.BaseModelNameOrPath ?? facts.BaseModel) is { } source)
        {
            metadata["base_model"] = source;
        }

        var tags = new List<string> { "image-classification", "vision", "generated_from_trainer" };
        tags.AddRange(facts.Adapter is null ? [] : AdapterCard.Tags(facts.Adapter));
        metadata["tags"] = new JsonArray([.. tags.Select(t => (JsonNode)t)]);
        var dataset = DatasetOf(facts);
        if (dataset is not null)
        {
            metadata["datasets"] = new JsonArray(dataset);
        }

        var metrics = summary.Results.Where(r => KnownMetrics.Contains(Tag(r.Name))).ToArray();
        if (metrics.Length > 0)
        {
            metadata["metrics"] = new JsonArray([.. metrics.Select(r => (JsonNode)Tag(r.Name))]);
        }

        metadata["model-index"] = new JsonArray(new JsonObject
        {
            ["name"] = facts.Name,
            ["results"] = dataset is null || metrics.Length == 0 ? new JsonArray() : new JsonArray(Result(facts, dataset, metrics)),
        });
        return metadata;
    }

    /// <summary>The dataset's tag; null where it is not known.</summary>
    public static string? DatasetOf(CardFacts facts) => facts.Splits.Select(s => s.HubName).FirstOrDefault(n => n is not null)
        ?? (facts.Splits.Any(s => s.IsFolder) ? "imagefolder" : null);

    private static JsonObject Result(CardFacts facts, string dataset, (string Name, double Value)[] metrics) => new()
    {
        ["task"] = new JsonObject { ["name"] = "Image Classification", ["type"] = "image-classification" },
        ["dataset"] = new JsonObject
        {
            ["name"] = dataset,
            ["type"] = dataset,
            ["config"] = "default",
            ["split"] = facts.Splits[^1].Name ?? "train",
            ["args"] = "default",
        },
        ["metrics"] = new JsonArray([.. metrics.Select(r => (JsonNode)new JsonObject { ["name"] = r.Name, ["type"] = Tag(r.Name), ["value"] = r.Value })]),
    };

    private static string Tag(string name) => name.ToLowerInvariant();
}

/// <summary>The list of hyperparameters in a model card.</summary>
/// <remarks>Source: <c>extract_hyperparameters_from_trainer</c> of transformers' <c>modelcard.py</c>. Parity: the same lines; bf16 is listed too.</remarks>
internal static class CardHyperparameters
{
    /// <summary>The lines without their dashes.</summary>
    /// <param name="arguments">What was asked.</param>
    /// <param name="precision">Precision of the forward passes.</param>
    public static IEnumerable<string> Of(TrainingArguments arguments, string precision)
    {
        yield return "learning_rate: " + PythonJson.Repr(arguments.LearningRate);
        yield return Whole("train_batch_size", arguments.PerDeviceTrainBatchSize);
        yield return Whole("eval_batch_size", arguments.PerDeviceEvalBatchSize);
        yield return Whole("seed", arguments.Seed);
        if (arguments.GradientAccumulationSteps > 1)
        {
            yield return Whole("gradient_accumulation_steps", arguments.GradientAccumulationSteps);
            yield return Whole("total_train_batch_size", (long)arguments.PerDeviceTrainBatchSize * arguments.GradientAccumulationSteps);
        }

        yield return "optimizer: " + Optimizer(arguments);
        yield return "lr_scheduler_type: " + SnakeCase.Of(arguments.LrSchedulerType);
        if (arguments.WarmupRatio != 0)
        {
            yield return "lr_scheduler_warmup_ratio: " + PythonJson.Repr(arguments.WarmupRatio);
        }

        if (arguments.WarmupSteps != 0)
        {
            yield return "lr_scheduler_warmup_steps: " + (arguments.WarmupSteps == Math.Floor(arguments.WarmupSteps)
                ? arguments.WarmupSteps.ToString(CultureInfo.InvariantCulture)
                : PythonJson.Repr(arguments.WarmupSteps));
        }

        yield return arguments.MaxSteps > 0
            ? Whole("training_steps", arguments.MaxSteps)
            : "num_epochs: " + PythonJson.Repr(arguments.NumTrainEpochs);
        if (precision is not "float32")
        {
            yield return $"mixed_precision_training: {precision}";
        }

        if (arguments.LabelSmoothingFactor != 0)
        {
            yield return "label_smoothing_factor: " + PythonJson.Repr(arguments.LabelSmoothingFactor);
        }

        if (arguments.Freeze.Count > 0)
        {
            yield return "freeze: " + string.Join(", ", arguments.Freeze);
            yield return arguments.UnfreezeAtEpoch is { } epoch ? Whole("unfreeze_at_epoch", epoch) : "unfreeze_at_epoch: never";
        }
    }

    private static string Optimizer(TrainingArguments arguments)
    {
        var name = SnakeCase.Of(arguments.Optim);
        var others = arguments.OptimArgs is { Length: > 0 } given ? given : "No additional optimizer arguments";
        return name.Contains("adam", StringComparison.Ordinal)
            ? $"Use {name} with betas=({PythonJson.Repr(arguments.AdamBeta1)},{PythonJson.Repr(arguments.AdamBeta2)}) and epsilon={PythonJson.Repr(arguments.AdamEpsilon)} and optimizer_args={others}"
            : $"Use {name} and the args are:\n{others}";
    }

    private static string Whole(string name, long value) => string.Create(CultureInfo.InvariantCulture, $"{name}: {value}");
}
