namespace Vizsla.Imaging.Jpeg;

/// <summary>How the channels of a JPEG stand for colors.</summary>
internal enum JpegColor
{
    Gray,
    YCbCr,
    Rgb,
    Cmyk,
    Ycck,
}
