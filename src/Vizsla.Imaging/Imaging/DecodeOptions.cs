namespace Vizsla.Imaging;

/// <summary>How a picture is decoded.</summary>
/// <param name="ExifTranspose">Whether the picture is turned and mirrored as its EXIF orientation asks; default true.</param>
/// <param name="MaximumPixels">Pictures of more pixels are refused before they are decoded; default 178,956,970, where Pillow raises its <c>DecompressionBombError</c>.</param>
public sealed record DecodeOptions(bool ExifTranspose = true, long MaximumPixels = 178_956_970)
{
    private const int Whole = 8;

    /// <summary>Every pixel, EXIF orientation applied.</summary>
    public static DecodeOptions Default { get; } = new();

    /// <summary>
    /// The size below which a picture is of no use, from its size as it is shown (both width and height); null, the default, decodes every pixel.
    /// A JPEG is then decoded at the smallest of libjpeg's scales 1/8 to 8/8 that is not below that size, which is faster and gives other pixels than decoding all and resizing; other formats are decoded whole.
    /// </summary>
    /// <remarks>Source: Pillow <c>Image.draft</c>, which knows 1/8, 1/4 and 1/2. Parity: exact with libjpeg-turbo at the same scale.</remarks>
    public Func<(int Width, int Height), (int Width, int Height)>? LeastSize { get; init; }

    /// <summary>The scale that a JPEG is decoded at.</summary>
    /// <param name="width">Width as stored, pixels.</param>
    /// <param name="height">Height as stored, pixels.</param>
    /// <param name="orientation">EXIF orientation, 1 to 8.</param>
    /// <returns>Eighths of the size, 1 to 8.</returns>
    internal int Eighths(int width, int height, int orientation)
    {
        if (LeastSize is null)
        {
            return Whole;
        }

        var (shownWidth, shownHeight) = ExifTranspose && Orientation.SwapsSides(orientation) ? (height, width) : (width, height);
        var (leastWidth, leastHeight) = LeastSize((shownWidth, shownHeight));
        var eighths = 1;
        while (eighths < Whole && (Scaled(shownWidth, eighths) < leastWidth || Scaled(shownHeight, eighths) < leastHeight))
        {
            eighths++;
        }

        return eighths;
    }

    /// <summary>Length of a side at a scale.</summary>
    /// <param name="length">Pixels.</param>
    /// <param name="eighths">The scale.</param>
    internal static int Scaled(int length, int eighths) => (int)(((long)length * eighths + Whole - 1) / Whole);

    /// <summary>Refuses a size that may be a decompression bomb.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <exception cref="ImageFormatException">There are too many pixels.</exception>
    internal void CheckSize(long width, long height)
    {
        if (width * height > MaximumPixels)
        {
            throw new ImageFormatException($"its {width * height} pixels exceed the limit of {MaximumPixels}; it may be a decompression bomb");
        }
    }
}
