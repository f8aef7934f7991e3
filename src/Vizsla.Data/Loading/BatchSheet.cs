using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Loading;

/// <summary>Draws a batch as a model sees it: the floats brought back to colors.</summary>
internal static class BatchSheet
{
    /// <summary>Draws the first pictures of a batch.</summary>
    /// <param name="pixels">Float [B, C, H, W]; of one channel all colors are taken.</param>
    /// <param name="shape">Channels, height and width of a picture.</param>
    /// <param name="labels">Text below each picture that is drawn, at least one.</param>
    /// <param name="transform">The pipeline they went through, for its normalization; null takes the floats as 0 to 1.</param>
    /// <param name="columns">Pictures in a row, at least 1.</param>
    /// <param name="cell">Side of a cell in pixels.</param>
    /// <returns>The sheet; the caller owns it.</returns>
    /// <exception cref="ArgumentException">There are no labels, or fewer pictures than labels.</exception>
    public static Image Draw(ReadOnlySpan<float> pixels, (int Channels, int Height, int Width) shape, IReadOnlyList<string> labels, Compose? transform, int columns = 8, int cell = 160)
    {
        ArgumentNullException.ThrowIfNull(labels);
        var (channels, height, width) = shape;
        var area = height * width;
        if (labels.Count == 0 || pixels.Length < labels.Count * channels * area)
        {
            throw new ArgumentException($"{labels.Count} labels do not fit {pixels.Length} floats of pictures of {channels} x {height} x {width}.", nameof(labels));
        }

        var normalize = transform?.Transforms.OfType<Normalize>().LastOrDefault();
        var pictures = new List<(Image Image, string Label)>();
        try
        {
            for (var i = 0; i < labels.Count; i++)
            {
                var picture = new Image(width, height);
                pictures.Add((picture, labels[i]));
                for (var c = 0; c < 3; c++)
                {
                    Fill(picture, pixels.Slice(((i * channels) + Math.Min(c, channels - 1)) * area, area), c, normalize);
                }
            }

            return ContactSheet.Draw(pictures, columns, cell);
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
