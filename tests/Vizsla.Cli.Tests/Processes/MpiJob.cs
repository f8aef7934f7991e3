using System.Diagnostics;
using System.Text;

namespace Vizsla.Cli.Tests.Processes;

/// <summary>The command line in several processes, started by a launcher of MPI.</summary>
internal static class MpiJob
{
    public const string OpenMpi = "Open MPI";
    public const string Mpich = "MPICH";

    public static TheoryData<string, int> Jobs => new() { { OpenMpi, 2 }, { OpenMpi, 4 }, { Mpich, 4 } };

    public static TheoryData<string> Libraries => [OpenMpi, Mpich];

    /// <summary>Runs a job to its end; skips the test where the launcher is not installed.</summary>
    /// <param name="library">Which library's launcher.</param>
    /// <param name="ranks">Processes.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="words">The words of each process.</param>
    public static Task<(int Code, string Out, string Error)> RunAsync(string library, int ranks, string folder, params string[] words) =>
        RunAsync(library, folder, new Dictionary<string, string>(), [(ranks, words)]);

    /// <summary>Runs a job whose processes have words of their own.</summary>
    /// <param name="library">Which library's launcher.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="environment">Variables of the launcher.</param>
    /// <param name="parts">So many processes with the same words, in the order of the ranks.</param>
    public static async Task<(int Code, string Out, string Error)> RunAsync(
        string library, string folder, IReadOnlyDictionary<string, string> environment, IReadOnlyList<(int Ranks, string[] Words)> parts)
    {
        using var process = Process.Start(Start(library, folder, environment, parts))!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output, await errors);
    }

    /// <summary>How a job is started; skips the test where the launcher is not installed.</summary>
    public static ProcessStartInfo Start(string library, string folder, IReadOnlyDictionary<string, string> environment, IReadOnlyList<(int Ranks, string[] Words)> parts)
    {
        var launcher = library == OpenMpi ? "/usr/bin/mpirun.openmpi" : "/usr/bin/mpirun.mpich";
        Assert.SkipUnless(File.Exists(launcher), $"skipped: no {launcher} (Debian: {(library == OpenMpi ? "openmpi-bin" : "mpich")})");
        var start = new ProcessStartInfo(launcher)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        var words = library == OpenMpi ? new List<string> { "--oversubscribe" } : [];
        foreach (var (ranks, own) in parts)
        {
            words.AddRange([.. words.Count > 1 ? [":"] : Array.Empty<string>(), "-np", $"{ranks}", "dotnet", Path.Combine(AppContext.BaseDirectory, "Vizsla.Cli.dll"), .. own]);
        }

        words.ForEach(start.ArgumentList.Add);
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("HF_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        // Without these two Open MPI refuses to start for root.
        start.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
        start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
        start.Environment["OMP_NUM_THREADS"] = "1";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }
}

/// <summary>Jobs whose processes wait by looking, on cores that tests of signals and deadlines would miss: one at a time, after the others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MpiJobs
{
    public const string Name = "jobs of several processes";
}
