using TorchSharp;
using Vizsla.Loading;
using Vizsla.Models;
using Vizsla.Native;
using Vizsla.Training.Data;
using Vizsla.Training.Losses;
using Vizsla.Training.Optimizers;
using static TorchSharp.torch;

namespace Vizsla.Training.Steps;

/// <summary>One optimizer step: forward and backward of its micro-batches, clipping, the optimizer.</summary>
/// <remarks>Runs inside the caller's dispose scope; nothing is read back from the device. Source: <c>Trainer.training_step</c> of transformers.</remarks>
internal sealed class StepRunner
{
    private readonly TrainingArguments _arguments;
    private readonly ClassificationNetwork _network;
    private readonly Optimizer _optimizer;
    private readonly ClassificationLoss _loss;
    private readonly LossMeter _meter;
    private readonly ComputePrecision _precision;
    private readonly Collator _collator;
    private readonly Device _device;

    public StepRunner(
        TrainingArguments arguments, ClassificationNetwork network, Optimizer optimizer, ClassificationLoss loss, LossMeter meter,
        ComputePrecision precision, Collator collator, Device device)
    {
        (_arguments, _network, _optimizer, _loss, _meter) = (arguments, network, optimizer, loss, meter);
        (_precision, _collator, _device) = (precision, collator, device);
    }

    /// <summary>Adds the gradients of all micro-batches of a step.</summary>
    /// <param name="step">The micro-batches.</param>
    /// <param name="labels">Class of each row of the training split.</param>
    /// <param name="stepsDone">Steps done before this one.</param>
    /// <param name="trained">Hears of each micro-batch after its backward pass: its inputs, its loss, and whether it is the last one.</param>
    /// <returns>Number of values in all pixel tensors.</returns>
    public long Accumulate(StepBatches step, IReadOnlyList<long> labels, int stepsDone, Action<ModelInputs, Tensor, bool> trained)
    {
        _network.train();
        var weight = _loss.WeightOf(step.Rows.Select(row => labels[row]));
        var (done, values) = (0, 0L);

        // One scope for all micro-batches: the low-precision copies of the weights are made once a step.
        using var precision = _precision.OpenTraining();
        foreach (var batch in step.Batches)
        {
            using var scope = NewDisposeScope();
            var inputs = Collate(batch);
            values += inputs.PixelValues.numel();
            var loss = _loss.Compute(_network.forward(inputs.PixelValues).to(ScalarType.Float32), inputs.Labels, weight);
            loss.backward();
            var measured = loss.detach().MoveToOuterDisposeScope();
            _meter.Add(measured, stepsDone);
            var isLast = ++done == step.BatchCount;
            if (isLast)
            {
                inputs.PixelValues.MoveToOuterDisposeScope();
            }

            trained(inputs, measured, isLast);
        }

        return values;
    }

    /// <summary>Clips the gradients.</summary>
    /// <returns>Their norm before, a scalar that the scope owns; null where nothing is clipped.</returns>
    public Tensor? Clip()
    {
        if (_arguments.MaxGradNorm <= 0)
        {
            return null;
        }

        using var scope = NewDisposeScope();
        var gradients = _optimizer.Groups.SelectMany(g => g.Parameters).Select(p => p.Value.grad).OfType<Tensor>().ToList();
        return Gradients.Clip(gradients, _arguments.MaxGradNorm).MoveToOuterDisposeScope();
    }

    /// <summary>Moves the parameters and lets the gradients go.</summary>
    /// <param name="rates">Learning rate of each group.</param>
    public void Update(IReadOnlyList<double> rates)
    {
        for (var group = 0; group < rates.Count; group++)
        {
            _optimizer.Groups[group].LearningRate = rates[group];
        }

        _optimizer.Step();
        _optimizer.ZeroGradients();
    }

    private ModelInputs Collate(ImageBatch batch)
    {
        using (batch)
        {
            return _collator.Collate(batch).To(_device, _arguments.DataloaderPinMemory);
        }
    }
}
