using Vizsla.Imaging;

namespace Vizsla.Datasets.Checks;

/// <summary>How good a picture is, each score from 0 (bad) to 1.</summary>
/// <param name="Dark">Brightness of the 99th percentile of its pixels.</param>
/// <param name="Light">1 minus the brightness of the 5th percentile.</param>
/// <param name="Blurry">How strong its edges are at 64 pixels, raised where its gray levels are few: a drawing has no more.</param>
/// <param name="LowInformation">A tenth of the entropy of its levels, in bits.</param>
/// <param name="OddShape">The shorter side over the longer.</param>
/// <param name="IsGray">Whether the file holds gray levels alone.</param>
/// <remarks>Source: cleanvision 0.3 <c>image_property.py</c>. Parity: 1e-9 for pictures of mode L and RGB; pictures with alpha or a palette are scored by their RGB.</remarks>
internal sealed record PictureQuality(double Dark, double Light, double Blurry, double LowInformation, double OddShape, bool IsGray)
{
    private const int BlurSide = 64;
    private const double BlurRate = 0.01;
    private const double FewLevels = 0.18;
    private const double EntropyShare = 0.1;
    private const int Levels = 256;

    // Brightness in thousandths of a squared level; the low bits are sorted out within a bucket.
    private const int BucketBits = 10;

    /// <summary>Scores a picture.</summary>
    /// <param name="image">Its pixels; not disposed.</param>
    /// <param name="mode">Pillow's name of its stored pixels.</param>
    public static PictureQuality Of(Image image, string mode)
    {
        var isGray = mode == "L";
        var (dark, light) = Brightness(image);
        return new(dark, 1 - light, Blur(image), Math.Min(EntropyShare * Entropy(image.Pixels, isGray ? 3 : 1), 1), Math.Min((double)image.Width / image.Height, (double)image.Height / image.Width), isGray);
    }

    /// <summary>Scores of the sizes of all pictures of a dataset: 1 in the middle of the usual, 0 far outside.</summary>
    /// <param name="sizes">Square root of the pixels of each picture.</param>
    /// <param name="factor">How many times the distance of the quartiles is usual to either side.</param>
    /// <returns>The scores, and below which a size is odd.</returns>
    public static (double[] Scores, double Threshold) OddSizes(IReadOnlyList<double> sizes, double factor)
    {
        double[] sorted = [.. sizes.Order()];
        var (first, third) = (Percentile(sorted.Length, 25, i => sorted[i]), Percentile(sorted.Length, 75, i => sorted[i]));
        var (low, high) = (first - (factor * (third - first)), third + (factor * (third - first)));
        var middle = (low + high) / 2;
        var norm = high > low ? high - low : middle;
        return ([.. sizes.Select(s => 1 - Math.Clamp(Math.Abs(s - middle) / norm, 0, 1))], high > low ? 0.5 : 1);
    }

    // numpy's linear interpolation between order statistics.
    private static double Percentile(int count, double percent, Func<int, double> sorted)
    {
        var place = percent / 100 * (count - 1);
        var below = (int)Math.Floor(place);
        var (a, b, t) = (sorted(below), sorted(Math.Min(below + 1, count - 1)), place - below);
        return t >= 0.5 ? b - ((b - a) * (1 - t)) : a + ((b - a) * t);
    }

    private static (double Dark, double Light) Brightness(Image image)
    {
        var count = image.Width * image.Height;
        var buckets = new int[((1000 * 255 * 255) >> BucketBits) + 1];
        var pixels = image.Pixels;
        for (var i = 0; i < pixels.Length; i += 3)
        {
            buckets[Squared(pixels, i) >> BucketBits]++;
        }

        return (
            Percentile(count, 99, rank => Math.Sqrt(Select(image, buckets, rank) / 1000.0) / 255),
            Percentile(count, 5, rank => Math.Sqrt(Select(image, buckets, rank) / 1000.0) / 255));
    }

    private static int Squared(ReadOnlySpan<byte> pixels, int i) => (241 * pixels[i] * pixels[i]) + (691 * pixels[i + 1] * pixels[i + 1]) + (68 * pixels[i + 2] * pixels[i + 2]);

    // The value of a rank: its bucket is known from the counts, and only the values of that bucket are put in order.
    private static int Select(Image image, int[] buckets, int rank)
    {
        var bucket = 0;
        while (rank >= buckets[bucket])
        {
            rank -= buckets[bucket++];
        }

        var values = new int[buckets[bucket]];
        var pixels = image.Pixels;
        for (int i = 0, at = 0; at < values.Length; i += 3)
        {
            if (Squared(pixels, i) is var value && value >> BucketBits == bucket)
            {
                values[at++] = value;
            }
        }

        Array.Sort(values);
        return values[rank];
    }

    // Of gray pictures every third byte counts, since the three of a pixel are one level.
    private static double Entropy(ReadOnlySpan<byte> bytes, int step)
    {
        Span<int> counts = stackalloc int[3 * Levels];
        for (var i = 0; i < bytes.Length; i += step)
        {
            counts[(i % 3 * Levels) + bytes[i]]++;
        }

        var (total, entropy) = (bytes.Length / step, 0.0);
        foreach (var count in counts)
        {
            if (count > 0)
            {
                var share = (double)count / total;
                entropy -= share * Math.Log2(share);
            }
        }

        return entropy;
    }

    private static double Blur(Image image)
    {
        var ratio = Math.Max(image.Width, image.Height) / (double)BlurSide;
        using var small = ratio > 1
            ? Resampler.Resize(image, Math.Max((int)Math.Floor(image.Width / ratio), 1), Math.Max((int)Math.Floor(image.Height / ratio), 1), Interpolation.Bicubic)
            : image.Clone();
        var gray = Gray(small);
        Span<int> histogram = stackalloc int[Levels];
        foreach (var level in gray)
        {
            histogram[level]++;
        }

        var levels = Deviation(histogram.ToArray().Select(c => (double)c));
        var edges = Deviation(Edges(gray, small.Width, small.Height).Select(e => (double)e));
        var few = 1 - Math.Exp(-levels * BlurRate);
        return Math.Min(1 - Math.Exp(-edges * BlurRate) + (few <= FewLevels ? 0 : few), 1);
    }

    // Pillow's convert("L").
    private static byte[] Gray(Image image)
    {
        var gray = new byte[image.Width * image.Height];
        var pixels = image.Pixels;
        for (var i = 0; i < gray.Length; i++)
        {
            gray[i] = (byte)(((19595 * pixels[3 * i]) + (38470 * pixels[(3 * i) + 1]) + (7471 * pixels[(3 * i) + 2]) + 0x8000) >> 16);
        }

        return gray;
    }

    // Pillow's FIND_EDGES: eight times a pixel less its neighbors; the border stays as it is.
    private static byte[] Edges(byte[] gray, int width, int height)
    {
        var edges = (byte[])gray.Clone();
        for (var y = 1; y < height - 1; y++)
        {
            for (var x = 1; x < width - 1; x++)
            {
                var sum = 9 * gray[(y * width) + x];
                for (var row = y - 1; row <= y + 1; row++)
                {
                    sum -= gray[(row * width) + x - 1] + gray[(row * width) + x] + gray[(row * width) + x + 1];
                }

                edges[(y * width) + x] = (byte)Math.Clamp(sum, 0, byte.MaxValue);
            }
        }

        return edges;
    }

    private static double Deviation(IEnumerable<double> values)
    {
        var (count, sum, squares) = (0, 0.0, 0.0);
        foreach (var value in values)
        {
            (count, sum, squares) = (count + 1, sum + value, squares + (value * value));
        }

        return Math.Sqrt(Math.Max(squares - (sum * sum / count), 0) / count);
    }
}
