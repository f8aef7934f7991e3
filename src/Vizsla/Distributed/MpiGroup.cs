using Vizsla.Native;

namespace Vizsla.Distributed;

/// <summary>The processes of a job of Open MPI or MPICH.</summary>
/// <remarks>Calls block, each for one piece at a time: the libraries make no progress on a call in the background. A thread of its own beside them watches for failures.</remarks>
internal sealed unsafe class MpiGroup : ProcessGroup
{
    // Counts are 32 bits wide.
    private const int MostNumbers = 1 << 28;
    private const int MostBytes = 1 << 30;

    private readonly nint _channel;
    private readonly MpiWatch _watch;
    private bool _hasLeft;

    private MpiGroup(MpiLibrary library, Launch launch, int rank, Action<string> say)
    {
        (Library, Rank, Size, LocalRank, _channel) = (library, rank, launch.Size, launch.LocalRank, library.World);
        _watch = new MpiWatch(this, Duplicate(_channel), say);
    }

    /// <inheritdoc/>
    public override int Rank { get; }

    /// <inheritdoc/>
    public override int Size { get; }

    /// <inheritdoc/>
    public override int LocalRank { get; }

    /// <summary>The library.</summary>
    public MpiLibrary Library { get; }

    /// <summary>Joins the job that a launcher started this process in.</summary>
    /// <param name="launch">What the launcher says.</param>
    /// <param name="say">Told on rank 0 why the job ends, where it ends before its time.</param>
    /// <exception cref="NotSupportedException">There is no library of MPI, it is not the launcher's, or it allows only one thread.</exception>
    public static MpiGroup Join(Launch launch, Action<string> say)
    {
        var library = MpiLibrary.Load(launch.Abi) ?? throw new NotSupportedException(
            $"This process was started as one of {launch.Size}, but {(launch.Abi == MpiAbi.Mpich ? "the library of MPICH (libmpich.so.12, libmpi.so.12)" : launch.Abi == MpiAbi.OpenMpi ? "the library of Open MPI (libmpi.so.40)" : "a library of MPI (libmpi.so.40, libmpich.so.12)")} "
            + $"does not load: install it on every machine (Debian: {(launch.Abi == MpiAbi.Mpich ? "libmpich12" : "libopenmpi3")}), or name it with {MpiLibrary.Variable}.");
        using (SignalActions.Keep())
        {
            var granted = 0;
            _ = library.InitThread(null, null, MpiLibrary.ThreadMultiple, &granted);
            if (granted < MpiLibrary.ThreadMultiple)
            {
                throw new NotSupportedException($"{library.Version} ('{library.Name}') was built without MPI_THREAD_MULTIPLE, which is needed here: name another library with {MpiLibrary.Variable}.");
            }
        }

        var (rank, size) = (0, 0);
        _ = library.CommRank(library.World, &rank);
        _ = library.CommSize(library.World, &size);
        if (size != launch.Size)
        {
            throw new NotSupportedException(
                $"The launcher started {launch.Size} processes, but {library.Version} ('{library.Name}') sees {size}: launcher and library do not belong together. "
                + $"Start it with the library's own mpirun, under Slurm with 'srun --mpi=pmix' or '--mpi=pmi2', or name the launcher's library with {MpiLibrary.Variable}.");
        }

        launch.ShareThreads();
        _ = library.CommSetErrhandler(library.World, library.ErrorsReturn);
        return new(library, launch, rank, say);
    }

    /// <inheritdoc/>
    public override void AllReduce(Span<float> values)
    {
        _watch.Enter();
        for (var rest = values; !rest.IsEmpty; rest = rest[Math.Min(rest.Length, MostNumbers)..])
        {
            fixed (float* first = rest)
            {
                Require(Library.AllReduce(Library.InPlace, first, Math.Min(rest.Length, MostNumbers), Library.Floats, Library.Sum, _channel));
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>Each rank adds up a part for all: the libraries know no bfloat16, and partial sums are not rounded so.</remarks>
    public override void AllReduceBFloat16(Span<ushort> bfloat16)
    {
        _watch.Enter();
        for (var rest = bfloat16; !rest.IsEmpty; rest = rest[Math.Min(rest.Length, MostNumbers)..])
        {
            SumInParts(rest[..Math.Min(rest.Length, MostNumbers)]);
        }
    }

    /// <inheritdoc/>
    public override void Broadcast(Span<byte> values, int root = 0)
    {
        _watch.Enter();
        Send(values, root);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> AllGather(ReadOnlySpan<byte> values)
    {
        _watch.Enter();
        var (length, lengths) = ((long)values.Length, new long[Size]);
        fixed (long* all = lengths)
        {
            Require(Library.AllGather(&length, sizeof(long), Library.Bytes, all, sizeof(long), Library.Bytes, _channel));
        }

        var gathered = new byte[Size][];
        for (var rank = 0; rank < Size; rank++)
        {
            gathered[rank] = rank == Rank ? values.ToArray() : new byte[lengths[rank]];
            Send(gathered[rank], rank);
        }

        return gathered;
    }

    /// <inheritdoc/>
    public override void Barrier()
    {
        _watch.Enter();
        Require(Library.Barrier(_channel));
    }

    /// <inheritdoc/>
    public override void Abort(string reason) => _watch.Fail(reason);

    /// <summary>Ends the job.</summary>
    public void Kill() => _ = Library.Abort(Library.World, 1);

    /// <summary>Throws the library's sentence for an error code.</summary>
    /// <exception cref="IOException">It is one.</exception>
    public void Require(int code)
    {
        if (code != 0)
        {
            throw new IOException($"Rank {Rank} cannot reach the others: {Library.Describe(code)} ({Library.Version}).");
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!_hasLeft)
        {
            _hasLeft = true;
            _watch.Dispose();
            using var signals = SignalActions.Keep();
            _ = Library.Barrier(_channel);
            _ = Library.Finish();
        }

        base.Dispose(disposing);
    }

    private void SumInParts(Span<ushort> values)
    {
        var part = (values.Length + Size - 1) / Size;
        var (own, all, sum) = (new ushort[part * Size], new ushort[part * Size], new ushort[part]);
        values.CopyTo(own);
        fixed (ushort* sent = own, received = all, summed = sum)
        {
            Require(Library.AllToAll(sent, part * sizeof(ushort), Library.Bytes, received, part * sizeof(ushort), Library.Bytes, _channel));
            for (var i = 0; i < part; i++)
            {
                var total = 0f;
                for (var rank = 0; rank < Size; rank++)
                {
                    total += BFloat16.Widen(all[(rank * part) + i]);
                }

                sum[i] = BFloat16.Round(total);
            }

            Require(Library.AllGather(summed, part * sizeof(ushort), Library.Bytes, sent, part * sizeof(ushort), Library.Bytes, _channel));
        }

        own.AsSpan(0, values.Length).CopyTo(values);
    }

    private nint Duplicate(nint channel)
    {
        nint copy = 0;
        Require(Library.CommDup(channel, &copy));
        Require(Library.CommSetErrhandler(copy, Library.ErrorsReturn));
        return copy;
    }

    private void Send(Span<byte> values, int root)
    {
        for (var rest = values; !rest.IsEmpty; rest = rest[Math.Min(rest.Length, MostBytes)..])
        {
            fixed (byte* first = rest)
            {
                Require(Library.Broadcast(first, Math.Min(rest.Length, MostBytes), Library.Bytes, root, _channel));
            }
        }
    }
}
