using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using TorchSharp;
using Vizsla.Training.Evaluation;
using Vizsla.Training.Losses;
using Vizsla.Training.Runs;
using Vizsla.Training.Steps;

namespace Vizsla.Training;

/// <summary>What a trainer lends to each of its trainings.</summary>
internal sealed record SessionParts
{
    public required TrainingArguments Arguments { get; init; }

    public required ImageClassifier Model { get; init; }

    public required TrainerContext Context { get; init; }

    public required CallbackList Callbacks { get; init; }

    public required Evaluator Evaluator { get; init; }

    public required ImageDataset? EvalDataset { get; init; }

    public required BestModel Best { get; init; }

    public required ClassificationLoss Loss { get; init; }

    public required ComputePrecision Precision { get; init; }

    public required Collator Collator { get; init; }

    public required torch.Device Device { get; init; }

    public required RunFolder Folder { get; init; }

    public required EventLog Events { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>Further keys of <c>training_args.json</c>.</summary>
    public JsonObject Notes { get; } = [];

    /// <summary>Writes model, configuration and image processor into a folder.</summary>
    public required Action<string> SaveModel { get; init; }

    /// <summary>Adds a row to the log, with epoch and step.</summary>
    public required Action<IReadOnlyDictionary<string, double>> Log { get; init; }
}
