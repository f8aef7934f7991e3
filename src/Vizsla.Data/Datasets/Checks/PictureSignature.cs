using System.Numerics;
using Vizsla.Imaging;

namespace Vizsla.Datasets.Checks;

/// <summary>How a picture looks, in so few bytes that any two of a hundred thousand can be compared.</summary>
/// <remarks>
/// The hash follows the method known as pHash: signs of the lowest frequencies of the cosine transform of the gray picture, which survive other sizes, formats, qualities and brightness.
/// Plain pictures share their hash with many others, so the thumbnail decides in the end.
/// </remarks>
/// <param name="Hash">63 bits: whether each of the lowest 8 x 8 frequencies but the mean is above their median; bit 0 is unused.</param>
/// <param name="Thumbnail">8 x 8 pixels, RGB.</param>
internal sealed record PictureSignature(ulong Hash, byte[] Thumbnail)
{
    private const int Side = 32;
    private const int Frequencies = 8;
    private const int ThumbnailSide = 8;

    // Levels of 255. Of 6,580 photos, different ones with hashes within 10 bits differ by 37 and more; copies of other sizes, formats, qualities, brightness or margins by less than 20.
    private const double MostDifference = 24;
    private const double MostShift = 64;

    // A picture whose thumbnail varies less is of one color to the eye.
    private const int LeastContrast = 6;

    private static readonly float[] s_cosines = Cosines();

    /// <summary>Whether the whole picture has one color.</summary>
    public bool IsBlank
    {
        get
        {
            for (var channel = 0; channel < 3; channel++)
            {
                byte low = byte.MaxValue, high = 0;
                for (var i = channel; i < Thumbnail.Length; i += 3)
                {
                    (low, high) = (Math.Min(low, Thumbnail[i]), Math.Max(high, Thumbnail[i]));
                }

                if (high - low > LeastContrast)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Computes the signature.</summary>
    /// <param name="image">The picture; not disposed.</param>
    public static PictureSignature Of(Image image)
    {
        using var small = Resampler.Resize(image, Side, Side, Interpolation.Box);
        return new(HashOf(small.Pixels), ThumbnailOf(small.Pixels));
    }

    /// <summary>Number of bits in which the hashes differ.</summary>
    /// <param name="other">Another picture.</param>
    public int Distance(PictureSignature other) => BitOperations.PopCount(Hash ^ other.Hash);

    /// <summary>Whether the thumbnails show the same, apart from brightness and tint.</summary>
    /// <param name="other">Another picture.</param>
    public bool LooksLike(PictureSignature other)
    {
        var (a, b) = (Thumbnail, other.Thumbnail);
        const int Pixels = ThumbnailSide * ThumbnailSide;
        var squares = 0.0;
        for (var channel = 0; channel < 3; channel++)
        {
            long sum = 0, square = 0;
            for (var i = channel; i < a.Length; i += 3)
            {
                var difference = a[i] - b[i];
                sum += difference;
                square += difference * difference;
            }

            var shift = (double)sum / Pixels;
            if (Math.Abs(shift) > MostShift)
            {
                return false;
            }

            squares += square - (shift * shift * Pixels);
        }

        return squares <= MostDifference * MostDifference * 3 * Pixels;
    }

    private static ulong HashOf(ReadOnlySpan<byte> pixels)
    {
        // Rows first, then columns: rows [32 x 8], bands [8 x 8].
        Span<float> rows = stackalloc float[Side * Frequencies];
        for (var y = 0; y < Side; y++)
        {
            for (var x = 0; x < Side; x++)
            {
                var at = 3 * ((y * Side) + x);
                var gray = (0.299f * pixels[at]) + (0.587f * pixels[at + 1]) + (0.114f * pixels[at + 2]);
                for (var u = 0; u < Frequencies; u++)
                {
                    rows[(y * Frequencies) + u] += gray * s_cosines[(x * Frequencies) + u];
                }
            }
        }

        Span<float> bands = stackalloc float[Frequencies * Frequencies];
        for (var y = 0; y < Side; y++)
        {
            for (var v = 0; v < Frequencies; v++)
            {
                for (var u = 0; u < Frequencies; u++)
                {
                    bands[(v * Frequencies) + u] += rows[(y * Frequencies) + u] * s_cosines[(y * Frequencies) + v];
                }
            }
        }

        Span<float> sorted = stackalloc float[bands.Length - 1];
        bands[1..].CopyTo(sorted);
        sorted.Sort();
        var median = sorted[sorted.Length / 2];
        var hash = 0UL;
        for (var i = 1; i < bands.Length; i++)
        {
            hash |= bands[i] > median ? 1UL << i : 0;
        }

        return hash;
    }

    private static byte[] ThumbnailOf(ReadOnlySpan<byte> pixels)
    {
        const int Block = Side / ThumbnailSide;
        var thumbnail = new byte[ThumbnailSide * ThumbnailSide * 3];
        for (var i = 0; i < thumbnail.Length; i++)
        {
            var (cell, channel) = (i / 3, i % 3);
            var (top, left) = (cell / ThumbnailSide * Block, cell % ThumbnailSide * Block);
            var sum = 0;
            for (var y = 0; y < Block; y++)
            {
                for (var x = 0; x < Block; x++)
                {
                    sum += pixels[(3 * (((top + y) * Side) + left + x)) + channel];
                }
            }

            thumbnail[i] = (byte)((sum + (Block * Block / 2)) / (Block * Block));
        }

        return thumbnail;
    }

    private static float[] Cosines()
    {
        var table = new float[Side * Frequencies];
        for (var i = 0; i < table.Length; i++)
        {
            table[i] = (float)Math.Cos(Math.PI * (((i / Frequencies) + 0.5) * (i % Frequencies)) / Side);
        }

        return table;
    }
}
