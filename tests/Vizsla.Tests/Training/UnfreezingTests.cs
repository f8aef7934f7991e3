using Vizsla.Primitives;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Data;

namespace Vizsla.Tests.Training;

/// <summary>A new head on frozen features first, then all weights: what runs, at which rates, and what batch norms do.</summary>
[Collection(TrainsAlone.Name)]
public sealed class UnfreezingTests
{
    // 42 pictures in batches of 5.
    private const int StepsPerEpoch = 9;

    // Float32 sums in another order.
    private const double Rounding = 1e-5;

    [Fact]
    public void The_schedule_begins_anew_at_the_rate_given_for_the_unfreezing()
    {
        using var run = new TinyRun();
        var rates = new Rates();

        run.Train(Probing(run) with { LrSchedulerType = SchedulerType.Linear, UnfreezeLearningRate = 1e-4 }, null, rates);

        for (var step = 0; step < StepsPerEpoch; step++)
        {
            var left = 1 - (double)step / StepsPerEpoch;
            Assert.Equal(3e-3 * left, rates.Seen[step], 1e-15);
            Assert.Equal(1e-4 * left, rates.Seen[StepsPerEpoch + step], 1e-15);
        }
    }

    [Fact]
    public void A_plateau_cuts_the_rate_of_what_is_unfrozen()
    {
        using var run = new TinyRun();
        var rates = new Rates();
        var arguments = Probing(run) with
        {
            LrSchedulerType = SchedulerType.ReduceLrOnPlateau, LrSchedulerKwargs = new() { ["patience"] = 0, ["threshold"] = 1e9 },
            MetricForBestModel = "loss", EvalStrategy = IntervalStrategy.Epoch, NumTrainEpochs = 3, UnfreezeLearningRate = 1e-4,
        };

        run.Train(arguments, null, rates);

        // Nothing is ever better by a billion times: the evaluation after each epoch but the first of a phase cuts.
        Assert.Equal([3e-3, 1e-4, 1e-5], Enumerable.Range(0, 3).Select(epoch => Math.Round(rates.Seen[epoch * StepsPerEpoch], 12)));
    }

    [Fact]
    public void Early_stopping_counts_from_the_unfreezing_on()
    {
        using var run = new TinyRun();
        var arguments = Probing(run) with
        {
            UnfreezeAtEpoch = 3, NumTrainEpochs = 8, EvalStrategy = IntervalStrategy.Epoch, MetricForBestModel = "loss", SaveStrategy = SaveStrategy.No,
            EarlyStoppingPatience = 2, EarlyStoppingThreshold = 1e9,
        };

        var rates = new Rates();
        run.Train(arguments, null, rates);

        // Nothing is ever better by a billion: two evaluations after the three that do not count.
        Assert.Equal(5 * StepsPerEpoch, rates.Seen.Count);
    }

    [Fact]
    public void Features_stand_in_for_pictures_until_the_unfreezing()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        var trained = 0;
        model.Network.register_forward_pre_hook((network, pixels) =>
        {
            trained += network.training ? 1 : 0;
            return pixels;
        });
        using var trainer = new Trainer(model, Probing(run), TinyRun.Train(), TinyRun.Eval());

        trainer.Train();

        Assert.Equal(StepsPerEpoch, trained);
    }

    [Fact]
    public void Features_of_augmented_pictures_are_those_that_the_evaluation_transform_gives()
    {
        using var run = new TinyRun(dropout: 0);
        var once = run.Arguments() with { Freeze = ["backbone"], LoadBestModelAtEnd = false, SaveStrategy = SaveStrategy.No };
        var plain = TinyRun.Train().WithTransform(TinyRun.Eval().Transform);

        using var pictures = Train(run, once with { OutputDir = run.Output("pictures"), FeatureCache = false }, plain);
        using var features = Train(run, once with { OutputDir = run.Output("features"), FeatureCache = true }, TinyRun.Train());

        Assert.All(pictures.Names, n => Assert.InRange(pictures.Difference(features, n), 0, Rounding));
    }

    [Fact]
    public void Features_need_transforms_that_are_not_random()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        var arguments = run.Arguments() with { Freeze = ["backbone"], FeatureCache = true };
        using var trainer = new Trainer(model, arguments, TinyRun.Train(), TinyRun.Eval().WithTransform(TinyRun.Train().Transform));

        var refusal = Assert.Throws<ArgumentsException>(() => trainer.Train());

        Assert.Equal(
            "feature_cache cannot be used, for the training transform is random and no evaluation split has one that is not: leave the random steps out, or pass such a split.",
            refusal.Message);
    }

    [Fact]
    public void Features_need_batch_norms_that_keep_their_statistics()
    {
        using var run = new TinyRun();

        var refusal = Assert.Throws<ArgumentsException>(() => run.Train(Probing(run) with { FreezeBatchNorm = false }));

        Assert.Equal("feature_cache cannot be used, for the backbone's batch norms follow the batches: leave out freeze_batch_norm.", refusal.Message);
    }

    [Theory]
    [InlineData(true, null, false)]
    [InlineData(true, false, true)]
    [InlineData(false, null, true)]
    [InlineData(false, true, false)]
    public void Batch_norms_follow_the_batches_or_not_as_asked(bool isFrozen, bool? freezesBatchNorm, bool follow)
    {
        using var run = new TinyRun();
        using var model = ImageClassifier.Create("resnet18", TinyRun.Train().ClassNames, imageSize: 32, seed: 1);
        using var start = Weights.Of(model.Network);
        var arguments = run.Arguments() with
        {
            Freeze = isFrozen ? ["backbone"] : [], FreezeBatchNorm = freezesBatchNorm, FeatureCache = false, MaxSteps = 2, NumTrainEpochs = 3,
            EvalStrategy = IntervalStrategy.No, LoadBestModelAtEnd = false, SaveStrategy = SaveStrategy.No,
        };
        using var trainer = new Trainer(model, arguments, TinyRun.Train());

        trainer.Train();

        using var end = Weights.Of(model.Network);
        const string Statistics = "layer3.0.bn1.running_mean";
        Assert.Equal(follow, end.Difference(start, Statistics) > 0);
    }

    [Theory]
    [InlineData("unfreeze_learning_rate", 0.0, "unfreeze_learning_rate is 0.0, expected above 0.")]
    [InlineData("unfreeze_learning_rate", 1e-5, "unfreeze_learning_rate needs unfreeze_at_epoch: say when it begins.")]
    public void Says_what_a_rate_for_the_unfreezing_needs(string name, double value, string message)
    {
        var reader = new ArgumentReader().TakeText(name, PythonJson.Repr(value));

        Assert.Contains(message, Assert.Throws<ArgumentsException>(() => reader.Finish()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_schedules_do_not_fit_into_a_file_of_Python()
    {
        using var run = new TinyRun();

        var refusal = Assert.Throws<ArgumentsException>(() => run.Train(Probing(run) with { UnfreezeLearningRate = 1e-4, SavePythonState = true }));

        Assert.Equal("unfreeze_learning_rate and save_python_state cannot go together: scheduler.pt holds one schedule, and this run has two.", refusal.Message);
    }

    private static TrainingArguments Probing(TinyRun run) => run.Arguments() with
    {
        Freeze = ["backbone"], FeatureCache = true, UnfreezeAtEpoch = 1, LoadBestModelAtEnd = false,
    };

    private static Weights Train(TinyRun run, TrainingArguments arguments, ImageDataset train)
    {
        var model = run.Model();
        using var trainer = new Trainer(model, arguments, train, TinyRun.Eval());
        trainer.Train();
        return Weights.Of(model);
    }

    private sealed class Rates : TrainerCallback
    {
        public List<double> Seen { get; } = [];

        public override void OnStepBegin(TrainerContext context) => Seen.Add(context.LearningRate);
    }
}
