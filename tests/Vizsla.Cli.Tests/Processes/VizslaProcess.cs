using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Vizsla.Cli.Tests.Processes;

/// <summary>The command line as a process of its own, as a user starts it; killed when it is not done after a few minutes.</summary>
internal sealed class VizslaProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private readonly Timer _watchdog;

    private VizslaProcess(string program, IEnumerable<string> words)
    {
        var start = new ProcessStartInfo(program, words)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // One thread: many small products gain nothing from more, and other tests want the cores.
        start.Environment["OMP_NUM_THREADS"] = "1";
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["CI"] = "1";
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
            {
                _errors.AppendLine(line.Data);
            }
        };
        _process.BeginErrorReadLine();
        _watchdog = new Timer(_ => Kill(), null, Patience, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether it runs no longer.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>What it wrote to standard error so far.</summary>
    public string ErrorText
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString();
            }
        }
    }

    private static string Library => Path.Combine(AppContext.BaseDirectory, "Vizsla.Cli.dll");

    public static VizslaProcess Start(params IEnumerable<string> words) => new("dotnet", [Library, .. words]);

    /// <summary>Starts it as <c>nohup</c> does: with a signal that is ignored from the beginning.</summary>
    public static VizslaProcess StartIgnoring(string signal, IEnumerable<string> words) =>
        new("sh", ["-c", $"trap '' {signal}; exec dotnet \"$@\"", "sh", Library, .. words]);

    /// <summary>Reads events up to the first one of a name.</summary>
    /// <returns>The event; null where the process ended before.</returns>
    public JsonObject? ReadUntil(string name)
    {
        while (Read() is { } happened)
        {
            if (happened["event"]!.GetValue<string>() == name)
            {
                return happened;
            }
        }

        return null;
    }

    /// <summary>The next event of <c>--log_format json</c>; null at the end.</summary>
    public JsonObject? Read()
    {
        try
        {
            return _process.StandardOutput.ReadLine() is { } line ? JsonNode.Parse(line)!.AsObject() : null;
        }
        catch (System.Text.Json.JsonException) when (_process.WaitForExit(Patience))
        {
            // A killed process may leave half a line.
            return null;
        }
    }

    /// <summary>Ends it at once, without a word (SIGKILL).</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Sends a signal by its name, such as TERM or INT.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -s {name} {_process.Id}")]);
        kill.WaitForExit();
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code.</returns>
    public int Wait()
    {
        _process.StandardOutput.ReadToEnd();
        _process.WaitForExit();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        _watchdog.Dispose();
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }
}
