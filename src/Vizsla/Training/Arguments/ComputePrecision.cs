using TorchSharp;
using Vizsla.Models;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Training.Arguments;

/// <summary>In which precision forward passes run.</summary>
/// <remarks>Weights, gradients and the optimizer stay in float32. Source: the mixed precision of transformers' <c>Trainer</c>.</remarks>
internal sealed class ComputePrecision
{
    private readonly DeviceType _device;
    private readonly ScalarType? _training;
    private readonly ScalarType? _evaluation;

    private ComputePrecision(DeviceType device, ScalarType? training, ScalarType? evaluation)
    {
        (_device, _training, _evaluation) = (device, training, evaluation);
    }

    /// <summary>The lower precision of training; null for float32.</summary>
    public ScalarType? Training => _training;

    /// <summary>What a person should know of the choice; null where nothing.</summary>
    public string? Warning { get; private init; }

    /// <summary>Settles the precision for a device and a network.</summary>
    /// <exception cref="ArgumentsException">float16 was asked for without a GPU, or autocast for a libtorch without its switches.</exception>
    public static ComputePrecision For(TrainingArguments arguments, Device device, ClassificationNetwork network)
    {
        var onCpu = device.type == DeviceType.CPU;
        if ((arguments.Fp16 || arguments.Fp16FullEval) && onCpu)
        {
            throw new ArgumentsException("fp16 needs a GPU, and this run is on the CPU: use bf16, or leave it out.");
        }

        var isFast = onCpu ? CpuFeatures.HasFastBfloat16 : device.type == DeviceType.CUDA;
        var pays = isFast && Autocast.IsAvailable && !(onCpu && network.TrainsSlowerInBfloat16);
        var asked = arguments.Bf16 == true || arguments.Bf16FullEval || arguments.Fp16 || arguments.Fp16FullEval;
        if (asked && !Autocast.IsAvailable)
        {
            throw new ArgumentsException("bf16 and fp16 need the libtorch that this build was made for, and another one is loaded: leave them out.");
        }

        ScalarType? training = arguments.Fp16 ? ScalarType.Float16
            : arguments.Bf16 ?? pays ? ScalarType.BFloat16
            : null;
        ScalarType? evaluation = arguments.Fp16FullEval ? ScalarType.Float16 : arguments.Bf16FullEval ? ScalarType.BFloat16 : training;
        return new(device.type, training, evaluation)
        {
            Warning = arguments.Bf16 == true && onCpu && !isFast
                ? "bf16 is on, but this processor has no bf16 instructions: libtorch emulates them, about twenty times slower than float32. Set bf16 to false."
                : null,
        };
    }

    /// <summary>Opens the scope of a training step; null in float32.</summary>
    public IDisposable? OpenTraining() => Open(_training);

    /// <summary>Opens the scope of an evaluation; null in float32.</summary>
    public IDisposable? OpenEvaluation() => Open(_evaluation);

    private Autocast? Open(ScalarType? type) => type is { } lower ? Autocast.Open(_device, lower) : null;
}

/// <summary>Arguments that only one kind of device can meet.</summary>
internal static class DeviceChecks
{
    /// <summary>Sets what belongs to a GPU, and refuses what the device cannot do.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <param name="device">Kind of device.</param>
    /// <param name="isShared">Whether several processes train together.</param>
    /// <exception cref="ArgumentsException">It cannot.</exception>
    public static void Require(TrainingArguments arguments, DeviceType device, bool isShared)
    {
        var onCpu = device == DeviceType.CPU;
        if (!onCpu && isShared)
        {
            throw new ArgumentsException("Several processes compute on processors only, so far: add use_cpu, or train in one process.");
        }

        if (arguments.FullDeterminism && !onCpu)
        {
            throw new ArgumentsException("full_determinism is kept on the CPU alone: set use_cpu, or leave it out.");
        }

        if (arguments.Tf32 is { } tf32)
        {
            if (onCpu)
            {
                throw new ArgumentsException("tf32 needs a GPU, and this run is on the CPU: leave it out.");
            }

            backends.cuda.matmul.allow_tf32 = tf32;
            backends.cudnn.allow_tf32 = tf32;
        }
    }
}
