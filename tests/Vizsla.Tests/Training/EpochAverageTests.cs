using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Testing;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Optimizers;
using static TorchSharp.torch;

namespace Vizsla.Tests.Training;

/// <summary>The mean over the last epochs, also against what torch 2.13's swa_utils made (<c>Fixtures/swa</c>).</summary>
[Collection(TrainsAlone.Name)]
public sealed class EpochAverageTests
{
    // One rounding to float32 of numbers around 1.
    private const double Rounding = 2e-7;

    // Statistics are sums of some dozen products.
    private const double StatisticsTolerance = 1e-6;

    private static readonly JsonObject s_python = JsonNode.Parse(File.ReadAllText(Path.Combine(Golden.Checkout, "tests", "Fixtures", "swa", "swa.json")))!.AsObject();

    [Fact]
    public void Weights_and_buffers_are_those_of_torch()
    {
        using var scope = NewDisposeScope();
        var ends = s_python["weights"]!.AsArray().Select(end => end!.AsObject()).ToList();
        List<(string Name, Tensor Value)> weights = [.. ends[0].Select(w => (w.Key, tensor(Numbers(w.Value!))))];
        using var average = new EpochAverage(weights, new HashSet<string> { "1.running_mean", "1.running_var", "1.num_batches_tracked" });
        foreach (var end in ends)
        {
            weights.ForEach(w => w.Value.copy_(tensor(Numbers(end[w.Name]!))));
            average.Update();
        }

        Assert.Equal(ends.Count, average.Count);
        Assert.All(average.Tensors, w => AssertNear(Numbers(s_python["average"]![w.Name]!), w.Value, Rounding));
    }

    [Fact]
    public void Statistics_of_batch_norms_are_those_of_torch()
    {
        using var scope = NewDisposeScope();
        var average = s_python["average"]!;
        using var norm = new BatchNormalization(3);
        norm.train();
        var done = 0;
        foreach (var batch in s_python["batches"]!.AsArray())
        {
            norm.ShareOfBatch = 1.0 / ++done;
            var pixels = tensor(Numbers(batch!["values"]!)).reshape([.. batch["shape"]!.AsArray().Select(n => n!.GetValue<long>())]);
            _ = norm.Compute(nn.functional.conv2d(pixels, tensor(Numbers(average["0.weight"]!)).reshape(3, 2, 1, 1), tensor(Numbers(average["0.bias"]!))));
        }

        AssertNear(Numbers(s_python["mean"]!), norm.RunningMean, StatisticsTolerance);
        AssertNear(Numbers(s_python["variance"]!), norm.RunningVariance, StatisticsTolerance);
        Assert.Equal(s_python["count"]!.GetValue<int>(), norm.get_buffer("num_batches_tracked")!.item<long>());
    }

    [Fact]
    public void A_run_ends_with_the_mean_of_its_last_epochs_and_evaluates_it()
    {
        using var run = new TinyRun(dropout: 0);
        using var seen = new WeightsByEpoch();

        Assert.True(run.Train(Averaging(run) with { SwaEpochs = 2 }, null, seen));

        using var end = Weights.Of(ImageClassifier.FromPretrained(run.Output()));
        using var scope = NewDisposeScope();
        Assert.Equal(3, seen.Ends.Count);
        Assert.All(end.Names, n => Assert.InRange((end[n] - ((seen.Ends[1][n] + seen.Ends[2][n]) / 2)).abs().max().item<float>(), 0, Rounding));
        var last = JsonNode.Parse(File.ReadAllText(Path.Combine(run.Output(), "trainer_state.json")))!["log_history"]!.AsArray()[^2]!.AsObject();
        var results = JsonNode.Parse(File.ReadAllText(Path.Combine(run.Output(), "all_results.json")))!.AsObject();
        Assert.Equal(last["swa_accuracy"]!.GetValue<double>(), results["swa_accuracy"]!.GetValue<double>());
        Assert.True(results.ContainsKey("swa_loss"));
    }

    [Fact]
    public void Batch_norms_that_trained_get_statistics_of_the_average_and_frozen_ones_keep_theirs()
    {
        using var run = new TinyRun();
        var arguments = Averaging(run) with { SwaEpochs = 2, NumTrainEpochs = 2, EvalStrategy = IntervalStrategy.No };

        var (trained, frozen) = (Counts(arguments), Counts(arguments with { FreezeBatchNorm = true, OutputDir = run.Output("frozen") }));

        // Nine batches of the training split; as many as the checkpoint had counted where nothing is counted.
        Assert.All(trained, count => Assert.Equal(9, count));
        Assert.All(frozen, count => Assert.Equal(0, count));

        static List<long> Counts(TrainingArguments arguments)
        {
            using var model = ImageClassifier.Create("mobilenetv3_small_050", ["falling", "level", "rising"], imageSize: 32, seed: 1);
            using var trainer = new Trainer(model, arguments, TinyRun.Train());
            trainer.Train();
            return [.. model.Network.State().Where(s => s.Name.EndsWith("num_batches_tracked", StringComparison.Ordinal)).Select(s => s.Value.item<long>())];
        }
    }

    [Fact]
    public void A_run_that_stops_while_it_evaluates_the_average_keeps_the_weights_of_its_last_step()
    {
        using var run = new TinyRun();
        var arguments = Averaging(run) with { SwaEpochs = 2, SaveStrategy = SaveStrategy.Steps, PerDeviceEvalBatchSize = 8 };
        Assert.True(run.Train(arguments with { OutputDir = run.Output("whole") }));
        using var seen = new WeightsByEpoch();

        // Three evaluations by epochs come before.
        Assert.False(run.Train(arguments, stop => [seen, new StopInFourthEvaluation(stop)]));

        using (var stopped = Weights.Of(ImageClassifier.FromPretrained(Path.Combine(run.Output(), "checkpoint-27"))))
        {
            Assert.All(stopped.Names, n => Assert.Equal(0, stopped.Difference(seen.Ends[^1], n)));
        }

        Assert.True(run.Train(arguments with { ResumeFromCheckpoint = "true" }));
        Assert.Equal(RunFingerprint.Of(run.Output("whole")), RunFingerprint.Of(run.Output()));
    }

    [Fact]
    public void More_epochs_are_refused_where_the_average_has_begun()
    {
        using var run = new TinyRun();
        var arguments = Averaging(run) with { SwaEpochs = 2, SaveStrategy = SaveStrategy.Epoch, LrSchedulerType = SchedulerType.Constant };
        Assert.True(run.Train(arguments));

        var error = Assert.Throws<TrainingException>(() => run.Train(arguments with { NumTrainEpochs = 4, ResumeFromCheckpoint = "true" }));

        Assert.Contains("num_train_epochs was 3 and is 4", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_makes_no_sense_together_is_refused()
    {
        var arguments = new TrainingArguments { SwaEpochs = 4, NumTrainEpochs = 3, EmaDecay = 0.9, EvalStrategy = IntervalStrategy.Epoch, SaveStrategy = SaveStrategy.Epoch, LoadBestModelAtEnd = true, EarlyStoppingPatience = 2 };

        Assert.Equal(
            [
                "swa_epochs and ema_decay each make an average that the run ends with: choose one.",
                "swa_epochs ends the run with an average, and load_best_model_at_end with one checkpoint: choose one.",
                "swa_epochs averages the last epochs, which nobody knows beforehand with early_stopping_patience: choose one.",
                "swa_epochs is 4, but the run has 3.0 epochs: average fewer, or raise num_train_epochs.",
            ],
            Problems(arguments));
        Assert.Equal(["swa_epochs is -1, expected 0 (none) or more."], Problems(new TrainingArguments { SwaEpochs = -1 }));

        static IReadOnlyList<string> Problems(TrainingArguments arguments) => Assert.Throws<ArgumentsException>(() => ArgumentChecks.Require(arguments)).Problems;
    }

    private static TrainingArguments Averaging(TinyRun run) => run.Arguments() with
    {
        NumTrainEpochs = 3, LoadBestModelAtEnd = false, MetricForBestModel = null, EvalStrategy = IntervalStrategy.Epoch, SaveStrategy = SaveStrategy.No,
    };

    private static float[] Numbers(JsonNode values) => values is JsonArray array ? [.. array.Select(v => v!.GetValue<float>())] : [values.GetValue<float>()];

    private static void AssertNear(float[] expected, Tensor values, double tolerance) =>
        Assert.All(expected.Zip(values.data<float>().ToArray()), pair => Assert.InRange(pair.Second - pair.First, -tolerance, tolerance));

    private sealed class WeightsByEpoch : TrainerCallback, IDisposable
    {
        public List<Weights> Ends { get; } = [];

        public override void OnEpochEnd(TrainerContext context) => Ends.Add(Weights.Of(context.Network));

        public void Dispose() => Ends.ForEach(w => w.Dispose());
    }

    private sealed class StopInFourthEvaluation(CancellationTokenSource stop) : TrainerCallback
    {
        private int _seen;

        public override void OnPredictionStep(TrainerContext context, int batch, int batchCount)
        {
            if (batch == 0 && ++_seen == 4)
            {
                stop.Cancel();
            }
        }
    }
}
