using System.Text.Json.Nodes;
using Vizsla.Analysis;
using Vizsla.Testing;

namespace Vizsla.Tests.Analysis;

/// <summary>What cleanlab, statsmodels, scipy and scikit-learn answer (make/metrics.py, make/data_quality.py, make/logistic.py).</summary>
[Trait("Category", "Golden")]
public sealed class AnalysisMetricGoldenTests
{
    private const double Exact = 1e-9;

    // cleanlab takes cosine distances in single precision.
    private const double SinglePrecision = 1e-5;

    private const double Optimum = 1e-6;
    private const double Weight = 1e-5;
    private const double Temperature = 1e-5;

    [Theory]
    [InlineData("prune_by_noise_rate", LabelIssueFilter.PruneByNoiseRate)]
    [InlineData("confident_learning", LabelIssueFilter.ConfidentLearning)]
    [InlineData("both", LabelIssueFilter.Both)]
    [InlineData("predicted_neq_given", LabelIssueFilter.PredictedNeqGiven)]
    public void Label_issues_are_the_same_rows_in_the_same_order(string key, LabelIssueFilter filter)
    {
        foreach (var json in Cases("label-issues.json"))
        {
            var found = Issues(json).Find(filter);

            Assert.Equal(Integers(json[key]!), found.Select(issue => issue.Row));
        }
    }

    [Fact]
    public void Scores_of_labels_are_those_of_cleanlab()
    {
        foreach (var json in Cases("label-issues.json"))
        {
            var issues = Issues(json);

            AssertNear(Numbers(json["self_confidence"]!), issues.SelfConfidence(), Exact);
            AssertNear(Numbers(json["normalized_margin"]!), issues.NormalizedMargin(), Exact);
        }
    }

    [Fact]
    public void Overlapping_classes_and_the_quality_of_classes_are_those_of_cleanlab()
    {
        foreach (var json in Cases("label-health.json"))
        {
            var issues = Issues(json);
            var overlaps = LabelHealth.OverlappingClasses(issues);
            var qualities = LabelHealth.ClassQualities(issues);

            // Rows of equal value stand in the order that pandas' unstable sort left them in, so the tables are compared as sets.
            AssertTable(json["overlapping_classes"]!, [.. overlaps.Select(o => new double[] { o.ClassA, o.ClassB, o.Examples, o.JointProbability })], 2);
            AssertTable(json["class_quality"]!, [.. qualities.Select(q => new[] { q.ClassIndex, q.LabelIssues, q.InverseLabelIssues, q.LabelNoise, q.InverseLabelNoise, q.Quality })], 1);
            Assert.Equal(overlaps.OrderByDescending(o => o.JointProbability).Select(o => o.JointProbability), overlaps.Select(o => o.JointProbability));
            Assert.Equal(qualities.OrderBy(q => q.Quality).Select(q => q.Quality), qualities.Select(q => q.Quality));
        }
    }

    [Fact]
    public void Outliers_are_those_of_cleanlab()
    {
        foreach (var json in Cases("label-health.json"))
        {
            float[][] features = [.. json["features"]!.AsArray().Select(row => Numbers(row!).Select(x => (float)x).ToArray())];

            AssertNear(Numbers(json["outlier_scores"]!), LabelHealth.OutlierScores(features), SinglePrecision);
        }
    }

    [Fact]
    public void Intervals_McNemar_and_temperature_are_those_of_statsmodels_and_scipy()
    {
        foreach (var json in Cases("evaluation.json"))
        {
            var labels = Integers(json["labels"]!);
            var right = new Dictionary<string, bool[]>();
            foreach (var (name, expected) in json["models"]!.AsObject())
            {
                var logits = Rows(json["logits"]![name]!);
                right[name] = [.. logits.Select((row, i) => Array.IndexOf(row, row.Max()) == labels[i])];
                var (low, high) = Intervals.Wilson(right[name].Count(r => r), labels.Length);
                var temperature = TemperatureScaling.Fit(logits, labels);

                AssertNear(Numbers(expected!["wilson_95"]!), [low, high], Exact);
                Assert.Equal(Number(expected["temperature"]), temperature, Temperature);
                Assert.Equal(Number(expected["nll_before"]), TemperatureScaling.NegativeLogLikelihood(logits, labels), Exact);
                Assert.Equal(Number(expected["nll_after"]), TemperatureScaling.NegativeLogLikelihood(logits, labels, temperature), Exact);
            }

            var test = McNemar.Of(right["a"], right["b"]);
            var table = json["mcnemar"]!["table"]!.AsArray().SelectMany(row => Integers(row!));
            Assert.Equal(table, [test.BothRight, test.OnlyFirst, test.OnlySecond, test.NeitherRight]);
            Assert.Equal(Number(json["mcnemar"]!["exact_p"]), test.ExactP, Exact);
            Assert.Equal(Number(json["mcnemar"]!["chi2_corrected"]), test.ChiSquare, Exact);
            Assert.Equal(Number(json["mcnemar"]!["chi2_corrected_p"]), test.ChiSquareP, Exact);
        }
    }

    [Fact]
    public void The_optimum_of_logistic_regression_is_that_of_scikit_learn()
    {
        foreach (var json in Cases("logistic.json"))
        {
            var (features, labels) = (Rows(json["features"]!), Integers(json["labels"]!));
            foreach (var expected in json["fits"]!.AsArray())
            {
                var weights = Rows(expected!["weights"]!);
                var fit = LogisticRegression.Fit(features, labels, weights.Length, Number(expected["C"]));

                Assert.All(weights, (row, k) => AssertNear(row, fit.Weights[k], Weight));
                AssertNear(Numbers(expected["intercepts"]!), fit.Intercepts, Weight);
                Assert.All(Rows(expected["probabilities"]!), (row, i) => AssertNear(row, fit.Probabilities(features[i]), Optimum));
                Assert.Equal(Number(expected["objective"]), fit.Objective, Optimum * Number(expected["objective"]));
            }
        }
    }

    [Fact]
    public void The_constant_is_chosen_as_scikit_learn_chooses_it()
    {
        foreach (var json in Cases("logistic.json"))
        {
            var labels = Integers(json["labels"]!);
            var expected = json["cross_validation"]!;

            var (best, losses) = LogisticRegression.CrossValidate(Rows(json["features"]!), labels, labels.Max() + 1, Numbers(expected["C"]!));

            AssertNear(Numbers(expected["log_loss"]!), losses, Optimum);
            Assert.Equal(Number(expected["best"]), best);
        }
    }

    [Fact]
    public void More_features_than_rows_have_the_optimum_of_the_features_themselves()
    {
        foreach (var json in Cases("logistic.json"))
        {
            var (features, labels) = (Rows(json["features"]!), Integers(json["labels"]!));
            double[][] wide = [.. features.Select(row => row.Concat(new double[features.Length]).ToArray())];

            var (narrowFit, wideFit) = (LogisticRegression.Fit(features, labels, labels.Max() + 1), LogisticRegression.Fit(wide, labels, labels.Max() + 1));

            Assert.All(narrowFit.Weights, (row, k) => AssertNear(row, [.. wideFit.Weights[k].Take(row.Length)], Weight));
        }
    }

    private static LabelIssues Issues(JsonObject json) => new(Integers(json["labels"]!), Rows(json["pred_probs"]!));

    private static void AssertTable(JsonNode expected, double[][] actual, int keys)
    {
        var rows = Rows(expected["rows"]!);
        Assert.Equal(rows.Length, actual.Length);
        foreach (var row in rows)
        {
            AssertNear(row, actual.Single(a => a.Take(keys).SequenceEqual(row.Take(keys))), Exact);
        }
    }

    private static void AssertNear(double[] expected, IReadOnlyList<double> actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Count);
        Assert.All(expected, (value, i) => Assert.Equal(value, actual[i], tolerance));
    }

    private static IEnumerable<JsonObject> Cases(string file) =>
        JsonNode.Parse(File.ReadAllText(Golden.Require("metrics", file)))!["cases"]!.AsArray().Select(c => c!.AsObject());

    private static double Number(JsonNode? node) => node!.GetValue<double>();

    private static double[] Numbers(JsonNode node) => [.. node.AsArray().Select(Number)];

    private static int[] Integers(JsonNode node) => [.. node.AsArray().Select(n => n!.GetValue<int>())];

    private static double[][] Rows(JsonNode node) => [.. node.AsArray().Select(row => Numbers(row!))];
}
