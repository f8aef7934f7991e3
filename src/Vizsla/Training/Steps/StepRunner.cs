using System.Runtime.InteropServices;
using Vizsla.Native;
using Vizsla.Training.Data;
using Vizsla.Training.Losses;
using Vizsla.Training.Optimizers;
using static TorchSharp.torch;

namespace Vizsla.Training.Steps;

/// <summary>One optimizer step: forward and backward of its micro-batches, clipping, the optimizer.</summary>
/// <remarks>Runs inside the caller's dispose scope; nothing is read back from a device but the verdict of a loss scale. Source: <c>Trainer.training_step</c> of transformers.</remarks>
internal sealed class StepRunner(SessionParts parts, Func<Tensor, Tensor> forward, Optimizer optimizer, LossMeter meter, LossScaler? scaler)
{
    private readonly TrainingArguments _arguments = parts.Arguments;

    /// <summary>Into how many parts each micro-batch is cut to fit in memory.</summary>
    public int PartCount { get; private set; } = 1;

    /// <summary>Adds the gradients of all micro-batches of a step.</summary>
    /// <param name="step">The micro-batches.</param>
    /// <param name="weight">What the samples of the step weigh in the loss.</param>
    /// <param name="stepsDone">Steps done before this one.</param>
    /// <param name="trained">Hears of each micro-batch after its backward pass: its inputs, its loss, and whether it is the last one.</param>
    /// <returns>Number of values in all pixel tensors.</returns>
    /// <exception cref="TrainingException">Not even one picture at a time fits in memory.</exception>
    public long Accumulate(StepBatches step, double weight, int stepsDone, Action<ModelInputs, Tensor, bool> trained)
    {
        if (!_arguments.AutoFindBatchSize)
        {
            return Accumulate(step.Batches, step.BatchCount, weight, stepsDone, trained);
        }

        var generator = TorchGenerator.GetState();
        while (true)
        {
            try
            {
                return Accumulate(step.Batches, step.BatchCount, weight, stepsDone, trained);
            }
            catch (Exception e) when (e is OutOfMemoryException or ExternalException && IsOutOfMemory(e))
            {
                // Gradients and losses of the parts that did fit are given up: the step begins again, with the same draws.
                if (PartCount >= parts.Arguments.PerDeviceTrainBatchSize)
                {
                    throw new TrainingException($"Not even one picture at a time fits in memory: {e.Message}", e) { Step = stepsDone + 1 };
                }

                PartCount *= 2;
                optimizer.ZeroGradients();
                meter.Forget();
                TorchGenerator.SetState(generator);
            }
        }
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
        var gradients = optimizer.Groups.SelectMany(g => g.Parameters).Select(p => p.Value.grad).OfType<Tensor>().ToList();
        return Gradients.Clip(gradients, _arguments.MaxGradNorm).MoveToOuterDisposeScope();
    }

    /// <summary>Moves the parameters and lets the gradients go.</summary>
    /// <param name="rates">Learning rate of each group.</param>
    public void Update(IReadOnlyList<double> rates)
    {
        for (var group = 0; group < rates.Count; group++)
        {
            optimizer.Groups[group].LearningRate = rates[group];
        }

        optimizer.Step();
        optimizer.ZeroGradients();
    }

    private long Accumulate(IEnumerable<TrainingBatch> batches, int batchCount, double weight, int stepsDone, Action<ModelInputs, Tensor, bool> trained)
    {
        var (done, values) = (0, 0L);

        // One scope for all micro-batches: the low-precision copies of the weights are made once a step.
        using var precision = parts.Precision.OpenTraining();
        foreach (var batch in batches)
        {
            using var scope = NewDisposeScope();
            var inputs = batch.Collate(parts.Collator, parts.Device, _arguments.DataloaderPinMemory);
            values += inputs.PixelValues.numel();
            var loss = Backward(inputs, weight).MoveToOuterDisposeScope();
            meter.Add(loss, stepsDone);
            var isLast = ++done == batchCount;
            if (isLast)
            {
                inputs.PixelValues.MoveToOuterDisposeScope();
            }

            trained(inputs, loss, isLast);
        }

        meter.Keep();
        return values;
    }

    /// <summary>Forward and backward of a micro-batch, in as many parts as memory asks for.</summary>
    /// <returns>Its loss, a scalar of the scope.</returns>
    private Tensor Backward(ModelInputs inputs, double weight)
    {
        var pixels = inputs.PixelValues.chunk(PartCount);
        var labels = inputs.Labels.chunk(PartCount);
        var losses = new List<Tensor>();
        for (var i = 0; i < pixels.Length; i++)
        {
            using var scope = NewDisposeScope();
            var loss = parts.Loss.Compute(forward(pixels[i]).to(ScalarType.Float32), labels[i], weight);
            (scaler is null ? loss : loss.Times(scaler.Scale)).backward();
            losses.Add(loss.detach().MoveToOuterDisposeScope());
        }

        return losses.Count == 1 ? losses[0] : stack(losses).sum();
    }

    // libtorch says "CUDA out of memory" on a GPU and "DefaultCPUAllocator: can't allocate memory" on the CPU.
    private static bool IsOutOfMemory(Exception e) =>
        e is OutOfMemoryException || e.Message.Contains("out of memory", StringComparison.Ordinal)
        || e.Message.Contains("allocate memory", StringComparison.Ordinal) || e.Message.Contains("not enough memory", StringComparison.Ordinal);
}
