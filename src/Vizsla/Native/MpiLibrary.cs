using System.Runtime.InteropServices;
using System.Text;

namespace Vizsla.Native;

/// <summary>How a library of MPI writes its handles.</summary>
internal enum MpiAbi
{
    /// <summary>Addresses of exported symbols.</summary>
    OpenMpi,

    /// <summary>Integers; MPICH and what is derived from it, such as Intel MPI.</summary>
    Mpich,
}

/// <summary>A library of MPI: its functions, and the handles and constants of its ABI.</summary>
/// <remarks>
/// Handles are passed as 64 bits for both: where a function takes 32, it reads the lower half.
/// The ABI of MPI 5 (<c>libmpi_abi</c>) would be a third row of <see cref="Handle"/>.
/// Source: <c>mpi.h</c> of Open MPI 4.1 and MPICH 4.0.
/// </remarks>
internal sealed unsafe class MpiLibrary
{
    /// <summary>Variable that names the library to load, as a path or a name.</summary>
    public const string Variable = "VIZSLA_MPI";

    /// <summary>What <c>MPI_Init_thread</c> calls any thread at any time.</summary>
    public const int ThreadMultiple = 3;

    // Longer than MPI_MAX_LIBRARY_VERSION_STRING and MPI_MAX_ERROR_STRING of either.
    private const int TextLength = 16384;

    private static readonly (MpiAbi Abi, string[] Names)[] _names =
    [
        (MpiAbi.OpenMpi, ["libmpi.so.40"]),
        (MpiAbi.Mpich, ["libmpich.so.12", "libmpi.so.12"]),
    ];

    private readonly nint _library;

    private MpiLibrary(nint library, string name)
    {
        (_library, Name) = (library, name);
        var get = (delegate* unmanaged<byte*, int*, int>)Find("MPI_Get_library_version");
        Version = Text((text, length) => get((byte*)text, (int*)length)).Split('\n')[0].Split(',')[0].Replace("Version:", "", StringComparison.Ordinal);
        Version = string.Join(' ', Version.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries));
        Abi = Version.StartsWith("Open MPI", StringComparison.Ordinal) ? MpiAbi.OpenMpi
            : Version.Contains("MPICH", StringComparison.Ordinal) || Version.StartsWith("Intel", StringComparison.Ordinal) ? MpiAbi.Mpich
            : throw new NotSupportedException($"The library of MPI '{name}' calls itself '{Version}', expected Open MPI, MPICH or one derived from it: name another with {Variable}.");
        InitThread = (delegate* unmanaged<void*, void*, int, int*, int>)Find("MPI_Init_thread");
        Finish = (delegate* unmanaged<int>)Find("MPI_Finalize");
        Abort = (delegate* unmanaged<nint, int, int>)Find("MPI_Abort");
        CommRank = (delegate* unmanaged<nint, int*, int>)Find("MPI_Comm_rank");
        CommSize = (delegate* unmanaged<nint, int*, int>)Find("MPI_Comm_size");
        CommDup = (delegate* unmanaged<nint, nint*, int>)Find("MPI_Comm_dup");
        CommSetErrhandler = (delegate* unmanaged<nint, nint, int>)Find("MPI_Comm_set_errhandler");
        AllReduce = (delegate* unmanaged<nint, void*, int, nint, nint, nint, int>)Find("MPI_Allreduce");
        Broadcast = (delegate* unmanaged<void*, int, nint, int, nint, int>)Find("MPI_Bcast");
        AllGather = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int>)Find("MPI_Allgather");
        AllToAll = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int>)Find("MPI_Alltoall");
        Barrier = (delegate* unmanaged<nint, int>)Find("MPI_Barrier");
        Send = (delegate* unmanaged<void*, int, nint, int, int, nint, int>)Find("MPI_Send");
        Receive = (delegate* unmanaged<void*, int, nint, int, int, nint, nint, int>)Find("MPI_Recv");
        Probe = (delegate* unmanaged<int, int, nint, int*, nint, int>)Find("MPI_Iprobe");
        (World, Bytes, Floats, Sum, ErrorsReturn) = (
            Handle("ompi_mpi_comm_world", 0x44000000), Handle("ompi_mpi_byte", 0x4c00010d), Handle("ompi_mpi_float", 0x4c00040a),
            Handle("ompi_mpi_op_sum", 0x58000003), Handle("ompi_mpi_errors_return", 0x54000001));
        (InPlace, AnySource, StatusIgnore) = Abi == MpiAbi.OpenMpi ? (1, -1, 0) : ((nint)(-1), -2, (nint)1);
    }

    /// <summary>The file that was loaded.</summary>
    public string Name { get; }

    /// <summary>Name and version in the library's own words, such as <c>Open MPI v4.1.4</c>.</summary>
    public string Version { get; }

    public MpiAbi Abi { get; }

    public nint World { get; }

    public nint Bytes { get; }

    public nint Floats { get; }

    public nint Sum { get; }

    public nint ErrorsReturn { get; }

    public nint InPlace { get; }

    public int AnySource { get; }

    public nint StatusIgnore { get; }

    public delegate* unmanaged<void*, void*, int, int*, int> InitThread { get; }

    public delegate* unmanaged<int> Finish { get; }

    public delegate* unmanaged<nint, int, int> Abort { get; }

    public delegate* unmanaged<nint, int*, int> CommRank { get; }

    public delegate* unmanaged<nint, int*, int> CommSize { get; }

    public delegate* unmanaged<nint, nint*, int> CommDup { get; }

    public delegate* unmanaged<nint, nint, int> CommSetErrhandler { get; }

    public delegate* unmanaged<nint, void*, int, nint, nint, nint, int> AllReduce { get; }

    public delegate* unmanaged<void*, int, nint, int, nint, int> Broadcast { get; }

    public delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int> AllGather { get; }

    public delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int> AllToAll { get; }

    public delegate* unmanaged<nint, int> Barrier { get; }

    public delegate* unmanaged<void*, int, nint, int, int, nint, int> Send { get; }

    public delegate* unmanaged<void*, int, nint, int, int, nint, nint, int> Receive { get; }

    public delegate* unmanaged<int, int, nint, int*, nint, int> Probe { get; }

    /// <summary>Loads a library of MPI; null where there is none.</summary>
    /// <param name="abi">The one that the launcher belongs to; null takes the first that is there.</param>
    /// <exception cref="NotSupportedException">The one that <see cref="Variable"/> names does not load, or is of another kind.</exception>
    public static MpiLibrary? Load(MpiAbi? abi)
    {
        // UCX, which MPICH loads, reads this once.
        NativeEnvironment.SetDefault("UCX_ERROR_SIGNALS", "");
        using var signals = SignalActions.Keep();
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } asked)
        {
            return NativeLibrary.TryLoad(asked, out var library)
                ? new(library, asked)
                : throw new NotSupportedException($"The library of MPI '{asked}', which {Variable} names, does not load: give the path of libmpi.so or libmpich.so, or unset the variable.");
        }

        foreach (var name in _names.Where(n => abi is null || n.Abi == abi).SelectMany(n => n.Names))
        {
            if (NativeLibrary.TryLoad(name, out var library))
            {
                return new(library, name);
            }
        }

        return null;
    }

    /// <summary>The sentence of an error code.</summary>
    public string Describe(int code)
    {
        var describe = (delegate* unmanaged<int, byte*, int*, int>)Find("MPI_Error_string");
        return Text((text, length) => describe(code, (byte*)text, (int*)length));
    }

    private static string Text(Func<nint, nint, int> fill)
    {
        var (text, length) = (new byte[TextLength], 0);
        fixed (byte* first = text)
        {
            _ = fill((nint)first, (nint)(&length));
        }

        return Encoding.UTF8.GetString(text, 0, Math.Clamp(length, 0, TextLength)).TrimEnd('\0', '\n', ' ');
    }

    private nint Handle(string symbol, int number) => Abi == MpiAbi.OpenMpi ? Find(symbol) : number;

    private nint Find(string name) => NativeLibrary.TryGetExport(_library, name, out var address)
        ? address
        : throw new NotSupportedException($"The library of MPI '{Name}' has no '{name}': name another with {Variable}.");
}
