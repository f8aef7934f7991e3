using Vizsla.Training.Metrics;

namespace Vizsla.Tests.Training.Metrics;

public sealed class MetricsTests
{
    [Fact]
    public void Every_metric_has_a_name_of_its_own_and_is_found_by_it()
    {
        Assert.Equal(Metric.All.Count, Metric.All.Select(m => m.Name).Distinct().Count());
        Assert.All(Metric.All, metric => Assert.Same(metric, Metric.Find("eval_" + metric.Name)));
    }

    [Fact]
    public void Short_names_mean_the_macro_average()
    {
        Assert.Equal("f1_macro", Metric.Find("f1").Name);
    }

    [Fact]
    public void Smaller_is_better_for_losses_and_errors_alone()
    {
        var smaller = Metric.All.Where(metric => !metric.GreaterIsBetter).Select(metric => metric.Name);

        Assert.Equal(["log_loss", "expected_calibration_error"], smaller);
    }

    [Fact]
    public void An_unknown_name_lists_those_there_are_and_the_nearest()
    {
        var error = Assert.Throws<ArgumentException>(() => Metric.Find("acuracy"));

        Assert.Equal(
            "Unknown metric 'acuracy'. Known: accuracy, top_5_accuracy, balanced_accuracy, f1_macro, f1_micro, f1_weighted, precision_macro, precision_micro, "
            + "precision_weighted, recall_macro, recall_micro, recall_weighted, log_loss, expected_calibration_error, matthews_corrcoef, cohen_kappa, "
            + "roc_auc_ovr_macro. Did you mean 'accuracy'?",
            error.Message);
    }

    [Fact]
    public void Mistakes_come_most_frequent_first()
    {
        var matrix = new ConfusionMatrix(Predictions([0, 0, 0, 1, 2, 2], [1, 1, 2, 1, 0, 2]));

        var mistakes = matrix.MostFrequent(2);

        Assert.Equal([new Confusion("a", "b", 2, 3), new Confusion("a", "c", 1, 3)], mistakes);
    }

    [Fact]
    public void The_area_under_the_curve_is_undefined_where_a_class_has_no_row()
    {
        var area = new RocAuc().Compute(Predictions([0, 1, 0], [0, 1, 1]));

        Assert.Equal(double.NaN, area);
    }

    private static EvalPrediction Predictions(long[] labels, int[] predicted)
    {
        var logits = new float[labels.Length * 3];
        for (var row = 0; row < labels.Length; row++)
        {
            logits[(row * 3) + predicted[row]] = 1;
        }

        return new(logits, labels, ["a", "b", "c"]);
    }
}
