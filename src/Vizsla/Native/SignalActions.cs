using System.Runtime.InteropServices;

namespace Vizsla.Native;

/// <summary>What the process does on signals, kept over a call that would change it.</summary>
/// <remarks>Libraries of MPI take over SIGSEGV, by which .NET notices a null reference: afterwards a caught exception would end the process.</remarks>
internal sealed unsafe partial class SignalActions : IDisposable
{
    private const int Last = 31;
    private const int Kill = 9;
    private const int Stop = 19;

    // More than the structure takes in any C library.
    private const int Room = 256;

    private readonly byte[] _actions = new byte[(Last + 1) * Room];

    private SignalActions()
    {
        fixed (byte* first = _actions)
        {
            for (var signal = 1; signal <= Last; signal++)
            {
                _ = Action(signal, null, first + (signal * Room));
            }
        }
    }

    /// <summary>Remembers the actions until the result is disposed, which puts them back; null where the system is not Linux.</summary>
    public static SignalActions? Keep() => OperatingSystem.IsLinux() ? new() : null;

    public void Dispose()
    {
        fixed (byte* first = _actions)
        {
            for (var signal = 1; signal <= Last; signal++)
            {
                if (signal is not (Kill or Stop))
                {
                    _ = Action(signal, first + (signal * Room), null);
                }
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int Action(int signal, byte* action, byte* before);
}
