using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Training.Reports;

/// <summary>A batch of pictures as the model sees them: resized, augmented, brought back from normalized floats to colors.</summary>
internal static class PictureGrid
{
    private const int MostPictures = 32;
    private const int Columns = 8;
    private const int Cell = 160;

    /// <summary>Draws the batch of the step that runs.</summary>
    /// <param name="context">The run, between forward pass and optimizer.</param>
    /// <param name="train">The training split, for names and normalization.</param>
    /// <returns>The sheet; the caller owns it; null where there are features in the place of pictures.</returns>
    public static Image? OfBatch(TrainerContext context, ImageDataset train)
    {
        if (context.PixelValues is not { } pixels)
        {
            return null;
        }

        var names = train.ClassNames;
        return Draw(pixels, [.. context.Rows.TakeLast((int)pixels.shape[0]).Select(row => names.Count > 0 ? names[train.Label(row)] : "")], train.Transform);
    }

    /// <summary>Draws the first pictures of a batch.</summary>
    /// <param name="pixels">Float [B, C, H, W]; not disposed.</param>
    /// <param name="labels">Names below them, at least as many as there are pictures.</param>
    /// <param name="transform">The pipeline they went through, for its normalization; null takes the floats as 0 to 1.</param>
    /// <returns>The sheet; the caller owns it.</returns>
    public static Image Draw(Tensor pixels, IReadOnlyList<string> labels, Compose? transform)
    {
        var (count, channels, height, width) = ((int)Math.Min(pixels.shape[0], MostPictures), (int)pixels.shape[1], (int)pixels.shape[2], (int)pixels.shape[3]);
        var normalize = transform?.Transforms.OfType<Normalize>().LastOrDefault();
        using var scope = NewDisposeScope();
        var values = pixels.slice(0, 0, count, 1).detach().cpu().to(ScalarType.Float32).contiguous().data<float>().ToArray();
        var pictures = new List<(Image Image, string Label)>();
        try
        {
            var area = height * width;
            for (var i = 0; i < count; i++)
            {
                var picture = new Image(width, height);
                pictures.Add((picture, i < labels.Count ? labels[i] : ""));
                for (var c = 0; c < 3; c++)
                {
                    var plane = values.AsSpan(((i * channels) + Math.Min(c, channels - 1)) * area, area);
                    Fill(picture, plane, c, normalize);
                }
            }

            return ContactSheet.Draw(pictures, Columns, Cell);
        }
        finally
        {
            pictures.ForEach(p => p.Image.Dispose());
        }
    }

    private static void Fill(Image picture, ReadOnlySpan<float> plane, int channel, Normalize? normalize)
    {
        var (mean, deviation) = normalize is null ? (0.0, 1.0) : (Pick(normalize.Mean, channel), Pick(normalize.Std, channel));
        var target = picture.Pixels;
        for (var i = 0; i < plane.Length; i++)
        {
            target[(3 * i) + channel] = (byte)Math.Clamp(Math.Round(((plane[i] * deviation) + mean) * 255), 0, 255);
        }
    }

    private static double Pick(ValueList<double> values, int channel) => values[values.Count == 1 ? 0 : channel];
}
