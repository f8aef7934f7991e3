namespace Vizsla.Imaging;

/// <summary>How a resize weighs the pixels of the source; the numbers are Pillow's, as <c>resample</c> in a <c>preprocessor_config.json</c> holds them.</summary>
/// <remarks>Source: Pillow <c>Image.Resampling</c>; torchvision <c>InterpolationMode</c>. Parity: exact.</remarks>
public enum Interpolation
{
    /// <summary>The one pixel below the center of the target pixel.</summary>
    Nearest = 0,

    /// <summary>Windowed sinc over 3 source pixels to either side.</summary>
    Lanczos = 1,

    /// <summary>Triangle over 1 source pixel to either side.</summary>
    Bilinear = 2,

    /// <summary>Cubic with a = -0.5 over 2 source pixels to either side.</summary>
    Bicubic = 3,

    /// <summary>Mean of the source pixels that the target pixel covers.</summary>
    Box = 4,

    /// <summary>Hamming-windowed sinc over 1 source pixel to either side.</summary>
    Hamming = 5,

    /// <summary>torchvision's <c>nearest-exact</c>, which on 8-bit pictures is <see cref="Nearest"/>.</summary>
    NearestExact = 6,
}
