using System.Globalization;
using System.Runtime.InteropServices;

namespace Vizsla.Cli;

/// <summary>Ctrl-C, SIGTERM and the end of the terminal as one token: the first signal asks the verb to finish what it must, the second ends the process at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private const string IgnoredSignals = "SigIgn:";
    private readonly CancellationTokenSource _stop = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    public StopSignals()
    {
        Register(PosixSignal.SIGINT);
        Register(PosixSignal.SIGTERM);
        if (IsHangUpHeard())
        {
            Register(PosixSignal.SIGHUP);
        }
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    public void Dispose()
    {
        _registrations.ForEach(r => r.Dispose());
        _stop.Dispose();
    }

    private void Register(PosixSignal signal) => _registrations.Add(PosixSignalRegistration.Create(signal, context =>
    {
        if (!_stop.IsCancellationRequested)
        {
            context.Cancel = true;
            _stop.Cancel();
        }
    }));

    // Under nohup the end of the terminal is ignored; a handler of ours would undo that. Only Linux says whether it is.
    private static bool IsHangUpHeard()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        var mask = File.ReadLines("/proc/self/status").First(line => line.StartsWith(IgnoredSignals, StringComparison.Ordinal))[IgnoredSignals.Length..];
        const ulong HangUp = 1;
        return (ulong.Parse(mask, NumberStyles.HexNumber | NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture) & HangUp) == 0;
    }
}
