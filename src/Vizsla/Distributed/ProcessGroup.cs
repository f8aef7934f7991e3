using System.Runtime.InteropServices;
using System.Text;

namespace Vizsla.Distributed;

/// <summary>Processes that train, evaluate or predict together; an extension point for other transports than MPI.</summary>
/// <remarks>
/// Every process of the group makes the same calls in the same order, one at a time; each call returns when all have made it.
/// Source: <c>torch.distributed</c> with one group, the world.
/// </remarks>
public abstract class ProcessGroup : IDisposable
{
    /// <summary>A process on its own.</summary>
    public static ProcessGroup Solo { get; } = new SoloGroup();

    /// <summary>Number of this process, from 0. Rank 0 writes the run folder and speaks for all.</summary>
    public abstract int Rank { get; }

    /// <summary>Processes of the group, at least 1.</summary>
    public abstract int Size { get; }

    /// <summary>Number of this process among those on the same machine, from 0.</summary>
    public abstract int LocalRank { get; }

    /// <summary>How long the others may wait for a process that makes no call before the job is ended. Default 30 minutes; HF: <c>ddp_timeout</c>.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>The group that this process was started in by mpirun of Open MPI or MPICH or by srun; <see cref="Solo"/> where it was started alone.</summary>
    /// <param name="say">Told on rank 0 why the job ends, where it ends before its time: a program writes it to standard error. Called on another thread.</param>
    /// <returns>A group that the caller disposes as the last thing the program does: it can be joined once.</returns>
    /// <exception cref="NotSupportedException">There is no library of MPI, or it is not the launcher's.</exception>
    public static ProcessGroup FromEnvironment(Action<string> say)
    {
        ArgumentNullException.ThrowIfNull(say);
        return Launch.Find() is { Size: > 1 } launch ? MpiGroup.Join(launch, say) : Solo;
    }

    /// <summary>Replaces numbers by their sum over all processes, the same to the last bit in each.</summary>
    /// <param name="values">As many in each process.</param>
    public abstract void AllReduce(Span<float> values);

    /// <summary>Replaces numbers by their sum over all processes, taken in float32 and rounded once, the same to the last bit in each. By default sent as float32.</summary>
    /// <param name="bfloat16">Bits of bfloat16, as many numbers in each process.</param>
    public virtual void AllReduceBFloat16(Span<ushort> bfloat16)
    {
        var values = new float[bfloat16.Length];
        BFloat16.Widen(bfloat16, values);
        AllReduce(values);
        BFloat16.Round(values, bfloat16);
    }

    /// <summary>Replaces bytes by those of one process.</summary>
    /// <param name="values">As many in each process.</param>
    /// <param name="root">Rank of that process.</param>
    public abstract void Broadcast(Span<byte> values, int root = 0);

    /// <summary>Collects the bytes of all processes in each.</summary>
    /// <param name="values">Bytes of this process, of any number.</param>
    /// <returns>The bytes of each rank.</returns>
    public abstract IReadOnlyList<byte[]> AllGather(ReadOnlySpan<byte> values);

    /// <summary>Waits until all processes have come here.</summary>
    public abstract void Barrier();

    /// <summary>Ends all processes of the group at once; rank 0 says why, and the job's exit code is 1. Does not return in a group of several.</summary>
    /// <param name="reason">One sentence.</param>
    public abstract void Abort(string reason);

    /// <summary>Leaves the group.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Leaves the group.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Whether this process writes files and speaks for all.</summary>
    internal bool IsFirst => Rank == 0;

    /// <summary>Whether there are other processes.</summary>
    internal bool IsShared => Size > 1;

    /// <summary>The texts of all processes.</summary>
    internal IReadOnlyList<string> AllGather(string text) => [.. AllGather(Encoding.UTF8.GetBytes(text)).Select(Encoding.UTF8.GetString)];

    /// <summary>What rank 0 makes of something, handed to all; where it throws one of our own exceptions, each process throws its sentence.</summary>
    /// <param name="make">Called on rank 0 alone.</param>
    /// <exception cref="TrainingException">On the other ranks, where rank 0 threw.</exception>
    internal string? OnFirst(Func<string?> make)
    {
        if (!IsShared)
        {
            return make();
        }

        const string Failed = "!", Made = "=";
        if (!IsFirst)
        {
            var told = AllGather("")[0];
            return told.StartsWith(Failed, StringComparison.Ordinal) ? throw new TrainingException(told[1..]) : told.Length == 0 ? null : told[1..];
        }

        try
        {
            var made = make();
            AllGather(made is null ? "" : Made + made);
            return made;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or TrainingException)
        {
            AllGather(Failed + e.Message);
            throw;
        }
    }

    /// <summary>Does something on rank 0 alone; all processes go on when it is done.</summary>
    /// <param name="act">Called on rank 0 alone.</param>
    /// <exception cref="TrainingException">On the other ranks, where rank 0 threw.</exception>
    internal void OnFirst(Action act) => OnFirst(() =>
    {
        act();
        return null;
    });

    /// <summary>The part of so many things that a process does: consecutive, no part more than one larger than another, the larger ones first.</summary>
    /// <param name="count">Things in all.</param>
    /// <param name="rank">The process.</param>
    internal (int Start, int End) Share(int count, int rank) => (StartOf(count, rank), StartOf(count, rank + 1));

    /// <summary>The numbers of all processes.</summary>
    internal IReadOnlyList<float[]> AllGather(float[] values)
    {
        const int Piece = 1 << 27;
        var lengths = AllGather(MemoryMarshal.AsBytes<int>([values.Length])).Select(bytes => MemoryMarshal.Read<int>(bytes)).ToList();
        var gathered = new float[Size][];
        for (var rank = 0; rank < Size; rank++)
        {
            gathered[rank] = rank == Rank ? values : new float[lengths[rank]];
            for (var start = 0; start < lengths[rank]; start += Math.Min(Piece, lengths[rank] - start))
            {
                Broadcast(MemoryMarshal.AsBytes(gathered[rank].AsSpan(start, Math.Min(Piece, lengths[rank] - start))), rank);
            }
        }

        return gathered;
    }

    private int StartOf(int count, int rank) => (int)((((long)count * rank) + Size - 1) / Size);

    private sealed class SoloGroup : ProcessGroup
    {
        public override int Rank => 0;

        public override int Size => 1;

        public override int LocalRank => 0;

        public override void AllReduce(Span<float> values)
        {
        }

        public override void Broadcast(Span<byte> values, int root = 0)
        {
        }

        public override IReadOnlyList<byte[]> AllGather(ReadOnlySpan<byte> values) => [values.ToArray()];

        public override void Barrier()
        {
        }

        public override void Abort(string reason)
        {
        }
    }
}
