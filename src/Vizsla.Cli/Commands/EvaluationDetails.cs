using System.Text.Json.Nodes;
using Vizsla.Analysis;
using Vizsla.Training.Metrics;

namespace Vizsla.Cli.Commands;

/// <summary>What <c>vizsla evaluate --details</c> tells beside the metrics: classes, confusions, the hardest pictures, calibration.</summary>
internal sealed class EvaluationDetails
{
    private const int ListedConfusions = 10;
    private const int ListedPictures = 10;
    private const int SheetLimit = 60;

    private readonly EvaluationReport _report;
    private readonly ImageDataset _split;
    private readonly EvalPrediction _prediction;
    private readonly int[] _hardest;
    private readonly double _temperature;

    /// <param name="prediction">Logits of the split's rows, in their order.</param>
    /// <param name="split">The split.</param>
    public EvaluationDetails(EvalPrediction prediction, ImageDataset split)
    {
        (_prediction, _split) = (prediction, split);
        double[][] logits = [.. Enumerable.Range(0, prediction.Count).Select(row => Array.ConvertAll(prediction.Row(row).ToArray(), z => (double)z))];
        int[] labels = [.. prediction.LabelIds.Select(l => (int)l)];
        _report = new EvaluationReport(logits, labels);
        _temperature = TemperatureScaling.Fit(logits, labels);
        _hardest = [.. Enumerable.Range(0, prediction.Count).OrderByDescending(i => _report.Losses[i])];
    }

    /// <summary>Adds everything to the JSON of the metrics.</summary>
    /// <param name="values">The metrics.</param>
    public void AddTo(JsonObject values)
    {
        values["classes"] = new JsonArray([.. _report.Classes().Select(c => new JsonObject
        {
            ["class"] = Class(c.ClassIndex), ["support"] = c.Support, ["recall"] = c.Recall, ["recall_low"] = c.RecallInterval.Low, ["recall_high"] = c.RecallInterval.High,
            ["precision"] = c.Precision, ["f1"] = c.F1,
        })]);
        values["confusions"] = new JsonArray([.. _report.Confusions().Select(c => new JsonObject { ["label"] = Class(c.Given), ["predicted"] = Class(c.Predicted), ["count"] = c.Count })]);
        values["pictures"] = new JsonArray([.. _hardest.Select(row => new JsonObject
        {
            ["file_name"] = _split[row].Name, ["label"] = Class(Label(row)), ["predicted"] = Class(_report.Predicted[row]),
            ["score"] = _report.Probability(row, _report.Predicted[row]), ["loss"] = _report.Losses[row],
        })]);
        values["reliability"] = new JsonArray([.. _report.Reliability().Select(b => new JsonObject { ["low"] = b.Low, ["high"] = b.High, ["count"] = b.Count, ["confidence"] = b.Confidence, ["accuracy"] = b.Accuracy })]);
        values["temperature"] = _temperature;
    }

    /// <summary>Writes the tables.</summary>
    /// <param name="console">Where to.</param>
    public void Write(CommandConsole console)
    {
        console.WriteLine("Classes, the least recognized first; recall with its 95 % interval:");
        console.WriteTable(["class", "pictures", "recall", "95 %", "precision", "f1"], _report.Classes().Where(c => c.Support > 0 || c.Predicted > 0).OrderBy(c => c.Recall).ThenBy(c => c.F1)
            .Select(c => new[] { Class(c.ClassIndex), Invariant($"{c.Support}"), Invariant($"{c.Recall:0.000}"), Invariant($"{c.RecallInterval.Low:0.00} to {c.RecallInterval.High:0.00}"), Invariant($"{c.Precision:0.000}"), Invariant($"{c.F1:0.000}") }));
        if (_report.Confusions() is { Count: > 0 } confusions)
        {
            console.WriteLine($"Most confused classes{Part(ListedConfusions, confusions.Count)}:");
            console.WriteTable(["class", "taken for", "pictures"], confusions.Take(ListedConfusions).Select(c => new[] { Class(c.Given), Class(c.Predicted), Invariant($"{c.Count}") }));
        }

        console.WriteLine($"Largest losses{Part(ListedPictures, _hardest.Length)}:");
        console.WriteTable(["picture", "label", "predicted", "probability", "loss"], _hardest.Take(ListedPictures).Select(row => new[]
        {
            _split[row].Name, Class(Label(row)), Class(_report.Predicted[row]), Invariant($"{_report.Probability(row, _report.Predicted[row]):0.000}"), Invariant($"{_report.Losses[row]:0.000}"),
        }));
        console.WriteLine("Calibration: share of correct answers by the model's confidence:");
        console.WriteTable(["probability", "pictures", "mean", "right"], _report.Reliability().Where(b => b.Count > 0)
            .Select(b => new[] { Invariant($"{b.Low:0.00} to {b.High:0.00}"), Invariant($"{b.Count}"), Invariant($"{b.Confidence:0.000}"), Invariant($"{b.Accuracy:0.000}") }));
        console.WriteLine(Invariant($"Temperature of the lowest log loss on this split: {_temperature:0.000} ({(_temperature > 1 ? "above 1: too sure" : "below 1: not sure enough")})."));
    }

    /// <summary>Draws the pictures of the largest losses that are misclassified.</summary>
    /// <param name="console">Where to say so.</param>
    /// <param name="path">The PNG file.</param>
    public void Draw(CommandConsole console, string path)
    {
        var wrong = _hardest.Where(row => _report.Predicted[row] != Label(row)).ToList();
        if (wrong.Count == 0)
        {
            console.Note($"Every picture is classified correctly; '{path}' was not drawn.");
            return;
        }

        var drawn = PictureSheet.Save(path, wrong.Take(SheetLimit).Select(row => (_split.LoadImage(row), $"{Class(Label(row))} → {Class(_report.Predicted[row])}")));
        console.Note($"Drew {drawn} of {Wording.Counted(wrong.Count, "picture")} misclassified on '{path}'.");
    }

    private string Class(int index) => _prediction.Labels[index];

    private int Label(int row) => (int)_prediction.LabelIds[row];

    private static string Part(int listed, int all) => all > listed ? $" ({listed} of {all}; --format json lists all)" : "";
}
