using TorchSharp;
using Vizsla.Native;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Data;
using Vizsla.Training.Losses;
using Vizsla.Training.Schedules;
using static TorchSharp.torch;

namespace Vizsla.Training.RateSearch;

/// <summary>Trains a few steps, each at a larger learning rate, and takes them all back.</summary>
/// <remarks>It is the training itself, with a schedule that rises, a callback that watches the loss, and nothing written, saved or evaluated.</remarks>
internal sealed class LearningRateFinder(ImageClassifier model, ComputeContext compute, TrainingLoss loss, LearningRateSearch search, TrainerOptions options)
{
    /// <summary>Tries the rates; weights, buffers and libtorch's generator end as they began.</summary>
    /// <param name="train">The training split.</param>
    /// <param name="evaluation">The evaluation split, for its transform; null without one.</param>
    /// <param name="stepDone">Is told of each step; null for nobody.</param>
    /// <param name="cancellationToken">Ends the search between two steps.</param>
    public LearningRateCurve Run(ImageDataset train, ImageDataset? evaluation, Action<int>? stepDone, CancellationToken cancellationToken)
    {
        var generator = TorchGenerator.GetState();
        var before = compute.Network.State().Select(t => (t.Value, Kept: t.Value.Copy().DetachFromDisposeScope())).ToList();
        try
        {
            var watcher = new LossWatcher(search, stepDone);
            Train(train, evaluation, watcher, cancellationToken);
            return new LearningRateCurve(watcher.Points, search.Steps);
        }
        finally
        {
            using var noGradient = no_grad();
            foreach (var (value, kept) in before)
            {
                value.copy_(kept);
                kept.Dispose();
            }

            TorchGenerator.SetState(generator);
        }
    }

    private void Train(ImageDataset train, ImageDataset? evaluation, LossWatcher watcher, CancellationToken stop)
    {
        var rate = compute.Arguments.LearningRate;
        var arguments = compute.Arguments with
        {
            MaxSteps = search.Steps, EvalStrategy = IntervalStrategy.No, EvalOnStart = false, LoggingStrategy = IntervalStrategy.No, LoggingFirstStep = false,
            SaveStrategy = SaveStrategy.No, LoadBestModelAtEnd = false, MetricForBestModel = null, EarlyStoppingPatience = null, StopOnNan = false, EmaDecay = 0, SwaEpochs = 0,
        };

        // Groups with rates of their own keep their share.
        var rising = options with { Schedule = (optimizer, _) => new FactorSchedule([.. optimizer.Groups.Select(g => g.BaseLearningRate)], step => search.RateOf(step) / rate) };
        var context = new TrainerContext(arguments, new TrainerState(), new TrainerControl(), compute.Network) { Labels = model.Labels };
        var callbacks = new CallbackList(context, [watcher]);
        var trying = compute with { Arguments = arguments };
        using var setup = new TrainingSetup(model, trying, loss, train, evaluation, rising, greaterIsBetter: false, stop);
        using var loop = new TrainingLoop(setup, new EvaluationLoop(trying, loss, [], callbacks), callbacks, new BestModel(arguments, [], context.State), options.Logger, stop);
        loop.Begin(checkpoint: null);
        loop.Run();
    }

    /// <summary>Notes the loss of each step, and ends the search where it leaves.</summary>
    private sealed class LossWatcher(LearningRateSearch search, Action<int>? stepDone) : TrainerCallback
    {
        private const double Smoothing = 0.98;

        private double _loss;
        private double _average;
        private double _least = double.PositiveInfinity;

        public List<LearningRatePoint> Points { get; } = [];

        public override void OnStepBegin(TrainerContext context) => _loss = 0;

        public override void OnSubstepEnd(TrainerContext context) => _loss += context.MicroBatchLoss!.item<float>();

        public override void OnPreOptimizerStep(TrainerContext context) => _loss += context.MicroBatchLoss!.item<float>();

        public override void OnStepEnd(TrainerContext context)
        {
            var done = context.State.GlobalStep;
            _average = (Smoothing * _average) + ((1 - Smoothing) * _loss);
            var smoothed = _average / (1 - Math.Pow(Smoothing, done));
            if (!double.IsFinite(smoothed))
            {
                context.Control.ShouldTrainingStop = true;
                return;
            }

            Points.Add(new(search.RateOf(done - 1), _loss, smoothed));
            stepDone?.Invoke(done);
            _least = Math.Min(_least, smoothed);
            context.Control.ShouldTrainingStop |= smoothed > search.Divergence * _least;
        }
    }
}

/// <summary>How learning rates are tried: one batch for each, from small to large.</summary>
/// <remarks>Source: "Cyclical Learning Rates for Training Neural Networks"; the defaults are fastai's <c>lr_find</c>.</remarks>
public sealed record LearningRateSearch
{
    /// <summary>The first rate, above 0. Default 1e-7.</summary>
    public double From { get; init; } = 1e-7;

    /// <summary>The last rate, above <see cref="From"/>. Default 10.</summary>
    public double To { get; init; } = 10;

    /// <summary>Optimizer steps, each at a rate larger than the last by the same factor; at least 10. Default 100.</summary>
    public int Steps { get; init; } = 100;

    /// <summary>The search ends when the smoothed loss is this many times the least one, above 1. Default 4.</summary>
    public double Divergence { get; init; } = 4;

    /// <summary>The rate of a step.</summary>
    /// <param name="step">Step from 0.</param>
    internal double RateOf(int step) => From * Math.Pow(To / From, step / (Steps - 1.0));

    /// <summary>What is wrong, one sentence each; empty where nothing is.</summary>
    internal IEnumerable<string> Problems()
    {
        if (!(From > 0 && To > From && double.IsFinite(To)))
        {
            yield return $"The learning rates to try go from {Primitives.PythonJson.Repr(From)} to {Primitives.PythonJson.Repr(To)}, expected two numbers above 0, the smaller first.";
        }

        if (Steps < LearningRateCurve.LeastSteps)
        {
            yield return $"The search for a learning rate has {Steps} steps, expected at least {LearningRateCurve.LeastSteps}.";
        }

        if (!(Divergence > 1))
        {
            yield return $"The search for a learning rate ends at {Primitives.PythonJson.Repr(Divergence)} times the least loss, expected a number above 1.";
        }
    }
}
