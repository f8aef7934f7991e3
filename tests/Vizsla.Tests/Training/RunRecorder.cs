using TorchSharp;
using Vizsla.Native;
using Vizsla.Primitives;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Data;
using static TorchSharp.torch;

namespace Vizsla.Tests.Training;

/// <summary>Records what the scripts of the recordings record: order, losses, generator, end weights.</summary>
internal sealed class RunRecorder : TrainerCallback, IDisposable
{
    public List<int> Order { get; } = [];

    public List<double> Losses { get; } = [];

    public List<(string When, int Step, long Next)> Draws { get; } = [];

    public Dictionary<string, Tensor> End { get; } = [];

    public override void OnTrainBegin(TrainerContext context) => Peek("train_begin", context);

    public override void OnEpochBegin(TrainerContext context) => Peek("epoch_begin", context);

    public override void OnStepBegin(TrainerContext context)
    {
        Order.AddRange(context.Rows);
        Peek("step_begin", context);
    }

    public override void OnSubstepEnd(TrainerContext context) => Losses.Add(context.MicroBatchLoss!.item<float>());

    public override void OnPreOptimizerStep(TrainerContext context) => Losses.Add(context.MicroBatchLoss!.item<float>());

    public override void OnStepEnd(TrainerContext context)
    {
        Peek("step_end", context);
        if (context.State.GlobalStep == context.State.MaxSteps)
        {
            foreach (var (name, value) in context.Network.State())
            {
                End.Add(name, value.Copy().DetachFromDisposeScope());
            }
        }
    }

    public override void OnEvaluate(TrainerContext context, IReadOnlyDictionary<string, double> metrics) => Peek("evaluate_end", context);

    public void Dispose()
    {
        foreach (var tensor in End.Values)
        {
            tensor.Dispose();
        }
    }

    private void Peek(string when, TrainerContext context)
    {
        var rng = new Rng(0);
        rng.SetState(TorchGenerator.GetState());
        Draws.Add((when, context.State.GlobalStep, rng.NextInt64()));
    }
}
