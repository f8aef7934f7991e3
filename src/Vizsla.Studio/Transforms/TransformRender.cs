using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Studio.Transforms;

/// <summary>From a pipeline, a picture and a seed to what the page shows.</summary>
internal static class TransformRender
{
    private const int Gap = 8;
    private const byte GapLevel = 200;

    /// <summary>The picture after the first steps, drawn as right after <c>torch.manual_seed(seed)</c>.</summary>
    /// <param name="steps">The steps to run; none gives a copy of the picture.</param>
    /// <param name="image">Not changed, not disposed.</param>
    /// <param name="seed">Seeds the generator.</param>
    /// <param name="crop">Which one after a step that makes several pictures, from 0; null puts them on a sheet.</param>
    /// <returns>The picture, floats brought back to 8 bits; the caller owns it.</returns>
    /// <exception cref="ArgumentException">There is no such crop.</exception>
    public static Image Draw(IReadOnlyList<Transform> steps, Image image, ulong seed, int? crop = null)
    {
        if (steps.Count == 0)
        {
            return new Image(image.Width, image.Height, image.Pixels);
        }

        var pipeline = new Compose(steps);
        if (crop < 0 || crop >= pipeline.OutputCount)
        {
            throw new ArgumentException(Invariant($"'crop' must be 0 to {pipeline.OutputCount - 1}, got {crop}."), nameof(crop));
        }

        var rng = new Rng(seed);
        if (HasFloats(steps))
        {
            var tensors = pipeline.RunMany(image, rng);
            return Side(tensors, crop);
        }

        if (pipeline.OutputCount > 1)
        {
            // Only the run to floats knows several pictures; a plain conversion at its end changes no level.
            var tensors = new Compose([.. steps, new ToTensor()]).RunMany(image, rng);
            return Side(tensors, crop);
        }

        var result = pipeline.Apply(image, rng);
        return ReferenceEquals(result, image) ? new Image(image.Width, image.Height, image.Pixels) : result;
    }

    private static bool HasFloats(IEnumerable<Transform> steps) => steps.Any(s => s is ConversionTransform or TensorTransform || (s is Compose inner && HasFloats(inner.Transforms)));

    /// <summary>Floats from 0 to 1 as levels; other floats, such as normalized ones, stretched between their least and their largest.</summary>
    private static Image ToImage(ImageTensor tensor)
    {
        var (low, high) = (float.MaxValue, float.MinValue);
        foreach (var value in tensor.Values)
        {
            (low, high) = (Math.Min(low, value), Math.Max(high, value));
        }

        if (low >= 0 && high <= 1)
        {
            (low, high) = (0, 1);
        }
        else if (low >= 0 && high <= 255 && high > 8)
        {
            (low, high) = (0, 255);
        }

        var image = new Image(tensor.Width, tensor.Height);
        var scale = high > low ? 255 / (high - low) : 0;
        for (var channel = 0; channel < 3; channel++)
        {
            var values = tensor.Channel(Math.Min(channel, tensor.Channels - 1));
            for (var i = 0; i < values.Length; i++)
            {
                image.Pixels[(3 * i) + channel] = (byte)Math.Clamp(MathF.Round((values[i] - low) * scale), 0, 255);
            }
        }

        return image;
    }

    private static Image Side(IReadOnlyList<ImageTensor> tensors, int? crop)
    {
        Image[] pictures = crop is { } one ? [ToImage(tensors[one])] : [.. tensors.Select(ToImage)];
        foreach (var tensor in tensors)
        {
            tensor.Dispose();
        }

        if (pictures.Length == 1)
        {
            return pictures[0];
        }

        // As wide as it is high, so that crops stand about as large as the picture that they are of.
        var columns = (int)Math.Ceiling(Math.Sqrt(pictures.Length));
        var (width, height) = (pictures.Max(p => p.Width) + Gap, pictures.Max(p => p.Height) + Gap);
        var sheet = new Image((columns * width) - Gap, ((pictures.Length + columns - 1) / columns * height) - Gap);
        sheet.Pixels.Fill(GapLevel);
        for (var i = 0; i < pictures.Length; i++)
        {
            using var picture = pictures[i];
            for (var y = 0; y < picture.Height; y++)
            {
                picture.Row(y).CopyTo(sheet.Row((i / columns * height) + y)[(3 * (i % columns * width))..]);
            }
        }

        return sheet;
    }
}
