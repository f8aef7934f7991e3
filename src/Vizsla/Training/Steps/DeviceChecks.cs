using TorchSharp;
using Vizsla.Training.Arguments;
using static TorchSharp.torch;

namespace Vizsla.Training.Steps;

/// <summary>Arguments that only one kind of device can meet.</summary>
internal static class DeviceChecks
{
    /// <summary>Sets what belongs to a GPU, and refuses what the device cannot do.</summary>
    /// <exception cref="ArgumentsException">It cannot.</exception>
    public static void Require(TrainingArguments arguments, Device device)
    {
        var onCpu = device.type == DeviceType.CPU;
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
