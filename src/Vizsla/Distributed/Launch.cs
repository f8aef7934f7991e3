using System.Globalization;
using Vizsla.Native;

namespace Vizsla.Distributed;

/// <summary>What the launcher of a job says about this process: mpirun of Open MPI or MPICH, or srun.</summary>
/// <param name="Rank">Number of this process, from 0.</param>
/// <param name="Size">Processes of the job.</param>
/// <param name="LocalRank">Number among those on the same machine, from 0.</param>
/// <param name="LocalSize">Processes on this machine.</param>
/// <param name="Abi">The library that the launcher belongs to; null where it does not say.</param>
internal sealed record Launch(int Rank, int Size, int LocalRank, int LocalSize, MpiAbi? Abi)
{
    private const string Processors = "DOTNET_PROCESSOR_COUNT";

    /// <summary>Reads the environment; null where no launcher started this process.</summary>
    public static Launch? Find() => Find(Environment.GetEnvironmentVariable);

    /// <summary>Reads an environment; null where no launcher started this process.</summary>
    /// <param name="variable">Gives the value of a variable, or null.</param>
    public static Launch? Find(Func<string, string?> variable)
    {
        if (Of("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", Number("OMPI_COMM_WORLD_LOCAL_SIZE"), MpiAbi.OpenMpi) is { } open)
        {
            return open;
        }

        // Only srun sets the number of a step's tasks: in the script of a batch job the program runs once.
        var ofStep = TasksOfNode(variable("SLURM_STEP_TASKS_PER_NODE"), Number("SLURM_NODEID") ?? 0);
        var abi = variable("PMIX_RANK") is not null ? MpiAbi.OpenMpi : variable("PMI_RANK") is not null ? MpiAbi.Mpich : (MpiAbi?)null;
        return Of("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", ofStep, abi)
            ?? Of("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", Number("MPI_LOCALNRANKS"), MpiAbi.Mpich);

        Launch? Of(string rank, string size, string localRank, int? localSize, MpiAbi? of) =>
            Number(rank) is { } number && Number(size) is { } count ? new(number, count, Number(localRank) ?? number, localSize ?? count, of) : null;

        int? Number(string name) => int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    /// <summary>Cores that each process of a machine has for itself, at least 1.</summary>
    /// <param name="granted">Cores that this process may use.</param>
    /// <param name="all">Cores of the machine.</param>
    /// <param name="isBound">Whether the launcher has bound this process to some of them.</param>
    public int Cores(int granted, int all, bool isBound) => Math.Max(1, isBound ? Math.Min(granted, all / LocalSize) : granted / LocalSize);

    /// <summary>Has .NET count the cores of this process alone when the program starts itself again, unless <c>DOTNET_PROCESSOR_COUNT</c> is set.</summary>
    public void ShareCores()
    {
        if (LocalSize > 1 && OperatingSystem.IsLinux())
        {
            NativeEnvironment.SetDefault(Processors, CoresHere().ToString("x", CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Has libtorch compute with the cores of this process alone, unless <c>OMP_NUM_THREADS</c> says how many threads are wanted.</summary>
    public void ShareThreads()
    {
        if (LocalSize > 1 && Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is not { Length: > 0 })
        {
            // Where .NET was told the share, it counts no more than that.
            var cores = Environment.GetEnvironmentVariable(Processors) is { Length: > 0 } ? Environment.ProcessorCount : CoresHere();
            TorchSharp.torch.set_num_threads(cores);
        }
    }

    private int CoresHere()
    {
        const string Allowed = "Cpus_allowed_list:";
        var all = File.ReadLines("/proc/cpuinfo").Count(line => line.StartsWith("processor", StringComparison.Ordinal));
        var allowed = File.ReadLines("/proc/self/status").First(line => line.StartsWith(Allowed, StringComparison.Ordinal))[Allowed.Length..];
        var bound = allowed.Split(',').Sum(range => range.Split('-') is [var first, var last] ? Parse(last) - Parse(first) + 1 : 1);
        return Cores(Environment.ProcessorCount, Math.Max(all, 1), bound < all);

        static int Parse(string text) => int.Parse(text.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
    }

    /// <summary>Tasks of one machine in Slurm's short form, such as <c>2(x3),1</c>; null where it says nothing.</summary>
    private static int? TasksOfNode(string? text, int node)
    {
        foreach (var part in text?.Split(',') ?? [])
        {
            var (count, times) = part.Split("(x") is [var tasks, var repeated] ? (tasks, repeated.TrimEnd(')')) : (part, "1");
            if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || !int.TryParse(times, NumberStyles.None, CultureInfo.InvariantCulture, out var nodes))
            {
                return null;
            }

            if (node < nodes)
            {
                return number;
            }

            node -= nodes;
        }

        return null;
    }
}
