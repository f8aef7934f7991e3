using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Processes;

/// <summary>The same run file in one process and in real jobs of Open MPI and MPICH.</summary>
[Collection(MpiJobs.Name)]
public sealed class MpiTrainingTests
{
    // float32 sums in another order, over a whole run.
    private const double LossTolerance = 1e-5;
    private const double NormTolerance = 1e-4;
    private const int PicturesPerStep = 8;

    [Theory]
    [InlineData(MpiJob.OpenMpi, 2)]
    [InlineData(MpiJob.Mpich, 4)]
    public async Task A_job_trains_what_one_process_trains(string library, int ranks)
    {
        using var run = new AnimalRun(dropout: 0);
        var (code, _, errors) = await MpiJob.RunAsync(library, ranks, run.Output("."), Words(run, "several", ranks, steps: 8));
        Assert.True(code == 0, errors);

        await CliProcess.RunAsync(run.Output("."), new Dictionary<string, string>(), Words(run, "one", 1, steps: 8));

        AssertRows(State(run, "one"), State(run, "several"));
        Assert.Equal(1, errors.Split("***** train metrics *****").Length - 1);
        var description = JsonNode.Parse(File.ReadAllText(Path.Combine(run.Output("several"), "training_args.json")))!;
        Assert.Equal(ranks, description["processes"]!.GetValue<int>());
        string[] evaluate = ["evaluate", "--model", run.Output("one"), "--dataset", run.Dataset, "--batch_size", "4", "--engine", "torch", "--format", "json"];
        var shared = await MpiJob.RunAsync(library, ranks, run.Output("."), evaluate);
        var alone = await CliProcess.RunAsync(run.Output("."), new Dictionary<string, string>(), evaluate);
        Assert.True(shared.Code == 0, shared.Error);
        AssertNumbers(JsonNode.Parse(alone.Out)!.AsObject(), JsonNode.Parse(shared.Out)!.AsObject());
        Assert.Equal(2, File.ReadLines(Path.Combine(run.Output("several"), "events.jsonl")).Count(line => line.Contains("\"event\": \"train_", StringComparison.Ordinal)));
    }

    [Theory]
    [Trait("Category", "Slow")]
    [InlineData(MpiJob.OpenMpi)]
    [InlineData(MpiJob.Mpich)]
    public async Task A_job_that_loses_a_rank_ends_and_goes_on_in_another_number_of_processes(string library)
    {
        Golden.RequireSlow();
        using var run = new AnimalRun(dropout: 0);
        await CliProcess.RunAsync(run.Output("."), new Dictionary<string, string>(), Words(run, "one", 1, steps: 60));
        using (var job = Process.Start(MpiJob.Start(library, run.Output("."), new Dictionary<string, string>(), [(2, Words(run, "several", 2, steps: 60))]))!)
        {
            _ = job.StandardError.ReadToEndAsync();
            while (await job.StandardOutput.ReadLineAsync() is { } line && !line.Contains("\"event\": \"save\"", StringComparison.Ordinal))
            {
            }

            Process.GetProcessById(RankOf(job.Id, 1)).Kill();
            await job.WaitForExitAsync();
            Assert.NotEqual(0, job.ExitCode);
        }

        await CliProcess.RunAsync(run.Output("."), new Dictionary<string, string>(), [.. Words(run, "several", 1, steps: 30 + 30), "--resume_from_checkpoint", "true"]);

        AssertRows(State(run, "one"), State(run, "several"));
    }

    [Theory]
    [Trait("Category", "Slow")]
    [InlineData(MpiJob.OpenMpi)]
    [InlineData(MpiJob.Mpich)]
    public async Task A_rank_that_hangs_is_named_after_the_time_that_was_given(string library)
    {
        Golden.RequireSlow();
        using var run = new AnimalRun(dropout: 0);
        using var job = Process.Start(MpiJob.Start(library, run.Output("."), new Dictionary<string, string>(), [(2, [.. Words(run, "hangs", 2, steps: 100_000), "--ddp_timeout", "3"])]))!;
        var errors = job.StandardError.ReadToEndAsync();
        while (await job.StandardOutput.ReadLineAsync() is { } line && !line.Contains("\"event\": \"save\"", StringComparison.Ordinal))
        {
        }

        var output = job.StandardOutput.ReadToEndAsync();
        using (var stopped = Process.Start("kill", ["-STOP", $"{RankOf(job.Id, 1)}"])!)
        {
            await stopped.WaitForExitAsync();
        }

        await job.WaitForExitAsync();
        await output;

        Assert.NotEqual(0, job.ExitCode);
        Assert.Equal(1, (await errors).Split(
            "The others have waited 3 seconds for rank 1: see whether the machine or a disk hangs there, then resume from the last checkpoint; a longer time is given with ddp_timeout.").Length - 1);
    }

    [Theory]
    [InlineData(MpiJob.OpenMpi)]
    [InlineData(MpiJob.Mpich)]
    public async Task A_rank_with_other_arguments_is_named_by_the_first(string library)
    {
        using var run = new AnimalRun(dropout: 0);

        var (code, _, errors) = await MpiJob.RunAsync(
            library, run.Output("."), new Dictionary<string, string>(), [(1, Words(run, "several", 2, steps: 8)), (1, [.. Words(run, "several", 2, steps: 8), "--weight_decay", "0.5"])]);

        Assert.NotEqual(0, code);
        Assert.Equal(1, errors.Split(
            "Rank 1 does not train what rank 0 trains: arguments.weight_decay is 0.5 there, 0.0 on rank 0. Start all processes with the same command, the same version and the same data.").Length - 1);
        Assert.False(File.Exists(Path.Combine(run.Output("several"), "training_args.json")));
    }

    private static string[] Words(AnimalRun run, string name, int ranks, int steps) =>
    [
        "train", "--dataset", run.Dataset, "--model", run.Model, "--output", run.Output(name), "--log_format", "json", "--bf16", "false", "--max_steps", $"{steps}",
        "--per_device_train_batch_size", $"{PicturesPerStep / ranks}", "--dataloader_num_workers", "1", "--learning_rate", "1e-3", "--ema_decay", "0.9", "--logging_steps", "1",
        "--eval_strategy", "steps", "--eval_steps", "4", "--save_steps", "4", "--save_total_limit", "2", "--load_best_model_at_end", "--metric_for_best_model", "accuracy",
        "--patch_drop_rate", "0.25",
    ];

    private static JsonArray State(AnimalRun run, string name) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(run.Output(name), "trainer_state.json")))!["log_history"]!.AsArray();

    private static void AssertRows(JsonArray expected, JsonArray actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (e, a) in expected.Zip(actual))
        {
            AssertNumbers(e!.AsObject(), a!.AsObject());
        }
    }

    private static void AssertNumbers(JsonObject expected, JsonObject actual)
    {
        foreach (var (key, value) in expected.Where(v => !v.Key.EndsWith("_runtime", StringComparison.Ordinal) && !v.Key.EndsWith("_per_second", StringComparison.Ordinal)))
        {
            var (x, y) = (Number(value!), Number(actual[key]!));
            var tolerance = key.EndsWith("loss", StringComparison.Ordinal) || key.EndsWith("calibration_error", StringComparison.Ordinal) ? LossTolerance : key == "grad_norm" ? NormTolerance * Math.Max(1, x) : 0;
            Assert.True(Math.Abs(x - y) <= tolerance, $"step {expected["step"]}, {key}: {y:R}, expected {x:R}");
        }
    }

    private static double Number(JsonNode node) => double.Parse(node.ToJsonString(), CultureInfo.InvariantCulture);

    /// <summary>The process of a rank below its launcher, by the variable that the launcher gave it.</summary>
    private static int RankOf(int launcher, int rank)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(f => int.TryParse(Path.GetFileName(f), CultureInfo.InvariantCulture, out _)))
        {
            try
            {
                var variables = File.ReadAllText(Path.Combine(folder, "environ")).Split('\0');
                var isRank = variables.Contains($"OMPI_COMM_WORLD_RANK={rank}") || variables.Contains($"PMI_RANK={rank}");
                if (isRank && Ancestors(Path.GetFileName(folder)).Contains(launcher))
                {
                    return int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended meanwhile, or is somebody else's.
            }
        }

        throw new InvalidOperationException($"No process of rank {rank} below {launcher}.");
    }

    private static IEnumerable<int> Ancestors(string process)
    {
        for (var id = process; id != "0";)
        {
            id = File.ReadLines($"/proc/{id}/status").First(line => line.StartsWith("PPid:", StringComparison.Ordinal))[5..].Trim();
            yield return int.Parse(id, CultureInfo.InvariantCulture);
        }
    }
}
