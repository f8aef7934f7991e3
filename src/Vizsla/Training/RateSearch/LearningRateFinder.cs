using Vizsla.Native;
using Vizsla.Training.Data;
using Vizsla.Training.Optimizers;
using Vizsla.Training.Steps;
using static TorchSharp.torch;

namespace Vizsla.Training.RateSearch;

/// <summary>Trains a few steps, each at a larger learning rate, and takes them all back.</summary>
internal sealed class LearningRateFinder(SessionParts parts, ImageDataset train, LearningRateSearch search)
{
    private const double Smoothing = 0.98;

    /// <summary>Tries the rates; weights, buffers and libtorch's generator end as they began.</summary>
    /// <param name="stepDone">Hears of each step.</param>
    /// <param name="cancellationToken">Ends the search between two steps.</param>
    public LearningRateCurve Run(Action<int>? stepDone, CancellationToken cancellationToken)
    {
        var network = parts.Model.Network;
        var generator = TorchGenerator.GetState();
        var before = network.State().Select(t => (t.Value, Kept: t.Value.Copy().DetachFromDisposeScope())).ToList();
        network.PatchDropRate = parts.Arguments.PatchDropRate;
        try
        {
            return new LearningRateCurve([.. Points(stepDone, cancellationToken)], search.Steps);
        }
        finally
        {
            network.PatchDropRate = 0;
            using var noGradient = no_grad();
            foreach (var (value, kept) in before)
            {
                value.copy_(kept);
                kept.Dispose();
            }

            TorchGenerator.SetState(generator);
        }
    }

    private IEnumerable<LearningRatePoint> Points(Action<int>? stepDone, CancellationToken cancellationToken)
    {
        var (arguments, network) = (parts.Arguments, parts.Model.Network);
        var plan = new TrainingPlan(arguments, train.Count);
        using var freezing = new Freezing(network, arguments);
        var cache = FeatureCache.For(parts, train, freezing, cancellationToken);
        var data = new TrainingData(train, arguments, plan, parts.Model.Labels.Count, cache);
        using var optimizer = OptimizerTable.Create(arguments, ParameterGroups.Create(network, arguments, freezing.EverTrained));
        using var meter = new LossMeter(parts.Device, filtersNan: false);
        var scaler = parts.Precision.Training == ScalarType.Float16 ? new LossScaler() : null;
        var runner = new StepRunner(parts, cache is null ? network.call : cache.Forward, optimizer, meter, scaler);
        var (average, least, done) = (0.0, double.PositiveInfinity, 0);
        for (var epoch = 0; done < search.Steps; epoch++)
        {
            freezing.BeginEpoch(epoch);
            freezing.SetTrainingMode();
            foreach (var step in data.Steps(epoch, firstBatch: 0, pendingState: null))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var rate = search.From * Math.Pow(search.To / search.From, done / (search.Steps - 1.0));
                var loss = Take(runner, step, data.WeightOf(step, parts.Loss), done, rate / arguments.LearningRate, optimizer, scaler);
                average = (Smoothing * average) + ((1 - Smoothing) * loss);
                var smoothed = average / (1 - Math.Pow(Smoothing, ++done));
                if (!double.IsFinite(smoothed))
                {
                    yield break;
                }

                yield return new LearningRatePoint(rate, loss, smoothed);
                stepDone?.Invoke(done);
                least = Math.Min(least, smoothed);
                if (done == search.Steps || smoothed > search.Divergence * least)
                {
                    yield break;
                }
            }
        }
    }

    private static double Take(StepRunner runner, StepBatches step, double weight, int stepsDone, double factor, Optimizer optimizer, LossScaler? scaler)
    {
        using var scope = NewDisposeScope();
        var loss = 0.0;
        runner.Accumulate(step, weight, stepsDone, (_, micro, _) => loss += micro.item<float>());
        var isFinite = scaler?.Unscale(optimizer) ?? true;
        runner.Clip();
        if (isFinite)
        {
            // Groups with rates of their own keep their share.
            runner.Update([.. optimizer.Groups.Select(g => g.BaseLearningRate * factor)]);
        }
        else
        {
            optimizer.ZeroGradients();
        }

        scaler?.Update(isFinite);
        return loss;
    }
}
