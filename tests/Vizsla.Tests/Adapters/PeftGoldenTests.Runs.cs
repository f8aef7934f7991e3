using TorchSharp;
using Vizsla.Adapters;
using Vizsla.Models.Weights;
using Vizsla.Testing;
using Vizsla.Tests.Training;
using Vizsla.Training.Callbacks;
using static TorchSharp.torch;

namespace Vizsla.Tests.Adapters;

/// <content>Every run below <c>peft/runs/</c>: the Python Trainer training an adapter.</content>
public sealed partial class PeftGoldenTests
{
    // The recordings do not hold the seed that an adapter was drawn with; it is a small one.
    private const int MostSeeds = 20_000;

    public static TheoryData<string> Runs => [.. RunFolders().Select(f => Path.GetFileName(f)).DefaultIfEmpty("(none)")];

    public static TheoryData<string> RunsWithCheckpoint =>
        [.. RunFolders().Where(f => new GoldenRun(f).CheckpointFolder is not null).Select(f => Path.GetFileName(f)).DefaultIfEmpty("(none)")];

    [Theory]
    [MemberData(nameof(Runs))]
    public void An_adapter_starts_with_the_values_that_PEFT_draws(string name)
    {
        var folder = Golden.Require("peft", "runs", name);
        using var scope = NewDisposeScope();
        using var start = SafetensorsFile.Open(Path.Combine(folder, "start", "adapter_model.safetensors"));
        using var model = ImageClassifier.FromPretrained(Path.Combine(folder, "base"));
        var config = AdapterConfig.Load(Path.Combine(folder, "start"));

        model.AddAdapter(config, seed: SeedOf(start, model, config));

        // Lengths of weights are not drawn but computed: equal up to rounding.
        Assert.All(model.ActiveAdapter!.State, s => Assert.True(
            s.Name.EndsWith("magnitude_vector", StringComparison.Ordinal) ? start.Read(s.Name).allclose(s.Value, 1e-6, 0) : start.Read(s.Name).equal(s.Value).all().item<bool>(), $"{name}: {s.Name} differs"));
        Assert.Equal(start.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal), model.ActiveAdapter!.State.Select(s => s.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void A_run_gives_the_numbers_of_the_recorded_one(string name)
    {
        var run = new GoldenRun(Golden.Require("peft", "runs", name));
        var output = Directory.CreateTempSubdirectory("vizsla").FullName;
        using var recorder = new RunRecorder();
        using var model = ImageClassifier.FromPretrained(run.StartFolder);
        using var end = new AdapterAtEnd(model);
        var arguments = run.Arguments(output);
        using var trainer = new Trainer(model, arguments, run.Train(), run.Eval(), new TrainerOptions { Callbacks = [recorder, end] });

        var result = trainer.Train();
        var rows = trainer.State.LogHistory.ToList();
        var evaluation = trainer.Evaluate();
        var prediction = trainer.Predict(run.Eval());

        TrainerGoldenTests.AssertOrder(run, recorder);
        TrainerGoldenTests.AssertLosses(run, recorder);
        TrainerGoldenTests.AssertRows(run, rows, TrainerGoldenTests.RateTolerance, TrainerGoldenTests.RowLossTolerance, onlyTraining: false);
        end.AssertEquals(run);
        var metrics = run.Read("metrics.json");
        TrainerGoldenTests.AssertMetrics($"{name}, train", metrics["train"]!.AsObject(), result.Metrics);
        TrainerGoldenTests.AssertMetrics($"{name}, eval", metrics["eval"]!.AsObject(), evaluation);
        var expected = metrics["predictions"]!.AsArray().SelectMany(r => r!.AsArray().Select(n => n!.GetValue<double>())).ToList();
        Assert.All(expected.Zip(prediction.Predictions.Logits), p => TrainerGoldenTests.Near($"{name}, logit", p.First, p.Second, 1e-3));
        Assert.Equal(metrics["best_metric"]!.GetValue<double>(), trainer.State.BestMetric);
        Assert.Equal(metrics["best_model_checkpoint"]!.GetValue<string>(), Path.GetFileName(trainer.State.BestModelCheckpoint));
        TrainerGoldenTests.AssertCheckpoints(run, output);
        Assert.Empty(Directory.EnumerateFiles(output, "model.safetensors", SearchOption.AllDirectories));
    }

    [Theory]
    [MemberData(nameof(RunsWithCheckpoint))]
    public void A_checkpoint_of_Python_goes_on_as_the_recorded_run(string name)
    {
        var run = new GoldenRun(Golden.Require("peft", "runs", name));
        var output = Directory.CreateTempSubdirectory("vizsla").FullName;
        using var recorder = new RunRecorder();
        using var model = ImageClassifier.FromPretrained(run.StartFolder);
        using var end = new AdapterAtEnd(model);
        var arguments = run.Arguments(output, ("resume_from_checkpoint", run.CheckpointFolder), ("save_python_state", true));
        using var trainer = new Trainer(model, arguments, run.Train(), run.Eval(), new TrainerOptions { Callbacks = [recorder, end] });

        trainer.Train();

        var losses = run.Read("losses.json").AsArray().Select(l => l!.GetValue<double>()).ToList();
        Assert.InRange(recorder.Losses.Count, 1, losses.Count - 1);
        Assert.All(
            losses.Skip(losses.Count - recorder.Losses.Count).Zip(recorder.Losses),
            p => TrainerGoldenTests.Near($"{name}, loss", p.First, p.Second, TrainerGoldenTests.LossTolerance));
        TrainerGoldenTests.AssertRows(run, [.. trainer.State.LogHistory], TrainerGoldenTests.RateTolerance, TrainerGoldenTests.RowLossTolerance, onlyTraining: false);
        end.AssertEquals(run);
        Assert.True(File.Exists(Path.Combine(output, $"checkpoint-{trainer.State.MaxSteps}", "optimizer.pt")));
    }

    private static IEnumerable<string> RunFolders()
    {
        var root = Path.Combine(Golden.Root, "peft", "runs");
        return Directory.Exists(root) ? Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal) : [];
    }

    // The seed that gives the first matrix, after the two that PEFT draws in vain.
    private static long SeedOf(SafetensorsFile start, ImageClassifier model, AdapterConfig config)
    {
        var target = AdapterPlan.Of(model.Network, config).Targets[0];
        using var first = start.Read(start.Tensors.Select(t => t.Name).First(n => n.EndsWith($"{target.Name}.lora_A.weight", StringComparison.Ordinal)));
        using var second = start.Read(start.Tensors.Select(t => t.Name).First(n => n.EndsWith($"{target.Name}.lora_B.weight", StringComparison.Ordinal)));
        for (var seed = 0L; seed < MostSeeds; seed++)
        {
            using var scope = NewDisposeScope();
            _ = manual_seed(seed);
            _ = nn.init.kaiming_uniform_(empty_like(first), Math.Sqrt(5));
            _ = nn.init.kaiming_uniform_(empty_like(second), Math.Sqrt(5));
            if (nn.init.kaiming_uniform_(empty_like(first), Math.Sqrt(5)).equal(first).all().item<bool>())
            {
                return seed;
            }
        }

        Assert.Fail($"No seed below {MostSeeds} draws the recorded start.");
        return -1;
    }

    /// <summary>Keeps the adapter as it is after the last step.</summary>
    private sealed class AdapterAtEnd(ImageClassifier model) : TrainerCallback, IDisposable
    {
        private readonly Dictionary<string, Tensor> _tensors = [];

        public override void OnStepEnd(TrainerContext context)
        {
            if (context.State.GlobalStep == context.State.MaxSteps)
            {
                foreach (var (name, value) in model.ActiveAdapter!.State)
                {
                    _tensors.Add(name, value.detach().clone().DetachFromDisposeScope());
                }
            }
        }

        public void AssertEquals(GoldenRun run)
        {
            using var file = SafetensorsFile.Open(run.EndWeights);
            Assert.Equal(file.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal), _tensors.Keys.Order(StringComparer.Ordinal));
            foreach (var (name, actual) in _tensors)
            {
                using var scope = NewDisposeScope();
                var difference = (file.Read(name) - actual).abs().max().item<float>();
                Assert.True(difference <= TrainerGoldenTests.WeightTolerance, $"{run.Name}, end weights, {name}: differs by {difference}");
            }
        }

        public void Dispose()
        {
            foreach (var tensor in _tensors.Values)
            {
                tensor.Dispose();
            }
        }
    }
}
