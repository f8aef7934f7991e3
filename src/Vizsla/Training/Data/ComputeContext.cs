using TorchSharp;
using Vizsla.Distributed;
using Vizsla.Imaging;
using Vizsla.Inference;
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
    /// <summary>The processes that compute together.</summary>
    public ProcessGroup Processes { get; private init; } = ProcessGroup.Solo;

    /// <summary>Chooses device and precision, and moves the network to the device.</summary>
    /// <exception cref="ArgumentsException">The device cannot do what was asked.</exception>
    public static ComputeContext Of(TrainingArguments arguments, ClassificationNetwork network, Collator collator, ProcessGroup? processes = null)
    {
        var device = arguments.UseCpu || !cuda.is_available() ? CPU : CUDA;
        DeviceChecks.Require(arguments, device.type, processes is { IsShared: true });
        network.to(device);
        return new(arguments, network, device, ComputePrecision.For(arguments, device, network), collator) { Processes = processes ?? ProcessGroup.Solo };
    }

    /// <summary>Name of the precision of training, such as <c>float32</c>.</summary>
    public string PrecisionName => Precision.Training?.ToString().ToLowerInvariant() ?? "float32";

    /// <summary>The tensors of a batch on the device; the caller owns them.</summary>
    /// <exception cref="ImageFormatException">The network takes gray pictures, and one of the batch has colors.</exception>
    public ModelInputs Collate(TrainingBatch batch)
    {
        var inputs = batch.Collate(Collator, Device, Arguments.DataloaderPinMemory);
        if (!GrayPictures.AreTakenBy(Network))
        {
            return inputs;
        }

        using var colors = inputs.PixelValues;
        return new(GrayPictures.OneChannel(colors), inputs.Labels);
    }
}
