using Vizsla.Training.Callbacks;
using Vizsla.Training.Data;

namespace Vizsla.Training;

/// <summary>Ends a run with the mean of the weights of its last epochs.</summary>
/// <param name="setup">The run.</param>
/// <param name="evaluation">Evaluates the average as <c>swa</c>.</param>
/// <param name="callbacks">Are told of that evaluation.</param>
/// <param name="stop">Ends what is under way, with the weights of the last epoch in their place.</param>
/// <remarks>Source: <c>torch.optim.swa_utils</c>.</remarks>
internal sealed class EpochAveraging(TrainingSetup setup, EvaluationLoop evaluation, CallbackList callbacks, CancellationToken stop)
{
    /// <summary>What the evaluation of the average gave; empty before it.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; private set; } = new Dictionary<string, double>();

    /// <summary>Takes in the weights at the end of an epoch, where it is one of the last.</summary>
    /// <param name="epoch">From 0.</param>
    public void EndEpoch(int epoch)
    {
        var first = setup.Plan.EpochCount - setup.Arguments.SwaEpochs;
        if (setup.Epochs is not { } average || epoch < first)
        {
            return;
        }

        average.Count = epoch == first ? 0 : average.Count;
        average.Update();
    }

    /// <summary>Has the average take the place of the weights, with statistics of its own in the batch norms that trained, and evaluates it.</summary>
    /// <param name="progress">Where the run stands.</param>
    public void Settle(RunProgress progress)
    {
        if (setup.Epochs is not { Count: > 0 } average)
        {
            return;
        }

        setup.Freezing.BeginEpoch(setup.Plan.EpochCount - 1);
        setup.Freezing.SetTrainingMode();
        progress.Begin();
        var loan = average.Lend();
        try
        {
            setup.Processes.OnFirst(() => BatchNormStatistics.Compute(setup.Compute, setup.TrainDataset, setup.Processes.IsShared ? CancellationToken.None : stop));
            SharedWeights.Broadcast(setup.Processes, setup.Model.SavedState.Select(s => s.Value));
            if (setup.Arguments.EvalStrategy != IntervalStrategy.No)
            {
                (var metrics, callbacks.Context.LastPrediction) = evaluation.Run(setup.EvalDataset!, "swa", setup.Cache, stop);
                Metrics = metrics;
                callbacks.Log(metrics);
            }
        }
        catch
        {
            loan.Dispose();
            throw;
        }

        progress.Done();
    }
}
