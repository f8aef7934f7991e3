using System.Text.Json.Nodes;
using Vizsla.Distributed;
using Vizsla.Tests.Training;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;

namespace Vizsla.Tests.Distributed;

/// <summary>The same run in one process and in several.</summary>
[Collection(TrainsAlone.Name)]
public sealed class SharedTrainingTests : IDisposable
{
    // float32 sums in another order, over a whole run.
    private const double LossTolerance = 1e-5;
    private const double WeightTolerance = 1e-4;

    // Gradients of 8 bits, as of a training in bfloat16.
    private const double RoundedLossTolerance = 2e-2;

    // 42 pictures: 5 steps of 8 and one of 2, so that 4 ranks have none for some of them.
    private const int PicturesPerStep = 8;

    private readonly TinyRun _run = new(dropout: 0);

    public static TheoryData<string, int, int> Runs => new()
    {
        { "plain", 2, 1 }, { "plain", 4, 1 }, { "accumulation", 2, 2 }, { "features", 4, 1 }, { "weights", 4, 1 }, { "early stop", 2, 1 }, { "epochs", 2, 1 },
    };

    [Theory]
    [MemberData(nameof(Runs))]
    public void A_run_has_the_same_numbers_in_several_processes(string kind, int ranks, int accumulation)
    {
        var one = Train("one", kind, ProcessGroup.Solo, PicturesPerStep / accumulation, accumulation);

        var several = ThreadGroup.Run(ranks, group => Train("several", kind, group, PicturesPerStep / ranks / accumulation, accumulation));

        foreach (var rank in several)
        {
            AssertRows(one.Rows, rank.Rows);
            Assert.Equal(one.BestStep, rank.BestStep);
            Assert.All(one.Weights.Zip(rank.Weights), w => Assert.True(Math.Abs(w.First - w.Second) <= WeightTolerance, $"{w.First}, {w.Second}"));
        }

        // Each picture of each epoch once, together.
        Assert.Equal(one.Steps.Select(step => step.Order()), StepsOf(several));
        Assert.Equal(Checkpoints(_run.Output("one")), Checkpoints(_run.Output("several")));
    }

    [Fact]
    public void Gradients_that_are_rounded_on_the_way_train_to_nearly_the_same()
    {
        var one = Train("one", "plain", ProcessGroup.Solo, PicturesPerStep, 1);

        var several = ThreadGroup.Run(2, group => Train("several", "plain", group, PicturesPerStep / 2, 1, arguments => arguments with { DdpCommHook = DdpCommHook.Bf16 }));

        Assert.Equal(several[0].Weights, several[1].Weights);
        Assert.NotEqual(one.Weights, several[0].Weights);
        Assert.All(one.Rows.Zip(several[0].Rows).Where(r => r.First.ContainsKey("loss")), r => Assert.True(Math.Abs(Number(r.First["loss"]!) - Number(r.Second["loss"]!)) <= RoundedLossTolerance));
    }

    [Theory]
    [InlineData(2, 1, 4)]
    [InlineData(1, 4, 2)]
    public void A_run_is_resumed_by_another_number_of_processes(int first, int second, int third)
    {
        var whole = Train("whole", "average", ProcessGroup.Solo, PicturesPerStep, 1);

        Part(first, stopAfter: 4, resume: false);
        Part(second, stopAfter: 7, resume: true);
        var rest = Part(third, stopAfter: null, resume: true);

        AssertRows(whole.Rows, rest[0].Rows);
        Assert.All(whole.Weights.Zip(rest[0].Weights), w => Assert.True(Math.Abs(w.First - w.Second) <= WeightTolerance));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_run_stops_where_its_folder_asks_it_to_and_goes_on(int ranks)
    {
        var whole = Train("whole", "average", ProcessGroup.Solo, PicturesPerStep, 1);

        var stopped = ThreadGroup.Run(ranks, group => Train("parts", "average", group, PicturesPerStep / ranks, 1, callbacks: group.Rank == 0 ? [new AsksToStop(step: 3)] : []));

        Assert.All(stopped, rank => Assert.Equal(3, rank.Steps.Count));
        Assert.True(Directory.Exists(Path.Combine(_run.Output("parts"), "checkpoint-3")));
        Assert.False(File.Exists(Path.Combine(_run.Output("parts"), "stop")));
        AssertRows(whole.Rows, Part(ranks, stopAfter: null, resume: true)[0].Rows);
    }

    [Fact]
    public void Other_pictures_a_step_are_refused_when_a_run_is_resumed()
    {
        Part(2, stopAfter: 4, resume: false);

        var thrown = Assert.Throws<AggregateException>(() => ThreadGroup.Run(4, group => Train(
            "parts", "average", group, PicturesPerStep / 2, 1, arguments => arguments with { ResumeFromCheckpoint = "true" })));

        Assert.All(thrown.InnerExceptions, e => Assert.Equal(
            $"The run cannot be resumed from '{Path.Combine(_run.Output("parts"), "checkpoint-4")}' with other settings than it began with: 2 processes took 8 pictures a step, and 4 processes would take 16 "
            + "(choose per_device_train_batch_size and gradient_accumulation_steps so that it is 8 again). Give the first ones, or start anew with another output_dir.", e.Message));
    }

    [Fact]
    public void Processes_that_would_train_differently_are_refused_by_name()
    {
        var thrown = Assert.Throws<AggregateException>(() => ThreadGroup.Run(2, group => Train(
            "differ", "plain", group, 4, 1, arguments => group.Rank == 0 ? arguments : arguments with { LearningRate = 0.5 })));

        Assert.Equal(2, thrown.InnerExceptions.Count);
        Assert.All(thrown.InnerExceptions, e => Assert.Equal(
            "Rank 1 does not train what rank 0 trains: arguments.learning_rate is 0.5 there, 0.003 on rank 0. Start all processes with the same command, the same version and the same data.", e.Message));
        Assert.Empty(Checkpoints(_run.Output("differ")));
    }

    [Fact]
    public void Processes_with_other_pictures_are_refused()
    {
        var thrown = Assert.Throws<AggregateException>(() => ThreadGroup.Run(2, group => Train("differ", "plain", group, 4, 1, pictureCount: group.Rank == 0 ? 42 : 43)));

        Assert.All(thrown.InnerExceptions, e => Assert.Equal(
            $"Rank 1 does not train what rank 0 trains: data.train.fingerprint is \"{TinyRun.Train(43).Fingerprint}\" there, \"{TinyRun.Train().Fingerprint}\" on rank 0. Start all processes with the same command, the same version and the same data.", e.Message));
    }

    [Fact]
    public void More_processes_than_pictures_are_refused()
    {
        var thrown = Assert.Throws<AggregateException>(() => ThreadGroup.Run(4, group => Train("few", "plain", group, 1, 1, pictureCount: 3)));

        Assert.All(thrown.InnerExceptions, e => Assert.Equal("There are 3 training pictures for 4 processes: start no more than 3.", e.Message));
    }

    [Theory]
    [InlineData("data_rng draws", "data_rng torch draws from one generator in the order of loading, which several processes do not have in common: leave it out, or set distributed_order to accelerate.")]
    [InlineData("lbfgs_head", "optim lbfgs_head solves the head in one process: start it without mpirun.")]
    [InlineData("norms in parts", "sync_batch_norm normalizes the same pictures in all processes at a time, and auto_find_batch_size cuts them in each for itself: leave one of them out.")]
    [InlineData("norms of none", "sync_batch_norm needs a picture of each process in every batch, and the last one of an epoch has 2 for 4 processes: set dataloader_drop_last, or choose another per_device_train_batch_size.")]
    public void What_several_processes_cannot_do_is_said_before_anything_is_written(string kind, string message)
    {
        var thrown = Assert.Throws<AggregateException>(() => ThreadGroup.Run(4, group =>
        {
            var plain = _run.Arguments("refused") with { PerDeviceTrainBatchSize = 2, DataloaderNumWorkers = 0 };
            using var model = kind.StartsWith("norms", StringComparison.Ordinal) ? SharedNormTests.OpenModel() : OpenModel();
            using var trainer = new Trainer(model, plain.Of(kind), TinyRun.Train(), TinyRun.Eval(), new TrainerOptions { Processes = group });
            return trainer.Train();
        }));

        Assert.Equal(4, thrown.InnerExceptions.Count);
        Assert.All(thrown.InnerExceptions, e => Assert.Equal(message, e.Message));
        Assert.False(Directory.Exists(_run.Output("refused")));
    }

    [Fact]
    public void The_search_for_a_learning_rate_is_refused()
    {
        var thrown = Assert.Throws<AggregateException>(() => ThreadGroup.Run(2, group =>
        {
            using var model = OpenModel();
            using var trainer = new Trainer(model, _run.Arguments("search"), TinyRun.Train(), TinyRun.Eval(), new TrainerOptions { Processes = group });
            return trainer.FindLearningRate();
        }));

        Assert.All(thrown.InnerExceptions, e => Assert.Equal("The search for a learning rate runs in one process: start it without mpirun.", e.Message));
    }

    [Fact]
    public void Several_processes_with_a_GPU_are_refused()
    {
        var thrown = Assert.Throws<ArgumentsException>(() => DeviceChecks.Require(new TrainingArguments(), TorchSharp.DeviceType.CUDA, isShared: true));

        Assert.Equal("Several processes compute on processors only, so far: add use_cpu, or train in one process.", thrown.Message);
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_written_ends_all_processes_with_the_same_sentence()
    {
        var thrown = Assert.Throws<AggregateException>(() => ThreadGroup.Run(2, group => Train(
            "full", "plain", group, 4, 1, callbacks: group.Rank == 0 ? [new BlocksCheckpoint(step: 5)] : [])));

        Assert.Equal(2, thrown.InnerExceptions.Count);
        Assert.Single(thrown.InnerExceptions.Select(e => e.Message).Distinct());
        Assert.StartsWith("The checkpoint of step 5 cannot be written: ", thrown.InnerExceptions[0].Message, StringComparison.Ordinal);
    }

    public void Dispose() => _run.Dispose();

    private IReadOnlyList<Outcome> Part(int ranks, int? stopAfter, bool resume) => ThreadGroup.Run(ranks, group => Train(
        "parts", "average", group, PicturesPerStep / ranks, 1, arguments => arguments with { ResumeFromCheckpoint = resume ? "true" : null }, stopAfter: group.Rank == ranks - 1 ? stopAfter : null));

    private Outcome Train(
        string name, string kind, ProcessGroup group, int batchSize, int accumulation, Func<TrainingArguments, TrainingArguments>? change = null, int pictureCount = 42, int? stopAfter = null,
        IEnumerable<TrainerCallback>? callbacks = null)
    {
        var arguments = (_run.Arguments(name) with { PerDeviceTrainBatchSize = batchSize, GradientAccumulationSteps = accumulation, PerDeviceEvalBatchSize = 7, DataloaderNumWorkers = 0, LoggingSteps = 1 }).Of(kind);
        var recorder = new StepRecorder();
        using var stop = new CancellationTokenSource();
        using var model = OpenModel();
        var train = TinyRun.Train(pictureCount);
        using var trainer = new Trainer(
            model, change?.Invoke(arguments) ?? arguments, kind == "features" ? train.WithTransform(TinyRun.Eval().Transform) : train, TinyRun.Eval(),
            new TrainerOptions { Callbacks = [recorder, new StopsAfter(stopAfter, stop), .. callbacks ?? []], Processes = group });
        try
        {
            trainer.Train(stop.Token);
        }
        catch (TrainingStoppedException)
        {
        }

        return new([.. trainer.State.LogHistory], trainer.State.BestGlobalStep, recorder.Steps, [.. model.Network.State().SelectMany(s => s.Value.data<float>().ToArray())]);
    }

    // New weights are drawn from libtorch's one generator.
    private ImageClassifier OpenModel()
    {
        lock (_run)
        {
            return _run.Model();
        }
    }

    private static void AssertRows(IReadOnlyList<JsonObject> expected, IReadOnlyList<JsonObject> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (e, a) in expected.Zip(actual))
        {
            foreach (var (key, value) in e.Where(v => !v.Key.EndsWith("_runtime", StringComparison.Ordinal) && !v.Key.EndsWith("_per_second", StringComparison.Ordinal) && v.Key != "epoch"))
            {
                var (x, y) = (Number(value!), Number(a[key]!));
                var tolerance = key.EndsWith("loss", StringComparison.Ordinal) ? LossTolerance : key == "grad_norm" ? 1e-4 * Math.Max(1, x) : 0;
                Assert.True(Math.Abs(x - y) <= tolerance, $"step {e["step"]}, {key}: {y:R}, expected {x:R}");
            }
        }
    }

    private static IEnumerable<IOrderedEnumerable<int>> StepsOf(IReadOnlyList<Outcome> ranks) =>
        Enumerable.Range(0, ranks[0].Steps.Count).Select(step => ranks.SelectMany(r => r.Steps[step]).Order());

    private static double Number(JsonNode node) => double.Parse(node.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture);

    private static IEnumerable<string> Checkpoints(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateDirectories(folder, "checkpoint-*").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal) : [];

    private sealed record Outcome(IReadOnlyList<JsonObject> Rows, int? BestStep, IReadOnlyList<IReadOnlyList<int>> Steps, IReadOnlyList<float> Weights);

    private sealed class StepRecorder : TrainerCallback
    {
        public List<IReadOnlyList<int>> Steps { get; } = [];

        public override void OnStepBegin(TrainerContext context) => Steps.Add([.. context.Rows]);
    }

    private sealed class StopsAfter(int? step, CancellationTokenSource stop) : TrainerCallback
    {
        // Before the step ends: the wish goes round with its gradients.
        public override void OnStepBegin(TrainerContext context)
        {
            if (context.State.GlobalStep + 1 == step)
            {
                stop.Cancel();
            }
        }
    }

    private sealed class AsksToStop(int step) : TrainerCallback
    {
        public override void OnStepBegin(TrainerContext context)
        {
            if (context.State.GlobalStep + 1 == step)
            {
                File.WriteAllText(Path.Combine(context.OutputDir, "stop"), "");
            }
        }
    }

    /// <summary>Puts a file where a checkpoint is to be written.</summary>
    private sealed class BlocksCheckpoint(int step) : TrainerCallback
    {
        public override void OnStepEnd(TrainerContext context)
        {
            if (context.State.GlobalStep == step)
            {
                File.WriteAllText(Path.Combine(context.OutputDir, $".checkpoint-{step}.new.tmp"), "");
            }
        }
    }
}

/// <summary>The kinds of run that are compared.</summary>
internal static class SharedRunKinds
{
    public static TrainingArguments Of(this TrainingArguments plain, string kind) => kind switch
    {
        "features" => plain with { Freeze = ["backbone"], FeatureCache = true },
        "data_rng draws" => plain with { DataRng = DataRng.Torch },
        "lbfgs_head" => plain with { Optim = OptimizerName.LbfgsHead, Freeze = ["backbone"] },
        "norms in parts" => plain with { SyncBatchNorm = true, AutoFindBatchSize = true },
        "norms of none" => plain with { SyncBatchNorm = true },
        "epochs" => plain with { SwaEpochs = 2, LoadBestModelAtEnd = false, MetricForBestModel = null },
        "average" => plain with { EmaDecay = 0.9 },
        "weights" => plain with { EmaDecay = 0.9, ClassWeights = ClassWeights.Of(1, 2, 0.5), LabelSmoothingFactor = 0.1, TrainSamplingStrategy = TrainSamplingStrategy.Sequential },
        "early stop" => plain with { EarlyStoppingPatience = 1, EarlyStoppingThreshold = 0.5 },
        _ => plain,
    };
}
