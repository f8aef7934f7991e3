using System.Runtime.InteropServices;
using Vizsla.Models;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Data;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Tests.Training;

/// <summary>What users ask of a trainer beyond the Hugging Face Trainer's arguments.</summary>
[Collection(TrainsAlone.Name)]
public sealed class OptionTests
{
    // Float32 sums in another order.
    private const double Rounding = 1e-5;

    [Fact]
    public void A_frozen_backbone_keeps_its_weights()
    {
        using var run = new TinyRun(dropout: 0);
        using var start = Weights.Of(run.Model());

        using var end = Train(run, run.Arguments() with { Freeze = ["backbone"], LoadBestModelAtEnd = false });

        Assert.All(start.Names.Where(n => !n.StartsWith("classifier", StringComparison.Ordinal)), n => Assert.Equal(0, start.Difference(end, n)));
        Assert.NotEqual(0, start.Difference(end, "classifier.weight"));
    }

    [Fact]
    public void What_was_frozen_learns_from_the_epoch_it_is_unfrozen_at()
    {
        using var run = new TinyRun(dropout: 0);
        using var start = Weights.Of(run.Model());
        using var epochs = new WeightsByEpoch();

        run.Train(run.Arguments() with { Freeze = ["backbone"], UnfreezeAtEpoch = 1, LoadBestModelAtEnd = false }, null, epochs);

        const string Backbone = "vit.encoder.layer.0.output.dense.weight";
        Assert.Equal(0, start.Difference(epochs.Ends[0], Backbone));
        Assert.NotEqual(0, epochs.Ends[0].Difference(epochs.Ends[1], Backbone));
    }

    [Theory]
    [InlineData("clasifier", "freeze: 'clasifier' matches no parameter of the model. Write backbone, or a regular expression of names such as 'vit.embeddings.cls_token' and 'classifier.bias'.")]
    [InlineData(".", "freeze matches all parameters of the model: nothing would train.")]
    public void Says_what_cannot_be_frozen(string pattern, string message)
    {
        using var run = new TinyRun();

        Assert.Equal(message, Assert.Throws<ArgumentsException>(() => run.Train(run.Arguments() with { Freeze = [pattern] })).Message);
    }

    [Fact]
    public void Says_which_pipelines_cannot_be_fed_with_smaller_decodings()
    {
        using var run = new TinyRun();

        var error = Assert.Throws<ArgumentsException>(() => run.Train(run.Arguments() with { FastDecode = true }));

        Assert.Equal(
            [.. new[] { "RandomHorizontalFlip", "ToDtype" }.Select(first =>
                $"fast_decode needs a pipeline that begins with a Resize, which says how large a picture must be decoded, and this one begins with {first}: leave fast_decode out.")],
            error.Problems);
    }

    [Fact]
    public void Cached_features_give_the_numbers_of_pictures_and_the_backbone_runs_once()
    {
        using var run = new TinyRun(dropout: 0);
        var arguments = run.Arguments() with { Freeze = ["backbone"], LoadBestModelAtEnd = false, SaveStrategy = SaveStrategy.No };
        var plain = TinyRun.Eval(42);

        using var pictures = Train(run, arguments with { OutputDir = run.Output("a"), FeatureCache = false }, plain);
        using var features = Train(run, arguments with { OutputDir = run.Output("b") }, plain, out var forwards);

        Assert.Equal(0, forwards);
        Assert.All(pictures.Names, n => Assert.InRange(pictures.Difference(features, n), 0, Rounding));
    }

    [Fact]
    public void The_averaged_weights_are_evaluated_and_kept()
    {
        using var run = new TinyRun(dropout: 0);
        using var average = new AverageByHand(0.8);

        run.Train(run.Arguments() with { EmaDecay = 0.8, LoadBestModelAtEnd = false }, null, average);

        using var end = Weights.Of(ImageClassifier.FromPretrained(run.Output()));
        Assert.All(end.Names, n => Assert.InRange(end.Difference(average.Weights!, n), 0, Rounding));
    }

    [Fact]
    public void Small_batches_added_up_are_a_large_batch_also_in_the_last_short_step()
    {
        using var run = new TinyRun(dropout: 0);
        var arguments = run.Arguments() with { LoadBestModelAtEnd = false, SaveStrategy = SaveStrategy.No };

        using var large = Train(run, arguments with { OutputDir = run.Output("large"), PerDeviceTrainBatchSize = 10 });
        using var small = Train(run, arguments with { OutputDir = run.Output("small"), PerDeviceTrainBatchSize = 5, GradientAccumulationSteps = 2 });

        Assert.All(large.Names.Where(n => !n.EndsWith(".key.bias", StringComparison.Ordinal)), n => Assert.InRange(large.Difference(small, n), 0, 1e-4));
    }

    [Fact]
    public void A_batch_that_does_not_fit_is_cut_and_gives_the_same_numbers()
    {
        using var run = new TinyRun(dropout: 0);
        var arguments = run.Arguments() with { LoadBestModelAtEnd = false, SaveStrategy = SaveStrategy.No };
        using var whole = Train(run, arguments with { OutputDir = run.Output("whole") });

        using var model = run.Model();
        Limit(model.Network, pictures: 2);
        using var trainer = new Trainer(model, arguments with { OutputDir = run.Output("cut"), AutoFindBatchSize = true }, TinyRun.Train(), TinyRun.Eval());
        trainer.Train();

        using var cut = Weights.Of(model);
        Assert.All(whole.Names.Where(n => !n.EndsWith(".key.bias", StringComparison.Ordinal)), n => Assert.InRange(whole.Difference(cut, n), 0, 1e-4));
    }

    [Fact]
    public void Says_when_not_even_one_picture_fits()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        Limit(model.Network, pictures: 0);
        using var trainer = new Trainer(model, run.Arguments() with { AutoFindBatchSize = true }, TinyRun.Train(), TinyRun.Eval());

        var stop = Assert.Throws<TrainingException>(() => trainer.Train());

        Assert.Equal("Not even one picture at a time fits in memory: CUDA out of memory. Tried to allocate 2.00 GiB.", stop.Message);
        Assert.Equal(1, stop.Step);
    }

    [Theory]
    [InlineData(0.3, 0)]
    [InlineData(0, 1)]
    [InlineData(0.8, 1)]
    public void Mixed_batches_train(double mixUp, double cutMix)
    {
        using var run = new TinyRun();

        Assert.True(run.Train(run.Arguments() with { MixupAlpha = mixUp, CutmixAlpha = cutMix, LabelSmoothingFactor = 0.1 }));

        // Mixed targets have an entropy of their own: the loss stays above that of clean ones.
        var state = TrainerState.Load(Path.Combine(run.Output(), TrainerState.FileName));
        Assert.All(state.LogHistory.Where(r => r.ContainsKey("loss")), r => Assert.InRange(r.Number("loss")!.Value, 0.2, 3));
    }

    [Fact]
    public void Balanced_sampling_shows_every_class_alike()
    {
        long[] labels = [.. Enumerable.Repeat(0L, 90), .. Enumerable.Repeat(1L, 9), 2L];

        var order = new Vizsla.Training.Data.EpochOrder(TrainSamplingStrategy.Balanced, labels, seed: 3).Of(0);

        var shares = order.GroupBy(row => labels[row]).ToDictionary(g => g.Key, g => g.Count());
        Assert.Equal(3, shares.Count);
        Assert.All(shares.Values, count => Assert.InRange(count, 20, 47));
    }

    [Fact]
    public void Balanced_sampling_draws_what_torch_draws()
    {
        // list(WeightedRandomSampler([1 / 3] * 3 + [1 / 6] * 6 + [1.0], 10, generator=torch.Generator().manual_seed(5))), torch 2.10; an epoch later the seed is one higher.
        long[] labels = [0, 0, 0, 1, 1, 1, 1, 1, 1, 2];

        var order = new Vizsla.Training.Data.EpochOrder(TrainSamplingStrategy.Balanced, labels, seed: 4).Of(1);

        Assert.Equal([8, 2, 3, 2, 2, 9, 7, 9, 9, 5], order);
    }

    [Fact]
    public void Memory_figures_come_on_demand()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        using var trainer = new Trainer(model, run.Arguments() with { SkipMemoryMetrics = false }, TinyRun.Train(), TinyRun.Eval());

        var metrics = trainer.Train().Metrics;

        Assert.Contains("train_mem_cpu_alloc_delta", metrics.Keys);
        Assert.Contains("train_mem_cpu_peaked_delta", metrics.Keys);
    }

    private static Weights Train(TinyRun run, TrainingArguments arguments, ImageDataset? train = null) => Train(run, arguments, train, out _);

    private static Weights Train(TinyRun run, TrainingArguments arguments, ImageDataset? train, out int forwards)
    {
        var count = 0;
        var model = run.Model();
        model.Network.register_forward_pre_hook((_, pixels) =>
        {
            count++;
            return pixels;
        });
        using var trainer = new Trainer(model, arguments, train ?? TinyRun.Train(), TinyRun.Eval());
        trainer.Train();
        forwards = count;
        return Weights.Of(model);
    }

    /// <summary>A device whose memory holds a few pictures.</summary>
    private static void Limit(ClassificationNetwork network, int pictures) => network.register_forward_pre_hook((module, pixels) =>
        module.training && pixels.shape[0] > pictures ? throw new DeviceException("CUDA out of memory. Tried to allocate 2.00 GiB.") : pixels);

    private sealed class DeviceException(string message) : ExternalException(message);

    private sealed class WeightsByEpoch : TrainerCallback, IDisposable
    {
        public List<Weights> Ends { get; } = [];

        public override void OnEpochEnd(TrainerContext context) => Ends.Add(Weights.Of(context.Network));

        public void Dispose() => Ends.ForEach(w => w.Dispose());
    }

    private sealed class AverageByHand(double decay) : TrainerCallback, IDisposable
    {
        public Weights? Weights { get; private set; }

        public override void OnTrainBegin(TrainerContext context) => Weights = Training.Weights.Of(context.Network);

        public override void OnStepEnd(TrainerContext context)
        {
            using var noGradient = no_grad();
            foreach (var (name, value) in context.Network.State())
            {
                Weights![name].mul_(Kept(decay)).add_(value, Kept(1 - decay));
            }
        }

        public void Dispose() => Weights?.Dispose();
    }
}
