using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Analysis;
using Vizsla.Loading;
using Vizsla.Training;
using Vizsla.Training.Arguments;
using static TorchSharp.torch;

namespace Vizsla.Tests.Training;

[Collection(TrainsAlone.Name)]
public sealed class HeadProbeTests
{
    [Fact]
    public void The_head_is_the_optimum_of_what_cross_validation_chose_and_an_ordinary_checkpoint()
    {
        using var run = new TinyRun(dropout: 0);
        using var model = run.Model();
        var pictures = TinyRun.Eval(30);
        using (var trainer = new Trainer(model, Arguments(run), pictures, TinyRun.Eval()))
        {
            trainer.Train();
        }

        var tried = JsonNode.Parse(File.ReadAllText(Path.Combine(run.Output(), "training_args.json")))!["head"]!.AsArray().Select(c => c!.AsObject()).ToList();
        var chosen = tried.Single(c => (bool)c["chosen"]!);
        Assert.Equal(tried.Min(c => (double)c["log_loss"]!), (double)chosen["log_loss"]!);
        Assert.Equal([false, true], tried.Select(c => (bool)c["mirrored"]!).Order().Distinct());

        using var loaded = ImageClassifier.FromPretrained(run.Output());
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var pixels = stack([.. Enumerable.Range(0, pictures.Count).Select(row => tensor(Pixels(pictures, row), [3, 16, 16]))]);
        var features = Rows(loaded.Network.Features((bool)chosen["mirrored"]! ? cat([pixels, pixels.flip(3)]) : pixels));
        int[] labels = [.. Enumerable.Range(0, features.Length).Select(row => pictures.Label(row % pictures.Count))];
        var optimum = LogisticRegression.Fit(features, labels, 3, (double)chosen["constant"]!);
        var scores = Rows((loaded.Network.forward(pixels) * (double)chosen["temperature"]!).softmax(1));
        for (var row = 0; row < pictures.Count; row++)
        {
            Assert.All(optimum.Probabilities(features[row]).Zip(scores[row]), p => Assert.Equal(p.First, p.Second, 1e-4));
        }
    }

    [Fact]
    public void The_search_takes_what_is_surest_of_photos_that_the_fit_did_not_see()
    {
        // Features of one size tell the classes apart, those of the other do not; mirror images are noise.
        var rng = new Random(5);
        int[] labels = [.. Enumerable.Range(0, 60).Select(row => row % 3)];
        float[][] Noise() => [.. labels.Select(_ => Enumerable.Range(0, 8).Select(_ => (float)rng.NextDouble()).ToArray())];
        float[][] telling = [.. Noise().Zip(labels, (row, label) => { row[label] += 1; return row; })];
        var search = new HeadSearch(labels, 3, CancellationToken.None);

        Assert.True(search.Try(16, [Noise()]));
        Assert.True(search.Try(32, [telling]));
        Assert.False(search.Try(32, [telling, Noise()]));

        Assert.Equal((32, false), (search.Chosen.Side, search.Chosen.IsMirrored));
        double[][] rows = [.. telling.Select(row => Array.ConvertAll(row, x => (double)x))];
        var exact = LogisticRegression.OutOfFold(rows, labels, 3, [search.Chosen.Constant], StratifiedFolds.Of(labels, 5), CancellationToken.None).Single();
        Assert.Equal(TemperatureScaling.Fit(exact, labels), search.Chosen.Temperature, 0.02);
        Assert.Equal(TemperatureScaling.NegativeLogLikelihood(exact, labels, search.Chosen.Temperature), search.Chosen.LogLoss, 1e-3);
    }

    [Fact]
    public void Only_the_head_changes()
    {
        using var run = new TinyRun(dropout: 0);
        using var model = run.Model();
        using var before = Weights.Of(model.Network);
        using (var trainer = new Trainer(model, Arguments(run), TinyRun.Eval(30), TinyRun.Eval()))
        {
            trainer.Train();
        }

        using var after = Weights.Of(model.Network);
        Assert.Equal(["classifier.bias", "classifier.weight"], before.Names.Where(n => before.Difference(after, n) > 0).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_has_no_place_in_a_solved_head_is_refused()
    {
        using var run = new TinyRun();
        using var model = run.Model();

        var error = Assert.Throws<ArgumentsException>(() => new Trainer(model, Arguments(run) with { LabelSmoothingFactor = 0.1 }, TinyRun.Eval(), TinyRun.Eval()));

        Assert.Equal("optim lbfgs_head solves the head of a frozen backbone to its optimum, which has no place for label_smoothing_factor.", error.Message);
    }

    private static TrainingArguments Arguments(TinyRun run) => run.Arguments() with
    {
        Optim = OptimizerName.LbfgsHead, NumTrainEpochs = 1, EvalStrategy = IntervalStrategy.No, LoadBestModelAtEnd = false, MetricForBestModel = null, SaveStrategy = SaveStrategy.No,
    };

    private static float[] Pixels(ImageDataset pictures, int row)
    {
        using var batch = new BatchLoader(pictures).Load([row]).Single();
        return [.. batch.Pixels.Take(batch.Channels * batch.Height * batch.Width)];
    }

    private static double[][] Rows(Tensor values)
    {
        var numbers = values.to(ScalarType.Float64).contiguous().data<double>().ToArray();
        return [.. numbers.Chunk((int)values.shape[1])];
    }
}
