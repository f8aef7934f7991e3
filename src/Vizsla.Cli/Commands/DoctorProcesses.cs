using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Vizsla.Distributed;
using Vizsla.Native;

namespace Vizsla.Cli.Commands;

/// <summary>What the doctor finds about training in several processes: the libraries of MPI, and what the processes that were started have of each other.</summary>
/// <param name="Libraries">Version, ABI and file of each library that loads; of the one in use where there are several processes.</param>
/// <param name="Size">Processes.</param>
/// <param name="MachineCount">Machines that they run on.</param>
/// <param name="Rate">Bytes a second of an all-reduce of <see cref="Bytes"/>; null for one process.</param>
/// <param name="Failure">What does not work; null where all does.</param>
internal sealed record DoctorProcesses(IReadOnlyList<string> Libraries, int Size, int MachineCount, double? Rate, string? Failure)
{
    /// <summary>Bytes of the all-reduce that is measured: a bucket of gradients.</summary>
    public const int Bytes = 25 << 20;

    private const int Rounds = 5;

    /// <summary>Looks for libraries, and where there are several processes tries what training needs of them.</summary>
    /// <param name="processes">The processes that run the doctor together.</param>
    public static DoctorProcesses Examine(ProcessGroup processes)
    {
        if (processes is not MpiGroup group)
        {
            var found = new[] { MpiAbi.OpenMpi, MpiAbi.Mpich }.Select(abi => Load(abi)).OfType<MpiLibrary>().DistinctBy(l => l.Name).Select(Describe);
            return new([.. found], 1, 1, null, null);
        }

        var machines = group.AllGather(Encoding.UTF8.GetBytes(Environment.MachineName)).Select(Encoding.UTF8.GetString).ToList();
        var failure = Try(group);
        var values = new float[Bytes / sizeof(float)];
        group.AllReduce(values);
        group.Barrier();
        var began = Stopwatch.GetTimestamp();
        for (var round = 0; round < Rounds; round++)
        {
            group.AllReduce(values);
        }

        var rate = Rounds * (double)Bytes / Stopwatch.GetElapsedTime(began).TotalSeconds;
        return new([Describe(group.Library)], group.Size, machines.Distinct().Count(), rate, failure);
    }

    /// <summary>The rows of the table: name and value.</summary>
    public IEnumerable<(string Name, string Value)> Rows()
    {
        yield return ("mpi", Libraries.Count == 0 ? Environment.GetEnvironmentVariable(MpiLibrary.Variable) is { Length: > 0 } asked ? $"'{asked}', which {MpiLibrary.Variable} names, does not load" : "no library found" : string.Join("; ", Libraries));
        if (Size > 1)
        {
            yield return ("ranks", $"{Size} on {Wording.Counted(MachineCount, "machine")}");
            yield return ("all-reduce", Invariant($"{Rate / (1 << 20):F0} MiB/s, for {Bytes >> 20} MiB at a time"));
        }
    }

    /// <summary>The keys of the report for programs.</summary>
    public void AddTo(JsonObject report)
    {
        report["mpi"] = new JsonArray([.. Libraries.Select(l => (JsonNode)l)]);
        report["ranks"] = Size;
        report["machines"] = MachineCount;
        report["all_reduce_bytes_per_second"] = Rate is { } rate ? Math.Round(rate) : null;
    }

    private static string Describe(MpiLibrary library) => $"{library.Version} ({library.Name}, handles of {(library.Abi == MpiAbi.OpenMpi ? "Open MPI" : "MPICH")})";

    // A library that is named but does not fit is a finding for who trains, not the end of the examination.
    private static MpiLibrary? Load(MpiAbi abi)
    {
        try
        {
            return MpiLibrary.Load(abi);
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }

    // Each call with values that tell whether every rank took part.
    private static string? Try(MpiGroup group)
    {
        var numbers = Enumerable.Range(0, 1000).Select(i => (float)(i + group.Rank)).ToArray();
        group.AllReduce(numbers);
        var expected = group.Size * (group.Size - 1) / 2;
        var isSum = numbers.Select((number, i) => number == (i * group.Size) + expected).All(right => right);

        var isCopy = true;
        for (var root = 0; root < group.Size; root++)
        {
            var bytes = new byte[] { (byte)group.Rank, 7 };
            group.Broadcast(bytes, root);
            isCopy &= bytes[0] == (byte)root && bytes[1] == 7;
        }

        var gathered = group.AllGather(MemoryMarshal.AsBytes<int>(Enumerable.Repeat(group.Rank, group.Rank).ToArray()));
        var isGathered = gathered.Select((bytes, rank) => MemoryMarshal.Cast<byte, int>(bytes).ToArray().SequenceEqual(Enumerable.Repeat(rank, rank))).All(right => right);
        var halves = Enumerable.Range(0, 1001).Select(i => (ushort)(0x3F80 + (i % 2 * 0x80))).ToArray();
        group.AllReduceBFloat16(halves);
        var isHalfSum = halves.Select((bits, i) => BitConverter.UInt32BitsToSingle((uint)bits << 16) == group.Size * (i % 2 == 0 ? 1 : 2)).All(right => right);
        string?[] wrong = [isSum ? null : "all-reduce", isHalfSum ? null : "all-reduce of bfloat16", isCopy ? null : "broadcast", isGathered ? null : "all-gather"];
        return wrong.OfType<string>().ToList() is { Count: > 0 } calls ? $"{group.Library.Version} computes wrong results ({string.Join(", ", calls)}): install another library of MPI." : null;
    }
}
