namespace Vizsla.Imaging;

/// <summary>How a picture is decoded.</summary>
/// <param name="ExifTranspose">Whether the picture is turned and mirrored as its EXIF orientation asks; default true.</param>
/// <param name="MaximumPixels">Pictures of more pixels are refused before they are decoded; default 178,956,970, where Pillow raises its <c>DecompressionBombError</c>.</param>
public sealed record DecodeOptions(bool ExifTranspose = true, long MaximumPixels = 178_956_970)
{
    /// <summary>Every pixel, EXIF orientation applied.</summary>
    public static DecodeOptions Default { get; } = new();

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
