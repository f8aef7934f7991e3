using Vizsla.Native;

namespace Vizsla.Cli.Commands;

/// <summary>Problems of a machine, each in one sentence that says how to fix it.</summary>
internal static class DoctorFindings
{
    private const long Gigabyte = 1L << 30;
    private const long LeastDisk = 5 * Gigabyte;
    private const long LeastMemory = 4 * Gigabyte;

    /// <summary>The findings, the gravest first; none on a healthy machine.</summary>
    public static IEnumerable<string> Of(DoctorReport report)
    {
        if (report.TorchFailure is { } failure)
        {
            yield return $"libtorch does not load ({failure}): restore the packages for this system ('dotnet restore', runtime {System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier}), "
                + "or on Linux install the C++ runtime of your distribution (libstdc++6, libgomp1).";
        }

        if (report.Processes.Failure is { } wrong)
        {
            yield return wrong;
        }

        if (report.Torch is { IsChecked: false } torch)
        {
            yield return $"libtorch {torch.Version} is loaded, but bf16 and the fused optimizer were checked with {LibTorch.Checked} only and stay off: use the libtorch package of that version.";
        }

        if (report.Torch?.Device == "cpu" && report.HasNvidiaDriver)
        {
            yield return "An NVIDIA GPU is there, but this build computes on the CPU: build with '-p:Torch=cuda'.";
        }

        if (report.Torch is { } found && found.ThreadCount > report.Machine.CoreCount)
        {
            yield return $"libtorch uses {found.ThreadCount} threads on {report.Machine.CoreCount} cores which slow each other down: unset OMP_NUM_THREADS, or set it to {report.Machine.CoreCount}.";
        }

        if (report.Torch is not null && report.Machine.InstructionSets is "none")
        {
            yield return "The processor has no AVX2, so training is many times slower than it need be: use another machine, or a virtual one that passes the processor's instructions on.";
        }

        if (report.Machine.FreeMemoryBytes < LeastMemory)
        {
            yield return Invariant($"Only {report.Machine.FreeMemoryBytes / (double)Gigabyte:F1} GiB of memory are free: close other programs, or train with a smaller '--per_device_train_batch_size'.");
        }

        if (report.FreeDiskBytes < LeastDisk)
        {
            yield return Invariant($"Only {report.FreeDiskBytes / (double)Gigabyte:F1} GiB of disk are free here: make room, or give an '--output_dir' on another disk and '--save_total_limit 1'.");
        }
    }
}
