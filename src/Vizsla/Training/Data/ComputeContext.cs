using TorchSharp;
using Vizsla.Models;
using Vizsla.Training.Arguments;
using Vizsla.Training.Metrics;
using static TorchSharp.torch;

namespace Vizsla.Training.Data;

/// <summary>Where and in which precision a network computes, and how batches become its inputs.</summary>
/// <param name="Arguments">What was asked.</param>
/// <param name="Network">The network, on the device.</param>
/// <param name="Device">The device.</param>
/// <param name="Precision">Precision of the forward passes.</param>
/// <param name="Collator">Makes tensors of batches.</param>
internal sealed record ComputeContext(TrainingArguments Arguments, ClassificationNetwork Network, Device Device, ComputePrecision Precision, Collator Collator)
{
    /// <summary>Chooses device and precision, and moves the network to the device.</summary>
    /// <exception cref="ArgumentsException">The device cannot do what was asked.</exception>
    public static ComputeContext Of(TrainingArguments arguments, ClassificationNetwork network, Collator collator)
    {
        var device = arguments.UseCpu || !cuda.is_available() ? CPU : CUDA;
        DeviceChecks.Require(arguments, device);
        network.to(device);
        return new(arguments, network, device, ComputePrecision.For(arguments, device, network), collator);
    }

    /// <summary>Name of the precision of training, such as <c>float32</c>.</summary>
    public string PrecisionName => Precision.Training?.ToString().ToLowerInvariant() ?? "float32";

    /// <summary>The tensors of a batch on the device; the caller owns them.</summary>
    public ModelInputs Collate(TrainingBatch batch) => batch.Collate(Collator, Device, Arguments.DataloaderPinMemory);
}
