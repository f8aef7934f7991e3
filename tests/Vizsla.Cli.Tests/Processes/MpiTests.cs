using System.Text.Json.Nodes;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Processes;

/// <summary>Real jobs of Open MPI and MPICH.</summary>
[Collection(MpiJobs.Name)]
public sealed class MpiTests
{
    public static TheoryData<string, int> Jobs => MpiJob.Jobs;

    public static TheoryData<string> Libraries => MpiJob.Libraries;

    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task The_doctor_tries_every_call_between_the_ranks(string library, int ranks)
    {
        using var folder = new TemporaryFolder();

        var (code, output, errors) = await MpiJob.RunAsync(library, ranks, folder.Path, "doctor", "--seconds", "0.01", "--format", "json");

        Assert.True(code == 0, errors);
        var report = JsonNode.Parse(output)!;
        Assert.Equal(ranks, report["ranks"]!.GetValue<int>());
        Assert.Equal(1, report["machines"]!.GetValue<int>());
        Assert.StartsWith(library, report["mpi"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains($"handles of {library}", report["mpi"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.True(report["all_reduce_bytes_per_second"]!.GetValue<double>() > 0);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task A_verb_that_runs_in_one_process_says_so_once(string library)
    {
        using var folder = new TemporaryFolder();

        var (code, output, errors) = await MpiJob.RunAsync(library, 2, folder.Path, "models");

        Assert.NotEqual(0, code);
        Assert.Equal("", output.Trim());
        Assert.Equal(1, Count(errors, "vizsla models runs in one process: start it without mpirun."));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task What_goes_wrong_on_one_rank_is_said_by_the_first(string library)
    {
        using var folder = new TemporaryFolder();

        var (code, _, errors) = await MpiJob.RunAsync(
            library, folder.Path, new Dictionary<string, string>(), [(1, ["doctor", "--seconds", "0.01"]), (1, ["doctor", "--format", "yaml"])]);

        Assert.NotEqual(0, code);
        Assert.Equal(1, Count(errors, "Rank 1 of 2: Argument 'yaml' not recognized. Must be one of:"));
    }

    [Fact]
    public async Task A_launcher_of_another_library_is_told_from_the_right_one()
    {
        using var folder = new TemporaryFolder();

        var (code, _, errors) = await MpiJob.RunAsync(
            MpiJob.OpenMpi, folder.Path, new Dictionary<string, string> { ["VIZSLA_MPI"] = "libmpich.so.12" }, [(2, ["doctor", "--seconds", "0.01"])]);

        Assert.SkipWhen(errors.Contains("does not load", StringComparison.Ordinal), "skipped: no libmpich.so.12");
        Assert.NotEqual(0, code);
        Assert.Equal(1, Count(errors, "The launcher started 2 processes, but MPICH 4.0.2 ('libmpich.so.12') sees 1: launcher and library do not belong together. "
            + "Start it with the library's own mpirun, under Slurm with 'srun --mpi=pmix' or '--mpi=pmi2', or name the launcher's library with VIZSLA_MPI."));
    }

    [Fact]
    public async Task A_library_that_does_not_load_is_named()
    {
        using var folder = new TemporaryFolder();

        var (code, _, errors) = await MpiJob.RunAsync(
            MpiJob.OpenMpi, folder.Path, new Dictionary<string, string> { ["VIZSLA_MPI"] = "/nowhere/libmpi.so" }, [(2, ["doctor"])]);

        Assert.NotEqual(0, code);
        Assert.Equal(1, Count(errors, "The library of MPI '/nowhere/libmpi.so', which VIZSLA_MPI names, does not load: give the path of libmpi.so or libmpich.so, or unset the variable."));
    }

    private static int Count(string text, string sentence) => text.Split(sentence).Length - 1;
}
