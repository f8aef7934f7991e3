using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Testing;
using Vizsla.Training.Metrics;

namespace Vizsla.Tests.Training.Metrics;

/// <summary>The numbers of scikit-learn and torchmetrics (make/metrics.py).</summary>
[Trait("Category", "Golden")]
public sealed partial class MetricGoldenTests
{
    private const double Exact = 1e-9;

    // torchmetrics bins and adds in single precision.
    private const double SinglePrecision = 1e-6;

    [Fact]
    public void Every_number_of_every_case_is_that_of_scikit_learn()
    {
        foreach (var (name, prediction, expected) in Cases())
        {
            foreach (var (key, value) in expected.Where(e => e.Value is JsonValue))
            {
                var calibration = key.StartsWith("expected_calibration_error", StringComparison.Ordinal);
                var metric = calibration ? new CalibrationError(int.Parse(key.Split('_')[3], CultureInfo.InvariantCulture)) : Metric.Find(key);

                var actual = metric.Compute(prediction);

                Assert.True(
                    Math.Abs(actual - value!.GetValue<double>()) <= (calibration ? SinglePrecision : Exact),
                    $"{name}, {key}: expected {value}, got {actual}");
            }
        }
    }

    [Fact]
    public void The_confusion_matrix_is_that_of_scikit_learn()
    {
        foreach (var (_, prediction, expected) in Cases())
        {
            var actual = new ConfusionMatrix(prediction);

            var rows = expected["confusion_matrix"]!.AsArray().Select(row => row!.AsArray().Select(n => n!.GetValue<long>()));
            Assert.Equal(rows, Enumerable.Range(0, prediction.ClassCount).Select(r => Enumerable.Range(0, prediction.ClassCount).Select(c => actual[r, c])));
        }
    }

    [Fact]
    public void The_table_of_classes_is_that_of_scikit_learn()
    {
        foreach (var (_, prediction, expected) in Cases())
        {
            var classes = new ConfusionMatrix(prediction).Classes;

            AssertColumn("precision", c => c.Precision);
            AssertColumn("recall", c => c.Recall);
            AssertColumn("f1", c => c.F1);
            AssertColumn("support", c => c.Support);

            void AssertColumn(string key, Func<ClassScores, double> score)
            {
                var column = expected["per_class"]![key]!.AsArray().Select(n => n!.GetValue<double>()).ToArray();
                Assert.Equal(column.Length, classes.Count);
                Assert.All(column, (value, c) => Assert.Equal(value, score(classes[c]), Exact));
            }
        }
    }

    private static IEnumerable<(string Name, EvalPrediction Prediction, JsonObject Expected)> Cases()
    {
        var file = JsonNode.Parse(File.ReadAllText(Golden.Require("metrics", "metrics.json")))!;
        foreach (var (i, node) in file["cases"]!.AsArray().Index())
        {
            var json = node!.AsObject();
            var rows = json["logits"]!.AsArray().Select(row => row!.AsArray().Select(x => (float)x!.GetValue<double>()).ToArray()).ToArray();
            var labels = json["labels"]!.AsArray().Select(n => n!.GetValue<long>()).ToArray();
            string[] names = [.. Enumerable.Range(0, rows[0].Length).Select(c => $"class {c}")];
            yield return ($"case {i}", new EvalPrediction([.. rows.SelectMany(r => r)], labels, names), json);
        }
    }
}
