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

/// <summary>How near an exported file is to its network.</summary>
/// <param name="Pictures">Pictures compared.</param>
/// <param name="Difference">Largest difference of a logit, as a share of the largest logit.</param>
/// <param name="Worst">The picture of that difference.</param>
/// <param name="Agreement">Share of the pictures with the same first class, 0 to 1.</param>
/// <param name="Accuracy">Accuracy of the network and of the file on the pictures with a label; null where none has one.</param>
internal sealed record ExportAgreement(int Pictures, double Difference, string Worst, double Agreement, (double Network, double File)? Accuracy)
{
    private const double LargestDifference = 1e-4;
    private const double SmallestHalfAgreement = 0.99;
    private const double LargestLoss = 0.01;

    /// <summary>What is wrong with the file at a precision; null where it is near enough.</summary>
    /// <param name="precision">How its weights are stored.</param>
    public string? Problem(OnnxPrecision precision) => precision switch
    {
        OnnxPrecision.Float32 when Difference > LargestDifference =>
            Text($"its logits differ by {Difference:0.0e+0} of the largest on {Worst}, and may by {LargestDifference:0.0e+0}"),
        OnnxPrecision.Float32 when Agreement < 1 => Text($"its first class differs on {1 - Agreement:0.0%} of {Pictures} pictures, such as {Worst}"),
        OnnxPrecision.Float16 when Agreement < SmallestHalfAgreement => Text($"its first class is the same for {Agreement:0.0%} of {Pictures} pictures, and must be for {SmallestHalfAgreement:0.0%}"),
        OnnxPrecision.Int8 when Accuracy is { } accuracy && accuracy.File < accuracy.Network - LargestLoss =>
            Text($"its accuracy is {accuracy.File:0.000} where the network's is {accuracy.Network:0.000}, and may be {LargestLoss:0.00} lower"),
        _ => null,
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Compares an exported file, run by ONNX Runtime, with the network that it was made of.</summary>
internal static class ExportCheck
{
    /// <summary>Runs both on every picture.</summary>
    /// <param name="model">The network.</param>
    /// <param name="file">The exported file.</param>
    /// <param name="pictures">At least one.</param>
    /// <param name="cancellationToken">Looked at between pictures.</param>
    public static ExportAgreement Compare(ImageClassifier model, string file, IReadOnlyList<ExportPicture> pictures, CancellationToken cancellationToken)
    {
        using var exported = OnnxClassifier.Load(file, new OnnxClassifierOptions { Labels = model.Labels, Processor = model.Processor });
        var network = new PicturePredictor(
            model.Network, model.Processor.ToPipeline(), options: new PicturePredictorOptions { TopK = model.Labels.Count, Function = ScoreFunction.None, FoldsBatchNorm = false });
        var (worst, difference, same) = ("", -1.0, 0);
        var (labelled, networkRight, fileRight) = (0, 0, 0);
        foreach (var picture in pictures)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var image = picture.Load();
            float[] expected = [.. network.Predict(image).OrderBy(p => p.Index).Select(p => p.Score)];
            var actual = exported.ComputeLogits([image], cancellationToken)[0];
            var largest = expected.Max(MathF.Abs);
            var own = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max() / Math.Max(largest, 1e-6f);
            if (own > difference)
            {
                (worst, difference) = (picture.Name, own);
            }

            var (first, second) = (Array.IndexOf(expected, expected.Max()), Array.IndexOf(actual, actual.Max()));
            same += first == second ? 1 : 0;
            if (picture.Label is { } label)
            {
                labelled++;
                networkRight += first == label ? 1 : 0;
                fileRight += second == label ? 1 : 0;
            }
        }

        return new ExportAgreement(
            pictures.Count, difference, worst, same / (double)pictures.Count, labelled == 0 ? null : (networkRight / (double)labelled, fileRight / (double)labelled));
    }
}
