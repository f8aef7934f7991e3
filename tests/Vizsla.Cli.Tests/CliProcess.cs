using System.Diagnostics;
using System.Text;

namespace Vizsla.Cli.Tests;

/// <summary>The command line as a process of its own, with the environment that a test gives it.</summary>
internal sealed class CliProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private CliProcess(string folder, IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> words)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Vizsla.Cli.dll"), .. words])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("HF_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        // One thread: other tests want the cores.
        start.Environment["OMP_NUM_THREADS"] = "1";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    /// <summary>Starts a process that goes on until it is ended.</summary>
    public static CliProcess Start(string folder, IReadOnlyDictionary<string, string> environment, params string[] words) => new(folder, environment, words);

    /// <summary>Runs a process to its end, which must be a good one.</summary>
    public static async Task<(string Out, string Error)> RunAsync(string folder, IReadOnlyDictionary<string, string> environment, params string[] words)
    {
        var (code, output, errors) = await TryAsync(folder, environment, words);
        Assert.True(code == 0, $"exit code {code}: vizsla {string.Join(' ', words)}\n{errors}\n{output}");
        return (output, errors);
    }

    /// <summary>Runs a process to its end, whatever that is.</summary>
    public static async Task<(int Code, string Out, string Error)> TryAsync(string folder, IReadOnlyDictionary<string, string> environment, params string[] words)
    {
        using var process = new CliProcess(folder, environment, words);
        var output = await process._process.StandardOutput.ReadToEndAsync();
        await process._process.WaitForExitAsync();
        return (process._process.ExitCode, output, await process._errors);
    }

    /// <summary>The next line of standard output.</summary>
    public async Task<string> ReadLineAsync() => await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException(await _errors);

    /// <summary>Ends the process at once, as <c>kill -9</c> does.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
