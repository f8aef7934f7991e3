using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vizsla.Distributed;
using Vizsla.Hub;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Data;
using Vizsla.Training.Losses;
using Vizsla.Training.Metrics;
using Vizsla.Training.Optimizers;
using Vizsla.Training.Schedules;

namespace Vizsla;

/// <summary>What a <see cref="Trainer"/> takes beside model, arguments and data.</summary>
/// <remarks>Source: the parameters of transformers' <c>Trainer</c>.</remarks>
public sealed record TrainerOptions
{
    /// <summary>Makes tensors of batches. Default stacks them.</summary>
    public Collator DataCollator { get; init; } = Collator.Default;

    /// <summary>What is computed of an evaluation. Default the accuracy; HF: <c>compute_metrics</c>.</summary>
    public IReadOnlyList<Metric> Metrics { get; init; } = [Metric.Accuracy];

    /// <summary>Are told what happens, in this order. Default none.</summary>
    public IEnumerable<TrainerCallback> Callbacks { get; init; } = [];

    /// <summary>Makes an optimizer of the parameter groups that the arguments ask for; null, the default, takes <see cref="TrainingArguments.Optim"/>. HF: the first of <c>optimizers</c>.</summary>
    /// <remarks>Called once for each training, with the network on its device; the trainer disposes what it makes.</remarks>
    public Func<IReadOnlyList<ParameterGroup>, Optimizer>? Optimizer { get; init; }

    /// <summary>Makes the schedule of an optimizer for a run of so many steps; null, the default, takes <see cref="TrainingArguments.LrSchedulerType"/>. HF: the second of <c>optimizers</c>.</summary>
    public Func<Optimizer, TrainingPlan, Schedule>? Schedule { get; init; }

    /// <summary>The loss; null, the default, is cross entropy with the smoothing and class weights of the arguments. HF: <c>compute_loss_func</c>.</summary>
    public LossFunction? ComputeLoss { get; init; }

    /// <summary>Receives phases and warnings. Default none.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>The processes that train together; stays the caller's. Default this one alone.</summary>
    /// <remarks>Every process makes the same trainer and the same calls. Rank 0 alone writes and pushes; callbacks run in each, and must decide alike.</remarks>
    public ProcessGroup Processes { get; init; } = ProcessGroup.Solo;

    /// <summary>The Hub to push to with <see cref="TrainingArguments.PushToHub"/>; stays the caller's. Null, the default, takes the one that the environment names.</summary>
    public HubClient? Hub { get; init; }

    /// <summary>Further keys of <c>training_args.json</c>; not compared when a run is resumed.</summary>
    public JsonObject Notes { get; init; } = [];
}
