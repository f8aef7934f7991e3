using System.Globalization;
using Vizsla.Export;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Onnx;

namespace Vizsla.Cli.Jobs;

/// <summary>A picture to compare an exported file with its network on.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Load">Reads it; the caller disposes of it.</param>
/// <param name="Label">Index of its class; null where it is not known.</param>
internal sealed record ExportPicture(string Name, Func<Image> Load, int? Label);

/// <summary>How far an exported file may be from its network.</summary>
/// <param name="LogitDifference">float32: largest difference of a logit, as a share of the largest.</param>
/// <param name="HalfAgreement">float16: least share of pictures with the same first class, 0 to 1.</param>
/// <param name="AccuracyLoss">int8: by how much the accuracy may be lower, 0 to 1.</param>
internal sealed record ExportTolerance(double LogitDifference = 1e-4, double HalfAgreement = 0.99, double AccuracyLoss = 0.01);

/// <summary>How near an exported file is to its network.</summary>
/// <param name="Pictures">Pictures compared.</param>
/// <param name="Difference">Largest difference of a logit, as a share of the largest logit; of scores, the difference itself.</param>
/// <param name="MeanDifference">Its mean over the pictures.</param>
/// <param name="Worst">The picture of the largest difference.</param>
/// <param name="Agreement">Share of the pictures with the same first class, 0 to 1.</param>
/// <param name="Changed">A picture with another first class; null where there is none.</param>
/// <param name="Accuracy">Accuracy of the network and of the file on the pictures with a label; null where none has one.</param>
internal sealed record ExportAgreement(
    int Pictures, double Difference, double MeanDifference, string Worst, double Agreement, string? Changed, (double Network, double File)? Accuracy)
{
    /// <summary>What is wrong with the file; null where it is near enough.</summary>
    /// <param name="precision">How its weights are stored.</param>
    /// <param name="preparesItself">Whether the file prepares pictures, which may cost a level of a pixel.</param>
    /// <param name="tolerance">How far it may be.</param>
    public string? Problem(OnnxPrecision precision, bool preparesItself, ExportTolerance tolerance) => precision switch
    {
        OnnxPrecision.Int8 => Accuracy is { } accuracy && accuracy.File < accuracy.Network - tolerance.AccuracyLoss
            ? Text($"its accuracy is {accuracy.File:0.000} where the network's is {accuracy.Network:0.000}, and may be {tolerance.AccuracyLoss:0.0##} lower")
            : null,
        OnnxPrecision.Float32 when !preparesItself => !(Difference <= tolerance.LogitDifference)
            ? Text($"its logits differ by {Difference:0.0e+0} of the largest on {Worst}, and may by {tolerance.LogitDifference:0.0e+0}")
            : Agreement < 1 ? Text($"its first class differs on {1 - Agreement:0.0%} of {Pictures} pictures, such as {Changed}") : null,
        _ => Agreement < tolerance.HalfAgreement
            ? Text($"its first class is the same for {Agreement:0.0%} of {Pictures} pictures, and must be for {tolerance.HalfAgreement:0.0%}{(Changed is null ? "" : $"; it differs on {Changed}")}")
            : null,
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Compares exported files, run by ONNX Runtime, with the network that they were made of.</summary>
/// <param name="model">The network.</param>
/// <param name="pictures">At least one.</param>
internal sealed class ExportCheck(ImageClassifier model, IReadOnlyList<ExportPicture> pictures)
{
    private readonly float[]?[] _expected = new float[pictures.Count][];
    private readonly PicturePredictor _network = new(
        model.Network, model.Processor.ToPipeline(), options: new PicturePredictorOptions { TopK = model.Labels.Count, Function = ScoreFunction.None, FoldsBatchNorm = false });

    /// <summary>Runs both on every picture, or on the first few.</summary>
    /// <param name="file">The exported file.</param>
    /// <param name="preparesItself">Whether it takes pictures as they are and gives scores.</param>
    /// <param name="cancellationToken">Looked at between pictures.</param>
    /// <param name="most">Most pictures to look at.</param>
    public ExportAgreement Compare(string file, bool preparesItself, CancellationToken cancellationToken, int most = int.MaxValue)
    {
        using var exported = OnnxClassifier.Load(file, new OnnxClassifierOptions { Labels = model.Labels, Processor = model.Processor });
        var function = preparesItself ? Scores.DefaultFunction(model.Labels.Count, model.Configuration.ProblemType) : ScoreFunction.None;
        var (worst, difference, sum, same, changed) = ("", -1.0, 0.0, 0, (string?)null);
        var (labelled, networkRight, fileRight, count) = (0, 0, 0, Math.Min(most, pictures.Count));
        for (var i = 0; i < count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var image = pictures[i].Load();
            var logits = _expected[i] ??= [.. _network.Predict(image).OrderBy(p => p.Index).Select(p => p.Score)];
            var (expected, actual) = (Scores.Apply(function, logits), exported.ComputeLogits([image], cancellationToken)[0]);
            var own = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max() / (preparesItself ? 1 : Math.Max(expected.Max(MathF.Abs), 1e-6f));
            // What is no number is further away than any.
            own = float.IsNaN(own) ? float.PositiveInfinity : own;
            sum += own;
            if (own > difference)
            {
                (worst, difference) = (pictures[i].Name, own);
            }

            var (first, second) = (Array.IndexOf(expected, expected.Max()), Array.IndexOf(actual, actual.Max()));
            same += first == second ? 1 : 0;
            changed ??= first == second ? null : pictures[i].Name;
            if (pictures[i].Label is { } label)
            {
                labelled++;
                networkRight += first == label ? 1 : 0;
                fileRight += second == label ? 1 : 0;
            }
        }

        return new ExportAgreement(
            count, difference, sum / count, worst, same / (double)count, changed, labelled == 0 ? null : (networkRight / (double)labelled, fileRight / (double)labelled));
    }
}
