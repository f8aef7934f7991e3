using System.Text.Json.Nodes;
using Vizsla.Hub.Cache;
using Vizsla.Imaging;
using Vizsla.Runs.Charts;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Metrics;

namespace Vizsla.Runs;

/// <summary>Draws the pictures of a run into <c>plots/</c> of its folder.</summary>
internal static class RunPlots
{
    /// <summary>The folder's name.</summary>
    public const string Folder = "plots";

    /// <summary>The pictures of the first batch as the model sees them.</summary>
    public const string FirstBatch = "first_batch.png";

    private const string Loss = "loss.png";
    private const string Rate = "learning_rate.png";
    private const string Metrics = "metrics.png";
    private const string Confusions = "confusion_matrix.png";
    private const string Classes = "per_class.png";
    private const string EvaluationPrefix = "eval_";

    // Numbers of a row that are no measure of the model.
    private static readonly string[] Uninteresting =
        ["eval_loss", "eval_runtime", "eval_samples_per_second", "eval_steps_per_second", "eval_model_preparation_time"];

    /// <summary>Names of all files that a run may draw.</summary>
    public static IReadOnlyList<string> Files { get; } = [FirstBatch, Loss, Rate, Metrics, Confusions, Classes];

    /// <summary>Draws loss, learning rate, metrics, confusion matrix and scores of the classes, as far as the run has them.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="state">Its log rows, and which evaluation was best.</param>
    /// <param name="prediction">Logits and classes of an evaluation; null without one.</param>
    /// <returns>Names of the files drawn.</returns>
    public static IReadOnlyList<string> Write(string folder, TrainerState state, EvalPrediction? prediction)
    {
        var drawn = new List<string>();
        (double, string)? best = state.BestGlobalStep is { } step ? (step, $"best: step {step}") : null;
        Add(Loss, "Loss", null, [Curve(state, "loss", "training"), Curve(state, "eval_loss", "evaluation")]);
        Add(Rate, "Learning rate", null, [Curve(state, "learning_rate", "learning rate")]);
        Add(Metrics, "Metrics", null, [.. Measures(state).Select(key => Curve(state, key, key[EvaluationPrefix.Length..].Replace('_', ' ')))]);
        if (prediction is { Count: > 0 } && prediction.ClassCount <= ConfusionPlot.MostClasses)
        {
            var matrix = new ConfusionMatrix(prediction);
            Save(Confusions, ConfusionPlot.Draw(matrix));
            Save(Classes, ClassPlot.Draw(matrix.Classes));
        }

        return drawn;

        void Add(string file, string title, string? unit, IReadOnlyList<ChartCurve> curves)
        {
            ChartCurve[] filled = [.. curves.Where(c => c.Points.Count > 0)];
            if (filled.Length > 0)
            {
                Save(file, LineChart.Draw(title, unit, filled, file == Rate ? null : best));
            }
        }

        void Save(string file, Image picture)
        {
            using (picture)
            {
                RunPlots.Save(folder, file, picture);
            }

            drawn.Add(file);
        }
    }

    /// <summary>Writes a picture aside and renames it: a reader never meets half of it.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="file">Its name in <c>plots/</c>.</param>
    /// <param name="picture">The picture; left to the caller.</param>
    /// <returns>Path of the file.</returns>
    public static string Save(string folder, string file, Image picture)
    {
        var path = Path.Combine(folder, Folder, file);
        AtomicFile.Write(path, stream => ImageCodec.SavePng(picture, stream));
        return path;
    }

    private static IEnumerable<string> Measures(TrainerState state) =>
        state.LogHistory.SelectMany(row => row.Select(cell => cell.Key))
            .Where(key => key.StartsWith(EvaluationPrefix, StringComparison.Ordinal) && !Uninteresting.Contains(key))
            .Distinct();

    private static ChartCurve Curve(TrainerState state, string key, string name) => new(
        name,
        [.. state.LogHistory.Where(row => row[key] is JsonValue).Select(row => (row.Number("step") ?? 0, row.Number(key)!.Value))]);
}
