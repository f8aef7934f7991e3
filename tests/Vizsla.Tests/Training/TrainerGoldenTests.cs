using System.Text.Json.Nodes;
using Vizsla.Models.Weights;
using Vizsla.Testing;
using static TorchSharp.torch;

namespace Vizsla.Tests.Training;

[Trait("Category", "Golden")]
[Collection(TrainsAlone.Name)]
public sealed class TrainerGoldenTests
{
    internal const double LossTolerance = 1e-4;
    internal const double RowLossTolerance = 1.5e-4;
    private const double NormTolerance = 1e-3;
    internal const double RateTolerance = 1e-12;
    internal const double WeightTolerance = 1e-4;
    private const double LowPrecisionLossTolerance = 2e-2;

    public static TheoryData<string> RunsWithCheckpoint =>
        [.. GoldenRun.All().Where(run => run.CheckpointFolder is not null).Select(run => run.Name).DefaultIfEmpty("none")];

    public static TheoryData<string> Runs => [.. GoldenRun.All().Select(run => run.Name).DefaultIfEmpty("none")];

    [Theory]
    [MemberData(nameof(Runs))]
    public void A_run_gives_the_numbers_of_the_recorded_one(string name)
    {
        var run = GoldenRun.Require(name);
        var output = Directory.CreateTempSubdirectory("vizsla").FullName;
        using var recorder = new RunRecorder();
        using var model = ImageClassifier.FromPretrained(run.StartFolder);
        var arguments = run.Arguments(output);
        using var trainer = new Trainer(model, arguments, run.Train(), run.Eval(), new TrainerOptions { Callbacks = [recorder] });

        var result = trainer.Train();
        var rows = trainer.State.LogHistory.ToList();
        var draws = recorder.Draws.ToList();
        var evaluation = trainer.Evaluate();
        var prediction = trainer.Predict(run.Eval());

        AssertOrder(run, recorder);
        if (arguments.Bf16 == true)
        {
            AssertRows(run, rows, rateTolerance: RateTolerance, lossTolerance: LowPrecisionLossTolerance, onlyTraining: true);
            return;
        }

        AssertGenerator(run, draws);
        AssertLosses(run, recorder);
        AssertRows(run, rows, RateTolerance, RowLossTolerance, onlyTraining: false);
        AssertWeights(run, recorder);
        var metrics = run.Read("metrics.json");
        AssertMetrics($"{name}, train", metrics["train"]!.AsObject(), result.Metrics);
        AssertMetrics($"{name}, eval", metrics["eval"]!.AsObject(), evaluation);
        AssertMetrics($"{name}, predict", metrics["predict"]!.AsObject(), prediction.Metrics);
        Assert.Equal(metrics["best_metric"]!.GetValue<double>(), trainer.State.BestMetric);
        Assert.Equal(metrics["best_model_checkpoint"]!.GetValue<string>(), Path.GetFileName(trainer.State.BestModelCheckpoint));
        AssertCheckpoints(run, output);
    }

    [Theory]
    [MemberData(nameof(RunsWithCheckpoint))]
    public void A_checkpoint_of_Python_goes_on_as_the_recorded_run(string name)
    {
        var run = GoldenRun.Require(name);
        var output = Directory.CreateTempSubdirectory("vizsla").FullName;
        using var recorder = new RunRecorder();
        using var model = ImageClassifier.FromPretrained(run.StartFolder);
        var arguments = run.Arguments(output, ("resume_from_checkpoint", run.CheckpointFolder), ("save_python_state", true));
        using var trainer = new Trainer(model, arguments, run.Train(), run.Eval(), new TrainerOptions { Callbacks = [recorder] });

        var result = trainer.Train();

        var first = trainer.State.MaxSteps - (recorder.Losses.Count / arguments.GradientAccumulationSteps);
        var losses = run.Read("losses.json").AsArray().Select(l => l!.GetValue<double>()).ToList();
        Assert.InRange(first, 1, trainer.State.MaxSteps - 1);
        foreach (var (expected, actual) in losses.Skip(losses.Count - recorder.Losses.Count).Zip(recorder.Losses))
        {
            Near($"{name}, loss after step {first}", expected, actual, LossTolerance);
        }

        AssertRows(run, [.. trainer.State.LogHistory], RateTolerance, RowLossTolerance, onlyTraining: false);
        AssertWeights(run, recorder);
        AssertMetrics($"{name}, train", run.Read("metrics.json")["train"]!.AsObject(), result.Metrics);
        Assert.True(File.Exists(Path.Combine(output, $"checkpoint-{trainer.State.MaxSteps}", "optimizer.pt")));
    }

    internal static void AssertOrder(GoldenRun run, RunRecorder recorder, string file = "order.json")
    {
        var order = run.Read(file).AsArray().Select(i => (int)i!.GetValue<long>()).ToList();
        Assert.Equal(order.Take(recorder.Order.Count), recorder.Order);
    }

    private static void AssertGenerator(GoldenRun run, List<(string, int, long)> draws)
    {
        var expected = run.Read("generator.json").AsArray().Select(e => (e![0]!.GetValue<string>(), (int)e[1]!.GetValue<long>(), e[2]!.GetValue<long>())).ToList();
        Assert.Equal(expected, draws);
    }

    internal static void AssertLosses(GoldenRun run, RunRecorder recorder)
    {
        var losses = run.Read("losses.json").AsArray();
        Assert.Equal(losses.Count, recorder.Losses.Count);
        for (var i = 0; i < losses.Count; i++)
        {
            if (losses[i] is { } expected)
            {
                Near($"{run.Name}, loss of micro-batch {i}", expected.GetValue<double>(), recorder.Losses[i], LossTolerance);
            }
        }
    }

    internal static void AssertRows(GoldenRun run, List<JsonObject> rows, double rateTolerance, double lossTolerance, bool onlyTraining)
    {
        var expected = run.Read("log_history.json").AsArray().Select(r => r!.AsObject()).ToList();
        Assert.Equal(expected.Select(r => string.Join(' ', r.Select(v => v.Key).Order())), rows.Select(r => string.Join(' ', r.Select(v => v.Key).Order())));
        foreach (var (e, a) in expected.Zip(rows))
        {
            foreach (var (key, value) in e.Where(v => IsCompared(v.Key) && (!onlyTraining || v.Key is "loss" or "learning_rate" or "epoch" or "step")))
            {
                var number = Number(value!);
                var tolerance = key == "learning_rate" ? rateTolerance
                    : key == "grad_norm" ? NormTolerance * Math.Abs(number)
                    : key.EndsWith("loss", StringComparison.Ordinal) ? lossTolerance
                    : 0;
                Near($"{run.Name}, row of step {e["step"]}, {key}", number, Number(a[key]!), tolerance);
            }
        }
    }

    internal static void AssertWeights(GoldenRun run, RunRecorder recorder)
    {
        using var file = SafetensorsFile.Open(run.EndWeights);
        Assert.Equal(file.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal), recorder.End.Keys.Order(StringComparer.Ordinal));

        // Gradients of key biases are rounding noise around zero, which Adam amplifies.
        foreach (var (name, actual) in recorder.End.Where(w => !w.Key.EndsWith(".key.bias", StringComparison.Ordinal)))
        {
            using var scope = NewDisposeScope();
            var difference = (file.Read(name) - actual).abs().max().item<float>();
            Assert.True(difference <= WeightTolerance, $"{run.Name}, end weights, {name}: differs by {difference}, at most {WeightTolerance}");
        }
    }

    internal static void AssertMetrics(string what, JsonObject expected, IReadOnlyDictionary<string, double> actual)
    {
        foreach (var (key, value) in expected.Where(v => IsCompared(v.Key)))
        {
            var tolerance = key.EndsWith("loss", StringComparison.Ordinal) ? LossTolerance : 0;
            Near($"{what}, {key}", Number(value!), actual[key], tolerance);
        }
    }

    internal static void AssertCheckpoints(GoldenRun run, string output)
    {
        var expected = run.Read("files.json").AsObject().Select(f => f.Key.Split('/')[1]).Where(n => n.StartsWith("checkpoint-", StringComparison.Ordinal)).Distinct();
        Assert.Equal(expected.Order(StringComparer.Ordinal), Directory.EnumerateDirectories(output, "checkpoint-*").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
    }

    private static bool IsCompared(string key) => !key.EndsWith("_runtime", StringComparison.Ordinal) && !key.EndsWith("_per_second", StringComparison.Ordinal);

    private static double Number(JsonNode node) => node.AsValue().TryGetValue<double>(out var number) ? number
        : node.AsValue().TryGetValue<long>(out var whole) ? whole
        : node.GetValue<int>();

    internal static void Near(string what, double expected, double actual, double tolerance) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance, $"{what}: {actual:R}, expected {expected:R} within {tolerance:R}");
}
