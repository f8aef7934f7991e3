using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Runs.Charts;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Metrics;

namespace Vizsla.Runs.TensorBoard;

/// <summary>Writes a run for TensorBoard: its log rows, its arguments, the first batch as the model sees it, and the confusion matrix of each evaluation.</summary>
/// <param name="train">The training split, for the names below the pictures; null draws none.</param>
/// <param name="time">Where times come from; null is the system's clock.</param>
/// <remarks>Source: transformers <c>TensorBoardCallback</c>; tags as there.</remarks>
internal sealed class TensorBoardCallback(ImageDataset? train = null, TimeProvider? time = null) : TrainerCallback, IDisposable
{
    private const string DefaultFolder = "logs";

    private EventFile? _file;
    private bool _hasBatch;

    /// <summary>The folder of a run's event files.</summary>
    public static string FolderOf(TrainingArguments arguments) => Path.Combine(arguments.OutputDir, arguments.LoggingDir ?? DefaultFolder);

    public override void OnTrainBegin(TrainerContext context)
    {
        _file ??= EventFile.Create(FolderOf(context.Arguments), time ?? TimeProvider.System);
        _hasBatch = train is null || context.State.GlobalStep > 0;
        if (context.State.GlobalStep > 0)
        {
            _file.AddStart(context.State.GlobalStep + 1);
        }

        _file.AddText("args", Table(context.Arguments), context.State.GlobalStep);
    }

    public override void OnPreOptimizerStep(TrainerContext context)
    {
        if (!_hasBatch && _file is not null && PictureGrid.OfBatch(context, train!) is { } sheet)
        {
            _hasBatch = true;
            using (sheet)
            {
                Add("batch", sheet, context.State.GlobalStep);
            }
        }
    }

    public override void OnLog(TrainerContext context, JsonObject row)
    {
        _file ??= EventFile.Create(FolderOf(context.Arguments), time ?? TimeProvider.System);
        var step = context.State.GlobalStep;
        (string Tag, float Value)[] values =
        [
            .. row.Where(cell => cell.Key != "step" && cell.Value is JsonValue)
                .Select(cell => (TagOf(cell.Key), (float)cell.Value!.AsValue().GetValue<double>())),
        ];
        _file.AddScalars(step, values);
    }

    public override void OnEvaluate(TrainerContext context, IReadOnlyDictionary<string, double> metrics)
    {
        if (_file is not null && context.LastPrediction is { Count: > 0, IsLabelled: true } prediction && prediction.ClassCount <= ConfusionPlot.MostClasses)
        {
            using var picture = ConfusionPlot.Draw(new ConfusionMatrix(prediction));
            Add("eval/confusion_matrix", picture, context.State.GlobalStep);
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    /// <summary><c>eval_loss</c> is <c>eval/loss</c>, <c>loss</c> is <c>train/loss</c>.</summary>
    internal static string TagOf(string key) =>
        key.StartsWith("eval_", StringComparison.Ordinal) ? "eval/" + key["eval_".Length..]
            : key.StartsWith("test_", StringComparison.Ordinal) ? "test/" + key["test_".Length..]
            : "train/" + key;

    private void Add(string tag, Image picture, long step)
    {
        using var png = new MemoryStream();
        ImageCodec.SavePng(picture, png);
        _file!.AddImage(tag, png.ToArray(), picture.Width, picture.Height, step);
    }

    private static string Table(TrainingArguments arguments) =>
        "| argument | value |\n|---|---|\n" + string.Join('\n', ArgumentTable.Fields.Select(
            field => $"| {field.Name} | {PythonJson.Serialize(ArgumentText.ToJson(field.ValueOf(arguments)), indent: null).Replace("|", "\\|", StringComparison.Ordinal)} |"));
}
