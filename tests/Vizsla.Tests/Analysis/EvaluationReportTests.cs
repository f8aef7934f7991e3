using Vizsla.Analysis;

namespace Vizsla.Tests.Analysis;

public sealed class EvaluationReportTests
{
    // Rows 0 and 1 right, 2 and 3 of class 1 taken for 0, 4 right; class 3 has no row.
    private static readonly double[][] s_logits = [[4, 0, 0, 0], [0, 3, 0, 0], [2, 0, 0, 0], [1, 0, 0, 0], [0, 0, 5, 0]];
    private static readonly int[] s_labels = [0, 1, 1, 1, 2];

    private readonly EvaluationReport _report = new(s_logits, s_labels);

    [Fact]
    public void Classes_have_their_counts_and_shares()
    {
        var classes = _report.Classes();

        Assert.Equal([(1, 1, 3), (3, 1, 1), (1, 1, 1), (0, 0, 0)], classes.Select(c => (c.Support, c.Right, c.Predicted)));
        Assert.Equal((1 / 3.0, 1.0, 0.5), (classes[1].Recall, classes[1].Precision, classes[1].F1));
        Assert.Equal((0.0, 0.0, 0.0), (classes[3].Recall, classes[3].Precision, classes[3].F1));
        Assert.Equal(Intervals.Wilson(1, 3), classes[1].RecallInterval);
        Assert.Equal((0.0, 1.0), classes[3].RecallInterval);
    }

    [Fact]
    public void What_is_taken_for_what_is_counted() => Assert.Equal([new Confusion(1, 0, 2)], _report.Confusions());

    [Fact]
    public void Losses_are_cross_entropies()
    {
        Assert.Equal(Math.Log(1 + (3 * Math.Exp(-4))), _report.Losses[0], 1e-12);
        Assert.Equal(Math.Log(Math.Exp(2) + 3), _report.Losses[2], 1e-12);
    }

    [Fact]
    public void Rows_fall_into_the_interval_of_their_best_probability()
    {
        var bins = _report.Reliability();

        Assert.Equal((15, 5), (bins.Count, bins.Sum(b => b.Count)));
        // exp(1) / (exp(1) + 3) = 0.475 is the eighth of fifteen, wrong; exp(2) / (exp(2) + 3) = 0.711 the eleventh, wrong.
        Assert.Equal((1, 0.0), (bins[7].Count, bins[7].Accuracy));
        Assert.Equal(Math.E / (Math.E + 3), bins[7].Confidence, 1e-12);
        Assert.Equal((1, 0.0), (bins[10].Count, bins[10].Accuracy));
        Assert.Equal((2, 1.0), (bins[14].Count, bins[14].Accuracy));
    }

    [Fact]
    public void Rows_without_labels_are_refused() =>
        Assert.Equal("Expected rows of one length, one for each of 4 labels, got 5. (Parameter 'logits')", Assert.Throws<ArgumentException>(() => new EvaluationReport(s_logits, [0, 1, 1, 2])).Message);

    [Fact]
    public void A_threshold_keeps_nineteen_of_twenty_right_answers_and_says_how_many_wrong_ones_are_below()
    {
        // Two classes: a difference of logits of log(p / (1 - p)) is a confidence of p.
        double[] Row(double p) => [Math.Log(p / (1 - p)), 0];
        var right = Enumerable.Range(0, 20).Select(i => 0.60 + (0.01 * i)).ToList();
        double[] wrong = [0.55, 0.605, 0.9];
        List<double[]> logits = [.. right.Concat(wrong).Select(Row)];
        List<int> labels = [.. right.Select(_ => 0), .. wrong.Select(_ => 1)];

        var (threshold, below) = ConfidenceThreshold.Fit(logits, labels);

        Assert.Equal(0.61, threshold, 1.1e-4);
        Assert.Equal(2 / 3.0, below, 1e-12);
        Assert.Equal(0.60, ConfidenceThreshold.Fit(logits, labels, kept: 1).Threshold, 1.1e-4);
        Assert.InRange(ConfidenceThreshold.Fit(logits, labels, temperature: 4).Threshold, 0.5, 0.53);
        Assert.Equal((0, 1), (ConfidenceThreshold.Fit([Row(0.7)], [1]).Threshold, 1 - ConfidenceThreshold.Fit([Row(0.7)], [1]).MisclassifiedBelow));
        Assert.True(double.IsNaN(ConfidenceThreshold.Fit([Row(0.7)], [0]).MisclassifiedBelow));
    }
}
