using Vizsla.Distributed;
using Vizsla.Primitives;
using Vizsla.Tests.Training;

namespace Vizsla.Tests.Distributed;

/// <summary>Runs of the Python Trainer in two processes, with <c>distributed_order accelerate</c>.</summary>
[Trait("Category", "Golden")]
[Collection(TrainsAlone.Name)]
public sealed class SharedGoldenTests
{
    private const string Kind = "trainer2";

    public static TheoryData<string> Runs => [.. GoldenRun.All(Kind).Select(run => run.Name).DefaultIfEmpty("none")];

    [Theory]
    [MemberData(nameof(Runs))]
    public void A_run_in_several_processes_gives_the_numbers_of_the_recorded_one(string name)
    {
        var run = GoldenRun.Require(name, Kind);
        var ranks = 1;
        for (; run.Has($"order.rank{ranks}.json"); ranks++)
        {
        }

        // The ranks of this test are threads of one process, which has one generator.
        var dropout = PythonJson.Parse(File.ReadAllText(Path.Combine(run.StartFolder, "config.json")))!.AsObject().Where(v => v.Key.Contains("dropout", StringComparison.Ordinal)).Select(v => v.Value!.ToJsonString());
        Assert.SkipWhen(run.Read("data.json")["transform"]!.GetValue<string>() != "plain" || dropout.Any(rate => rate is not ("0" or "0.0")), "skipped: each rank draws from a generator of its own");
        var output = Directory.CreateTempSubdirectory("vizsla").FullName;
        var recorders = Enumerable.Range(0, ranks).Select(_ => new RunRecorder()).ToList();

        var outcomes = ThreadGroup.Run(ranks, group => Train(run, output, group, recorders[group.Rank]));

        for (var rank = 0; rank < ranks; rank++)
        {
            TrainerGoldenTests.AssertOrder(run, recorders[rank], rank == 0 ? "order.json" : $"order.rank{rank}.json");
            TrainerGoldenTests.AssertWeights(run, recorders[rank]);
        }

        TrainerGoldenTests.AssertLosses(run, recorders[0]);
        var metrics = run.Read("metrics.json");
        TrainerGoldenTests.AssertRows(run, outcomes[0].Rows, TrainerGoldenTests.RateTolerance, TrainerGoldenTests.RowLossTolerance, onlyTraining: false);
        TrainerGoldenTests.AssertMetrics($"{name}, train", metrics["train"]!.AsObject(), outcomes[0].Train);
        foreach (var (_, _, evaluation, prediction) in outcomes)
        {
            TrainerGoldenTests.AssertMetrics($"{name}, eval", metrics["eval"]!.AsObject(), evaluation);
            TrainerGoldenTests.AssertMetrics($"{name}, predict", metrics["predict"]!.AsObject(), prediction.Metrics);
            var expected = metrics["predictions"]!.AsArray().SelectMany(row => row!.AsArray().Select(x => (float)x!.GetValue<double>())).ToList();
            Assert.Equal(expected.Count, prediction.Predictions.Logits.Length);
            Assert.All(expected.Zip(prediction.Predictions.Logits), x => Assert.True(Math.Abs(x.First - x.Second) <= TrainerGoldenTests.WeightTolerance * 10, $"{x.First}, {x.Second}"));
        }

        TrainerGoldenTests.AssertCheckpoints(run, output);
        recorders.ForEach(r => r.Dispose());
        Directory.Delete(output, recursive: true);
    }

    private static (List<System.Text.Json.Nodes.JsonObject> Rows, IReadOnlyDictionary<string, double> Train, IReadOnlyDictionary<string, double> Evaluation, PredictionOutput Prediction) Train(
        GoldenRun run, string output, ProcessGroup group, RunRecorder recorder)
    {
        using var model = ImageClassifier.FromPretrained(run.StartFolder);
        var arguments = run.Arguments(output, ("distributed_order", "accelerate"));

        // The ranks of this test share one generator of libtorch, which is theirs alone in a job.
        arguments = arguments with { DataRng = DataRng.Sample };
        using var trainer = new Trainer(model, arguments, run.Train(), run.Eval(), new TrainerOptions { Callbacks = [recorder], Processes = group });
        var result = trainer.Train();
        var rows = trainer.State.LogHistory.ToList();
        return (rows, result.Metrics, trainer.Evaluate(), trainer.Predict(run.Eval()));
    }
}
