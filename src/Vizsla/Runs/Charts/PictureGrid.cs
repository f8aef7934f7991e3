using Vizsla.Imaging;
using Vizsla.Loading;
using Vizsla.Training.Callbacks;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Runs.Charts;

/// <summary>A batch of pictures as the model sees them: resized, augmented, brought back from normalized floats to colors.</summary>
internal static class PictureGrid
{
    private const int MostPictures = 32;

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
    /// <param name="labels">Names below them; a picture without one has none.</param>
    /// <param name="transform">The pipeline they went through, for its normalization; null takes the floats as 0 to 1.</param>
    /// <returns>The sheet; the caller owns it.</returns>
    public static Image Draw(Tensor pixels, IReadOnlyList<string> labels, Compose? transform)
    {
        var (count, channels, height, width) = ((int)Math.Min(pixels.shape[0], MostPictures), (int)pixels.shape[1], (int)pixels.shape[2], (int)pixels.shape[3]);
        using var scope = NewDisposeScope();
        var values = pixels.slice(0, 0, count, 1).detach().cpu().to(ScalarType.Float32).contiguous().data<float>().ToArray();
        return BatchSheet.Draw(values, (channels, height, width), [.. Enumerable.Range(0, count).Select(i => i < labels.Count ? labels[i] : "")], transform);
    }
}
