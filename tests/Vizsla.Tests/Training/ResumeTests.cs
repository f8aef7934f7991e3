using System.Globalization;
using Vizsla.Testing;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Data;

namespace Vizsla.Tests.Training;

[Collection(TrainsAlone.Name)]
public sealed class ResumeTests
{
    public static TheoryData<string> Kinds => [.. Variants.Keys];

    private static Dictionary<string, Func<TrainingArguments, TrainingArguments>> Variants { get; } = new()
    {
        ["plain"] = a => a,
        ["one stream"] = a => a with { DataRng = DataRng.Torch },
        ["accumulated"] = a => a with { GradientAccumulationSteps = 2, NumTrainEpochs = 3 },
        ["accumulated, one stream"] = a => a with { GradientAccumulationSteps = 2, NumTrainEpochs = 3, DataRng = DataRng.Torch },
        ["by epochs"] = a => a with
        {
            EvalStrategy = IntervalStrategy.Epoch, SaveStrategy = SaveStrategy.Epoch, LoggingStrategy = IntervalStrategy.Epoch, LrSchedulerType = SchedulerType.Cosine, WarmupSteps = 3,
        },
        ["plateau"] = a => a with { LrSchedulerType = SchedulerType.ReduceLrOnPlateau, LrSchedulerKwargs = new() { ["patience"] = 0 }, MetricForBestModel = "loss", EvalSteps = 2 },
        ["momentum"] = a => a with { Optim = OptimizerName.Sgd, OptimArgs = "momentum=0.9", LearningRate = 0.01, SaveTotalLimit = 1 },
        ["adafactor"] = a => a with { Optim = OptimizerName.Adafactor, TrainSamplingStrategy = TrainSamplingStrategy.Balanced },
        ["averaged, unfrozen later"] = a => a with { EmaDecay = 0.9, Freeze = ["backbone"], UnfreezeAtEpoch = 1 },
        ["mean of the last epochs"] = a => a with { SwaEpochs = 2, NumTrainEpochs = 3, LoadBestModelAtEnd = false, MetricForBestModel = null },
        ["probed, then fine-tuned"] = a => a with { Freeze = ["backbone"], FeatureCache = true, UnfreezeAtEpoch = 1, UnfreezeLearningRate = 1e-3, LrSchedulerType = SchedulerType.Cosine },
        ["mixed, weighted"] = a => a with { MixupAlpha = 0.4, CutmixAlpha = 1, ClassWeights = ClassWeights.Of(1, 2, 0.5), LabelSmoothingFactor = 0.1 },
        ["mixed, one stream"] = a => a with { MixupAlpha = 0.4, CutmixAlpha = 1, DataRng = DataRng.Torch },
        ["cut to fit"] = a => a with { AutoFindBatchSize = true, LayerDecay = 0.8, Optim = OptimizerName.Nadam },
        ["early stopping"] = a => a with { EarlyStoppingPatience = 2, EvalSteps = 2, LearningRate = 1e-9 },
        ["early stopping, saved with each evaluation"] = a => a with { EarlyStoppingPatience = 2, EvalSteps = 2, SaveSteps = 2, LearningRate = 1e-9 },
        ["evaluated at first, then by epochs"] = a => a with { EvalOnStart = true, EvalStrategy = IntervalStrategy.Epoch, SaveSteps = 9, MetricForBestModel = "loss" },
        ["ends inside an epoch"] = a => a with { EvalStrategy = IntervalStrategy.Epoch, LoggingStrategy = IntervalStrategy.Epoch, MaxSteps = 13, NumTrainEpochs = 3 },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_run_that_stops_again_and_again_ends_as_one_that_never_stopped(string kind)
    {
        using var run = new TinyRun();
        Assert.True(run.Train(Variants[kind](run.Arguments("whole"))));

        // Every few steps, so that stops fall inside and at the end of epochs, before and after rows, evaluations and checkpoints.
        var arguments = Variants[kind](run.Arguments("stopped")) with { ResumeFromCheckpoint = "true" };
        var stop = 0;
        while (!run.Train(arguments, stop += 3))
        {
        }

        Assert.Equal(RunFingerprint.Of(run.Output("whole")), RunFingerprint.Of(run.Output("stopped")));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_run_that_stops_in_its_evaluations_ends_as_one_that_never_stopped(string kind)
    {
        using var run = new TinyRun();
        var batches = run.Arguments() with { PerDeviceEvalBatchSize = 8 };
        Assert.True(run.Train(Variants[kind](batches with { OutputDir = run.Output("whole") })));

        // In the first evaluation twice, so that one that was taken up is stopped too; then in every second one.
        var arguments = Variants[kind](batches with { OutputDir = run.Output("stopped") }) with { ResumeFromCheckpoint = "true" };
        var stops = 0;
        while (!run.Train(arguments, stop => [new StopInEvaluation(stops < 2 ? 1 : 2, stop)]))
        {
            stops++;
        }

        Assert.InRange(stops, 2, int.MaxValue);
        Assert.Equal(RunFingerprint.Of(run.Output("whole")), RunFingerprint.Of(run.Output("stopped")));
    }

    [Theory]
    [InlineData("one stream")]
    [InlineData("probed, then fine-tuned")]
    public void A_run_that_stops_as_its_epochs_begin_ends_as_one_that_never_stopped(string kind)
    {
        using var run = new TinyRun();
        var batches = Variants[kind](run.Arguments()) with { PerDeviceEvalBatchSize = 8 };
        Assert.True(run.Train(batches with { OutputDir = run.Output("whole") }));

        // Where the backbone is frozen its features are then being computed.
        var arguments = batches with { OutputDir = run.Output("stopped"), ResumeFromCheckpoint = "true" };
        for (var epoch = 0; epoch < 2; epoch++)
        {
            _ = run.Train(arguments, stop => [new StopAtEpoch(stop)]);
        }

        Assert.True(run.Train(arguments));
        Assert.Equal(RunFingerprint.Of(run.Output("whole")), RunFingerprint.Of(run.Output("stopped")));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_run_that_was_killed_after_its_last_checkpoint_ends_as_it_would_have(string kind)
    {
        using var run = new TinyRun();
        var arguments = Variants[kind](run.Arguments());
        Assert.True(run.Train(arguments));
        var whole = RunFingerprint.Of(run.Output());
        var last = Directory.EnumerateDirectories(run.Output(), "checkpoint-*").MaxBy(folder => int.Parse(folder.Split('-')[^1], CultureInfo.InvariantCulture))!;

        Assert.True(run.Train(arguments with { ResumeFromCheckpoint = last }));

        Assert.Equal(whole, RunFingerprint.Of(run.Output()));
    }

    [Fact]
    public void A_checkpoint_that_was_replaced_half_way_is_there_after_a_kill()
    {
        using var run = new TinyRun();
        var arguments = run.Arguments();
        Assert.True(run.Train(arguments));
        var whole = RunFingerprint.Of(run.Output());
        var place = Path.Combine(run.Output(), "checkpoint-18");

        // As a kill leaves it between the two renamings; then before anything new was there.
        Directory.Move(place, Path.Combine(run.Output(), ".checkpoint-18.was.tmp"));
        Assert.True(run.Train(arguments with { ResumeFromCheckpoint = "true" }));
        Assert.Equal(whole, RunFingerprint.Of(run.Output()));

        Directory.Move(place, Path.Combine(run.Output(), ".checkpoint-18.new.tmp"));
        Directory.CreateDirectory(Path.Combine(run.Output(), ".checkpoint-18.was.tmp"));
        Assert.True(run.Train(arguments with { ResumeFromCheckpoint = "true" }));
        Assert.Equal(whole, RunFingerprint.Of(run.Output()));
        Assert.Empty(Directory.EnumerateDirectories(run.Output(), ".checkpoint-*"));
    }

    [Fact]
    public void The_evaluation_at_the_start_is_a_row_and_not_the_best()
    {
        using var run = new TinyRun();

        // Nothing learns, so that no later evaluation is better than it.
        Assert.True(run.Train(run.Arguments() with { EvalOnStart = true, LearningRate = 1e-12 }));

        var state = TrainerState.Load(Path.Combine(run.Output(), "trainer_state.json"));
        Assert.Equal(0, state.LogHistory[0]["step"]!.GetValue<long>());
        Assert.Equal(4, state.BestGlobalStep);
    }

    [Fact]
    public void A_run_resumes_from_an_older_checkpoint_and_replaces_the_later_ones()
    {
        using var run = new TinyRun();
        var arguments = run.Arguments();
        Assert.True(run.Train(arguments));
        var whole = RunFingerprint.Of(run.Output());

        Assert.True(run.Train(arguments with { ResumeFromCheckpoint = Path.Combine(run.Output(), "checkpoint-5") }));

        Assert.Equal(whole, RunFingerprint.Of(run.Output()));
    }

    [Fact]
    public void A_moved_run_resumes_and_finds_its_best_checkpoint()
    {
        using var run = new TinyRun();
        Assert.True(run.Train(run.Arguments("whole")));
        Assert.False(run.Train(run.Arguments("here"), stopAfter: 13));

        Directory.Move(run.Output("here"), run.Output("there"));
        Assert.True(run.Train(run.Arguments("there") with { ResumeFromCheckpoint = "true" }));

        Assert.Equal(RunFingerprint.Of(run.Output("whole")), RunFingerprint.Of(run.Output("there")));
    }

    [Fact]
    public void Without_a_whole_checkpoint_a_run_starts_anew()
    {
        using var run = new TinyRun();

        Assert.True(run.Train(run.Arguments() with { ResumeFromCheckpoint = "true", MaxSteps = 2, NumTrainEpochs = 3 }));

        Assert.True(Directory.Exists(Path.Combine(run.Output(), "checkpoint-2")));
    }

    private sealed class StopInEvaluation(int which, CancellationTokenSource stop) : TrainerCallback
    {
        private int _seen;

        public override void OnPredictionStep(TrainerContext context, int batch, int batchCount)
        {
            if (batch == 0 && ++_seen == which)
            {
                stop.Cancel();
            }
        }
    }

    private sealed class StopAtEpoch(CancellationTokenSource stop) : TrainerCallback
    {
        public override void OnEpochBegin(TrainerContext context) => stop.Cancel();
    }
}
