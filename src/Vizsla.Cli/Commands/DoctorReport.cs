using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Distributed;
using Vizsla.Hub;
using Vizsla.Native;

namespace Vizsla.Cli.Commands;

/// <summary>What the doctor finds on a machine.</summary>
/// <param name="Machine">Processor, memory, system.</param>
/// <param name="Torch">libtorch; null where it does not load.</param>
/// <param name="TorchFailure">Why it does not load; null where it does.</param>
/// <param name="Libraries">Paths of the native libraries that are loaded.</param>
/// <param name="FreeDiskBytes">Free space where the program was started.</param>
/// <param name="Endpoint">The Hub that is asked.</param>
/// <param name="IsOffline">Whether no request is made at all.</param>
/// <param name="HasNvidiaDriver">Whether a driver of an NVIDIA GPU is there.</param>
internal sealed record DoctorReport(
    Machine Machine, DoctorTorch? Torch, string? TorchFailure, IReadOnlyList<string> Libraries,
    long FreeDiskBytes, string Endpoint, bool IsOffline, bool HasNvidiaDriver)
{
    /// <summary>Libraries of MPI, and the processes that examine together.</summary>
    public DoctorProcesses Processes { get; init; } = new([], 1, 1, null, null);

    /// <summary>Examines this machine.</summary>
    /// <param name="seconds">How long each rate is measured.</param>
    /// <param name="processes">The processes that examine together.</param>
    public static DoctorReport Examine(double seconds, ProcessGroup processes)
    {
        var hub = HubOptions.FromEnvironment();
        DoctorTorch? found = null;
        string? failure = null;
        try
        {
            TorchDefaults.Apply();
            found = DoctorTorch.Examine(TimeSpan.FromSeconds(seconds));
        }
        catch (Exception e) when (e is NotSupportedException or DllNotFoundException or TypeInitializationException or BadImageFormatException)
        {
            failure = TorchRuntime.Failure ?? (e.InnerException ?? e).Message;
        }

        return new(
            Machine.Read(),
            found,
            failure,
            NativeLibraries.Loaded(),
            new DriveInfo(Environment.CurrentDirectory).AvailableFreeSpace,
            hub.Endpoint.ToString().TrimEnd('/'),
            hub.Offline,
            File.Exists("/proc/driver/nvidia/version"))
        {
            Processes = DoctorProcesses.Examine(processes),
        };
    }

    /// <summary>The rows of the table: name and value.</summary>
    public IEnumerable<(string Name, string Value)> Rows()
    {
        yield return ("runtime", Machine.Runtime);
        yield return ("system", Machine.OperatingSystem);
        yield return ("processor", Machine.Processor);
        yield return ("cores", $"{Machine.CoreCount}");
        yield return ("simd", Machine.InstructionSets);
        yield return ("libtorch", Torch is null ? "does not load" : $"{Torch.Version}{(Torch.IsChecked ? "" : $" (checked with {LibTorch.Checked})")}");
        yield return ("device", Torch is null ? "-" : Torch.Device);
        yield return ("threads", Torch is null ? "-" : $"{Torch.ThreadCount}");
        yield return ("gemm fp32", Torch is null ? "-" : Invariant($"{Torch.Float32Rate:F0} GFLOP/s"));
        yield return ("gemm bf16", Torch is null ? "-" : Invariant($"{Torch.BFloat16Rate:F0} GFLOP/s"));
        yield return ("convolutions", Torch is null ? "-" : DescribeConvolutions(Torch.Convolutions));
        yield return ("training precision", CpuFeatures.HasFastBfloat16 || Torch?.Device != "cpu" ? "bf16" : "fp32");
        foreach (var row in Processes.Rows())
        {
            yield return row;
        }

        yield return ("memory", $"{Gigabytes(Machine.FreeMemoryBytes)} free of {Gigabytes(Machine.MemoryBytes)}");
        yield return ("allocator", MemoryReuse.IsOn ? "keeps freed blocks" : "gives freed blocks back");
        yield return ("disk", $"{Gigabytes(FreeDiskBytes)} free");
        yield return ("hub", IsOffline ? $"{Endpoint} (offline: HF_HUB_OFFLINE is set)" : Endpoint);
        foreach (var library in Libraries)
        {
            yield return ("library", library);
        }
    }

    /// <summary>The report for programs.</summary>
    public JsonObject ToJson()
    {
        var json = OfMachine();
        Processes.AddTo(json);
        return json;
    }

    private JsonObject OfMachine() => new()
    {
        ["runtime"] = Machine.Runtime,
        ["system"] = Machine.OperatingSystem,
        ["processor"] = Machine.Processor,
        ["cores"] = Machine.CoreCount,
        ["simd"] = new JsonArray([.. Machine.InstructionSets.Split(", ").Select(set => (JsonNode)set)]),
        ["libtorch"] = Torch?.Version,
        ["device"] = Torch?.Device,
        ["threads"] = Torch?.ThreadCount,
        ["gemm_fp32_gflops"] = Torch is null ? null : Math.Round(Torch.Float32Rate, 1),
        ["gemm_bf16_gflops"] = Torch is null ? null : Math.Round(Torch.BFloat16Rate, 1),
        ["convolutions"] = Torch is null ? null : Convolutions.Name(Torch.Convolutions),
        ["memory_bytes"] = Machine.MemoryBytes,
        ["free_memory_bytes"] = Machine.FreeMemoryBytes,
        ["free_disk_bytes"] = FreeDiskBytes,
        ["hub"] = Endpoint,
        ["offline"] = IsOffline,
        ["libraries"] = new JsonArray([.. Libraries.Select(path => (JsonNode)path)]),
        ["findings"] = new JsonArray([.. DoctorFindings.Of(this).Select(finding => (JsonNode)finding)]),
    };

    private static string DescribeConvolutions(ConvolutionWay way) => way switch
    {
        ConvolutionWay.Ordinary => "right",
        ConvolutionWay.OwnCacheSizes => "right: this machine hides its caches, so oneDNN takes sizes of its own, at no cost",
        _ => "right: this machine hides its caches or VIZSLA_CONVOLUTIONS asks for it, so they are matrix products: measured from 1.1 times (ResNet-50 predicts) to 4.5 times as slow (ResNet-18 trains)",
    };

    private static string Gigabytes(long bytes) => Invariant($"{bytes / (double)(1L << 30):F1} GiB");
}

/// <summary>libtorch on this machine.</summary>
/// <param name="Version">Its version.</param>
/// <param name="IsChecked">Whether autocast and the fused optimizer were checked with it.</param>
/// <param name="Device">Where a run would go: <c>cpu</c> or <c>cuda:0</c>.</param>
/// <param name="ThreadCount">Threads per operator.</param>
/// <param name="Float32Rate">GFLOP/s of a product in fp32.</param>
/// <param name="BFloat16Rate">GFLOP/s of the same in bf16.</param>
/// <param name="Convolutions">How convolutions are computed.</param>
internal sealed record DoctorTorch(
    string Version, bool IsChecked, string Device, int ThreadCount, double Float32Rate, double BFloat16Rate, ConvolutionWay Convolutions)
{
    public static DoctorTorch Examine(TimeSpan duration)
    {
        var device = torch.cuda.is_available() ? torch.CUDA : torch.CPU;
        return new(
            LibTorch.Version?.ToString() ?? torch.__version__,
            LibTorch.IsChecked,
            torch.cuda.is_available() ? "cuda:0" : "cpu",
            TorchThreads.Count,
            GemmRate.Measure(torch.ScalarType.Float32, device, duration),
            GemmRate.Measure(torch.ScalarType.BFloat16, device, duration),
            Native.Convolutions.Way);
    }
}
