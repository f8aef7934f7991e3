using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Runs;
using Vizsla.Training.Arguments;
using Vizsla.Training.RateSearch;

namespace Vizsla.Tests.Training;

[Collection(TrainsAlone.Name)]
public sealed class LearningRateSearchTests
{
    [Fact]
    public void Rates_rise_evenly_and_the_model_ends_as_it_began()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        using var before = Weights.Of(run.Model());
        using var trainer = new Trainer(model, run.Arguments(), TinyRun.Train(), TinyRun.Eval());
        var heard = 0;

        var curve = trainer.FindLearningRate(new LearningRateSearch { From = 1e-6, To = 1, Steps = 25, Divergence = 1e9 }, done => heard = done);

        using var after = Weights.Of(model);
        Assert.All(before.Names, name => Assert.Equal(0, before.Difference(after, name)));
        Assert.Equal(25, heard);
        Assert.Equal(1e-6, curve.Points[0].Rate, 12);
        Assert.Equal(1, curve.Points[^1].Rate, 12);
        Assert.All(curve.Points.Zip(curve.Points.Skip(1)), pair => Assert.Equal(Math.Pow(1e6, 1 / 24.0), pair.Second.Rate / pair.First.Rate, 9));
    }

    [Fact]
    public void A_training_after_a_search_is_one_without_it()
    {
        using var run = new TinyRun();
        Assert.True(run.Train(run.Arguments("plain")));
        using var model = run.Model();
        using var trainer = new Trainer(model, run.Arguments("searched"), TinyRun.Train(), TinyRun.Eval());

        trainer.FindLearningRate(new LearningRateSearch { Steps = 10 });
        trainer.Train();

        Assert.Equal(Testing.RunFingerprint.Of(run.Output("plain")), Testing.RunFingerprint.Of(run.Output("searched")));
    }

    [Fact]
    public void Ends_where_the_loss_leaves()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        using var trainer = new Trainer(model, run.Arguments() with { MaxGradNorm = 0 }, TinyRun.Train(), TinyRun.Eval());

        var curve = trainer.FindLearningRate(new LearningRateSearch { From = 1e-3, To = 1e6, Steps = 60 });

        Assert.InRange(curve.Points.Count, 10, 59);
        Assert.InRange(curve.Suggestion!.Value, 1e-3, 10);
        Assert.All(curve.Points.SkipLast(1), p => Assert.True(p.SmoothedLoss <= 4 * curve.Points.Min(q => q.SmoothedLoss)));
    }

    [Fact]
    public void The_suggestion_is_that_of_fastai()
    {
        // A valley between two slopes: 100 rates from 1e-7 to 10, of which the first 10 and the last 5 do not count.
        var points = Enumerable.Range(0, 100).Select(i => new LearningRatePoint(1e-7 * Math.Pow(1e8, i / 99.0), 0, Loss(i))).ToList();

        var curve = new LearningRateCurve(points, 100);

        // The loss falls from point 40 to point 70: 31 points that end at 60 of those that count, so they are taken to begin at 29; a third and a sixth of 31 further is 44.
        Assert.Equal(points[10 + 44].Rate, curve.Suggestion!.Value, 12);
        Assert.Equal(points[10 + 30].Rate, curve.Steepest!.Value, 12);
        Assert.Equal(points[70].Rate / 10, curve.TenthOfBest!.Value, 12);

        static double Loss(int i) => i <= 40 ? 3 + (i * 1e-3) : i <= 70 ? 3.04 - ((1 - Math.Exp(-(i - 40) / 10.0)) * 2) : 1.2 + ((i - 70) * 0.2);
    }

    [Fact]
    public void A_curve_is_kept_as_numbers_and_as_a_picture()
    {
        using var run = new TinyRun();
        var points = Enumerable.Range(0, 40).Select(i => new LearningRatePoint(1e-6 * Math.Pow(10, i / 8.0), 3 - (i * 0.05), 3 - (i * 0.05))).ToList();
        var curve = new LearningRateCurve(points, 40);

        var plot = curve.Save(run.Output());

        using var picture = ImageCodec.Load(plot);
        Assert.Equal(1200, picture.Width);
        var json = (JsonObject)PythonJson.Parse(File.ReadAllText(Path.Combine(run.Output(), LearningRateReport.FileName)))!;
        Assert.Equal(curve.Suggestion, json["suggestion"]!.GetValue<double>());
        Assert.Equal(40, json["points"]!.AsArray().Count);
    }

    [Fact]
    public void A_loss_that_never_falls_gives_no_suggestion()
    {
        var points = Enumerable.Range(0, 40).Select(i => new LearningRatePoint(1e-6 * Math.Pow(10, i / 8.0), i, i)).ToList();

        Assert.Null(new LearningRateCurve(points, 40).Suggestion);
    }

    [Fact]
    public void Says_everything_that_is_wrong_with_a_search()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        using var trainer = new Trainer(model, run.Arguments(), TinyRun.Train(), TinyRun.Eval());

        var refusal = Assert.Throws<ArgumentsException>(() => trainer.FindLearningRate(new LearningRateSearch { From = 1, To = 0.1, Steps = 3, Divergence = 1 }));

        Assert.Equal(
            [
                "The learning rates to try go from 1.0 to 0.1, expected two numbers above 0, the smaller first.",
                "The search for a learning rate has 3 steps, expected at least 10.",
                "The search for a learning rate ends at 1.0 times the least loss, expected a number above 1.",
            ],
            refusal.Problems);
    }
}
