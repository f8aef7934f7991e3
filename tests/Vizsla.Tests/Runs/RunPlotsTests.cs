using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Runs;
using Vizsla.Runs.Charts;
using Vizsla.Testing;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Metrics;

namespace Vizsla.Tests.Runs;

public sealed class RunPlotsTests
{
    [Fact]
    public void Every_plot_of_a_run_is_a_whole_picture()
    {
        using var folder = new TemporaryFolder();

        var drawn = RunPlots.Write(folder.Path, State(), Predictions(classes: 3));

        Assert.Equal(["loss.png", "learning_rate.png", "metrics.png", "confusion_matrix.png", "per_class.png"], drawn);
        Assert.Equal(drawn.Order(), Directory.GetFiles(folder["plots"]).Select(Path.GetFileName).Order());
        Assert.All(drawn, file => Assert.Null(ImageCodec.Check(folder["plots", file])));
    }

    [Fact]
    public void What_a_run_does_not_have_is_not_drawn()
    {
        using var folder = new TemporaryFolder();
        var state = new TrainerState { LogHistory = [new() { ["loss"] = 1.0, ["epoch"] = 1.0, ["step"] = 1 }] };

        var drawn = RunPlots.Write(folder.Path, state, prediction: null);

        Assert.Equal(["loss.png"], drawn);
    }

    [Fact]
    public void Losses_that_are_not_finite_leave_a_gap()
    {
        using var folder = new TemporaryFolder();
        var state = new TrainerState();
        foreach (var (loss, step) in new[] { 1.0, double.NaN, 0.5, double.PositiveInfinity }.Index().Select(i => (i.Item, i.Index + 1)))
        {
            state.LogHistory.Add(new() { ["loss"] = loss, ["step"] = step });
        }

        Assert.Equal(["loss.png"], RunPlots.Write(folder.Path, state, prediction: null));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(61)]
    [InlineData(200)]
    public void A_matrix_of_any_number_of_classes_stays_within_a_screen(int classes)
    {
        using var picture = ConfusionPlot.Draw(new(Predictions(classes)));

        Assert.InRange(picture.Width, 200, 1600);
        Assert.InRange(picture.Height, 100, 1600);
    }

    [Fact]
    public void Right_answers_are_blue_and_wrong_ones_orange()
    {
        using var picture = ConfusionPlot.Draw(new(new EvalPrediction([1, 0, 1, 0], [0, 1], ["a", "b"])));

        Assert.Contains((0, 90, 150), Colors(picture));
        Assert.Contains((200, 80, 0), Colors(picture));
    }

    // As many as the breeds of the Oxford pets; 60 is the most that is shown.
    [Theory]
    [InlineData(37)]
    [InlineData(60)]
    public void A_matrix_of_many_classes_has_its_counts_written_in(int classes)
    {
        var scores = new float[classes * classes];
        for (var i = 0; i < classes; i++)
        {
            scores[(i * classes) + i] = 1;
        }

        using var picture = ConfusionPlot.Draw(new(new EvalPrediction(scores, [.. Enumerable.Range(0, classes).Select(i => (long)i)], [.. Enumerable.Range(0, classes).Select(i => $"class {i}")])));

        // The first cell of the diagonal: from the first blue pixel to the last blue one of its row.
        var blue = Enumerable.Range(0, picture.Width * picture.Height).Where(i => At(picture, i) == (0, 90, 150)).ToList();
        var (left, top) = (blue[0] % picture.Width, blue[0] / picture.Width);
        var right = blue.Where(i => i / picture.Width == top).Max(i => i % picture.Width);
        var cell = from y in Enumerable.Range(top, right - left) from x in Enumerable.Range(left, right - left) select At(picture, (y * picture.Width) + x);
        Assert.Contains(cell, c => c.Red > 200);
    }

    private static (int Red, int Green, int Blue) At(Image picture, int pixel) =>
        (picture.Pixels[3 * pixel], picture.Pixels[(3 * pixel) + 1], picture.Pixels[(3 * pixel) + 2]);

    private static HashSet<(int, int, int)> Colors(Image picture)
    {
        var colors = new HashSet<(int, int, int)>();
        for (var i = 0; i < picture.Pixels.Length; i += 3)
        {
            colors.Add((picture.Pixels[i], picture.Pixels[i + 1], picture.Pixels[i + 2]));
        }

        return colors;
    }

    private static TrainerState State() => new()
    {
        BestGlobalStep = 20,
        LogHistory =
        [
            new() { ["loss"] = 1.2, ["learning_rate"] = 2e-5, ["epoch"] = 1.0, ["step"] = 10 },
            new() { ["eval_loss"] = 1.1, ["eval_accuracy"] = 0.5, ["eval_runtime"] = 3.2, ["epoch"] = 1.0, ["step"] = 10 },
            new() { ["loss"] = 0.8, ["learning_rate"] = 1e-5, ["epoch"] = 2.0, ["step"] = 20 },
            new() { ["eval_loss"] = 0.9, ["eval_accuracy"] = 0.75, ["eval_runtime"] = 3.1, ["epoch"] = 2.0, ["step"] = 20 },
        ],
    };

    private static EvalPrediction Predictions(int classes)
    {
        var labels = Enumerable.Range(0, 3 * classes).Select(row => (long)(row % classes)).ToArray();
        var logits = new float[labels.Length * classes];
        for (var row = 0; row < labels.Length; row++)
        {
            logits[(row * classes) + ((row + (row % 3 == 0 ? 1 : 0)) % classes)] = 1;
        }

        return new(logits, labels, [.. Enumerable.Range(0, classes).Select(c => $"a class with a rather long name {c}")]);
    }
}
