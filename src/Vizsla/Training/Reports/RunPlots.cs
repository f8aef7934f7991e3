using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Training.Metrics;

namespace Vizsla.Training.Reports;

/// <summary>Draws the pictures of a run into <c>plots/</c> of its folder.</summary>
internal static class RunPlots
{
    /// <summary>The folder's name.</summary>
    public const string Folder = "plots";

    private const string EvaluationPrefix = "eval_";

    // Numbers of a row that are no measure of the model.
    private static readonly string[] Uninteresting =
        ["eval_loss", "eval_runtime", "eval_samples_per_second", "eval_steps_per_second", "eval_model_preparation_time"];

    /// <summary>Draws loss, learning rate, metrics, confusion matrix and scores of the classes, as far as the run has them.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="state">Its log rows, and which evaluation was best.</param>
    /// <param name="prediction">Logits and classes of an evaluation; null without one.</param>
    /// <returns>Names of the files drawn.</returns>
    public static IReadOnlyList<string> Write(string folder, TrainerState state, EvalPrediction? prediction)
    {
        var plots = Path.Combine(folder, Folder);
        Directory.CreateDirectory(plots);
        var drawn = new List<string>();
        (double, string)? best = state.BestGlobalStep is { } step ? (step, $"best: step {step}") : null;
        Add("loss.png", "Loss", null, [Curve(state, "loss", "training"), Curve(state, "eval_loss", "evaluation")]);
        Add("learning_rate.png", "Learning rate", null, [Curve(state, "learning_rate", "learning rate")]);
        Add("metrics.png", "Metrics", null, [.. Measures(state).Select(key => Curve(state, key, key[EvaluationPrefix.Length..].Replace('_', ' ')))]);
        if (prediction is { Count: > 0 } && prediction.ClassCount <= ConfusionPlot.MostClasses)
        {
            var matrix = new ConfusionMatrix(prediction);
            Save("confusion_matrix.png", ConfusionPlot.Draw(matrix));
            Save("per_class.png", ClassPlot.Draw(matrix.Classes));
        }

        return drawn;

        void Add(string file, string title, string? unit, IReadOnlyList<ChartCurve> curves)
        {
            ChartCurve[] filled = [.. curves.Where(c => c.Points.Count > 0)];
            if (filled.Length > 0)
            {
                Save(file, LineChart.Draw(title, unit, filled, file == "learning_rate.png" ? null : best));
            }
        }

        void Save(string file, Image picture)
        {
            using (picture)
            {
                // Written aside and renamed: a reader never meets half a picture.
                var path = Path.Combine(plots, file);
                ImageCodec.SavePng(picture, path + ".tmp");
                File.Move(path + ".tmp", path, overwrite: true);
            }

            drawn.Add(file);
        }
    }

    private static IEnumerable<string> Measures(TrainerState state) =>
        state.LogHistory.SelectMany(row => row.Select(cell => cell.Key))
            .Where(key => key.StartsWith(EvaluationPrefix, StringComparison.Ordinal) && !Uninteresting.Contains(key))
            .Distinct();

    private static ChartCurve Curve(TrainerState state, string key, string name) => new(
        name,
        [.. state.LogHistory.Where(row => row[key] is JsonValue).Select(row => (row.Number("step") ?? 0, row.Number(key)!.Value))]);
}
