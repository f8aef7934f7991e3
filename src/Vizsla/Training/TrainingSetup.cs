using Microsoft.Extensions.Logging;
using TorchSharp;
using Vizsla.Distributed;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Native;
using Vizsla.Training.Arguments;
using Vizsla.Training.Checkpoints;
using Vizsla.Training.Data;
using Vizsla.Training.Losses;
using Vizsla.Training.Optimizers;
using Vizsla.Training.Schedules;
using static TorchSharp.torch;

namespace Vizsla.Training;

/// <summary>What one training is made of, built from arguments, model and data.</summary>
/// <remarks>Disposing it disposes what it built, and leaves the network whole: trainable, in evaluation mode, no patches dropped.</remarks>
internal sealed class TrainingSetup : IDisposable
{
    private readonly Func<RunDescription> _describe;
    private RunDescription? _description;

    /// <param name="model">The model, on its device.</param>
    /// <param name="compute">Where and in which precision it computes.</param>
    /// <param name="loss">The loss; left to the caller.</param>
    /// <param name="train">The training split.</param>
    /// <param name="evaluation">The evaluation split; null without one.</param>
    /// <param name="options">An optimizer and a schedule of the caller's, and what else goes into <c>training_args.json</c>.</param>
    /// <param name="greaterIsBetter">Direction of the best metric, for a plateau.</param>
    /// <param name="stop">Ends a computation of features after the batch that runs.</param>
    /// <param name="probe">Solves the head; null where it trains.</param>
    public TrainingSetup(
        ImageClassifier model, ComputeContext compute, TrainingLoss loss, ImageDataset train, ImageDataset? evaluation,
        TrainerOptions options, bool greaterIsBetter, CancellationToken stop, HeadProbe? probe = null)
    {
        (Model, Compute, Loss, TrainDataset, EvalDataset) = (model, compute, loss, train, evaluation);
        if (Arguments.GradientCheckpointing)
        {
            MemoryReuse.GiveBackLargeBlocks();
        }

        Plan = new TrainingPlan(Arguments, train.Count, Processes.Size);
        Freezing = new Freezing(Network, Arguments, model.ActiveAdapter?.Trained);
        Cache = FeatureCache.For(compute, train, evaluation, Freezing, options.Logger, Processes.IsShared ? CancellationToken.None : stop);
        var noise = Processes.IsShared && Arguments is { PatchDropRate: > 0, DistributedOrder: DistributedOrder.Same, AutoFindBatchSize: false } ? new SharedPatchNoise(Processes) : null;
        Data = new TrainingData(train, Arguments, Plan, model.Labels.Count, Cache, Processes) { PatchNoise = noise };
        var groups = ParameterGroups.Create(Network, Arguments, Freezing.EverTrained);
        Optimizer = options.Optimizer?.Invoke(groups) ?? (probe is null ? null : new SolvedHead(groups, probe)) ?? OptimizerTable.Create(Arguments, groups);
        Schedule = options.Schedule?.Invoke(Optimizer, Plan)
            ?? PhasedSchedule.Create(Arguments, Plan, [.. Optimizer.Groups.Select(g => g.BaseLearningRate)], greaterIsBetter);
        Meter = new LossMeter(compute.Device, Arguments.LoggingNanInfFilter && !Arguments.StopOnNan);
        Guard = Arguments.StopOnNan ? new FiniteGuard(train, compute.Device) : null;
        Scaler = compute.Precision.Training == ScalarType.Float16 ? new LossScaler() : null;
        Average = Arguments.EmaDecay > 0 ? new WeightAverage(model.SavedState, Arguments.EmaDecay) : null;
        Epochs = Arguments.SwaEpochs > 0 ? new EpochAverage(model.SavedState, Network.named_buffers().Select(b => b.name).ToHashSet(StringComparer.Ordinal)) : null;
        MemoryFit = Arguments.AutoFindBatchSize ? new MemoryFit(Network, Arguments.PerDeviceTrainBatchSize) : null;
        Distillation = Distillation.For(compute, model.Labels, train);
        Exchange = Processes.IsShared ? new GradientExchange(Processes, Optimizer, Network) { LeavesInBackward = MemoryFit is null && !Arguments.SyncBatchNorm && !Arguments.GradientCheckpointing, Precision = Arguments.DdpCommHook } : null;
        Checkpoint = new Checkpoint(model, Optimizer, Schedule, Meter, Average, Scaler) { Epochs = Epochs };
        ParameterCount = Network.parameters().Sum(p => p.numel()) + (model.ActiveAdapter?.SavedCount ?? 0);
        (Network.PatchDropRate, Network.PatchNoise) = (Arguments.PatchDropRate, noise is null ? null : noise.Draw);
        if (Arguments.SyncBatchNorm && Processes.IsShared)
        {
            ShareNorms(values => Processes.AllReduce(values));
        }

        _describe = () => RunDescription.Of(compute, train, evaluation, model.Adapter?.Json, options.Notes);
    }

    public TrainingArguments Arguments => Compute.Arguments;

    /// <summary>The processes that train together.</summary>
    public ProcessGroup Processes => Compute.Processes;

    public ImageClassifier Model { get; }

    public ClassificationNetwork Network => Compute.Network;

    public ComputeContext Compute { get; }

    public TrainingLoss Loss { get; }

    public ImageDataset TrainDataset { get; }

    public ImageDataset? EvalDataset { get; }

    /// <summary>Steps and epochs of the run.</summary>
    public TrainingPlan Plan { get; }

    /// <summary>What trains, and from when.</summary>
    public Freezing Freezing { get; }

    /// <summary>Features of a frozen backbone; null where each picture runs through it in each epoch.</summary>
    public FeatureCache? Cache { get; }

    /// <summary>The training split as steps.</summary>
    public TrainingData Data { get; }

    public Optimizer Optimizer { get; }

    public Schedule Schedule { get; }

    /// <summary>Losses since the last row.</summary>
    public LossMeter Meter { get; }

    /// <summary>Stops at a loss or gradient that is not finite; null where that was not asked for.</summary>
    public FiniteGuard? Guard { get; }

    /// <summary>Adds up the gradients of several processes; null for one.</summary>
    public GradientExchange? Exchange { get; }

    /// <summary>The loss scale; null but in float16.</summary>
    public LossScaler? Scaler { get; }

    /// <summary>The moving average of the weights; null where there is none.</summary>
    public WeightAverage? Average { get; }

    /// <summary>The mean of the weights of the last epochs; null where there is none.</summary>
    public EpochAverage? Epochs { get; }

    /// <summary>The teacher's part of the loss; null where there is none.</summary>
    public Distillation? Distillation { get; }

    /// <summary>Cuts micro-batches until they fit in memory; null where that was not asked for.</summary>
    public MemoryFit? MemoryFit { get; }

    /// <summary>Writes and reads what a resumed run needs.</summary>
    public Checkpoint Checkpoint { get; }

    /// <summary>Parameters of the network, trained or not; of modules that train in full beside an adapter Python has two.</summary>
    public long ParameterCount { get; }

    /// <summary>The contents of <c>training_args.json</c>.</summary>
    public RunDescription Description => _description ??= _describe();

    public void Dispose()
    {
        (Network.PatchDropRate, Network.PatchNoise) = (0, null);
        ShareNorms(null);
        Exchange?.Dispose();
        Average?.Dispose();
        Epochs?.Dispose();
        Distillation?.Dispose();
        Freezing.Dispose();
        Guard?.Dispose();
        MemoryFit?.Dispose();
        Optimizer.Dispose();
        Meter.Dispose();
        Network.Evaluate();
    }

    private void ShareNorms(Action<float[]>? sum)
    {
        foreach (var norm in ModuleTree.Layers(Network).OfType<BatchNormalization>())
        {
            norm.SumOverProcesses = sum;
        }
    }
}
