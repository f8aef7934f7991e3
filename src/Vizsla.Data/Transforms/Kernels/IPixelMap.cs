using System.Runtime.Intrinsics;

namespace Vizsla.Transforms;

/// <summary>Says where a point of the result comes from.</summary>
internal interface IPixelMap
{
    /// <summary>The source of a point, in pixels from the top left corner of the picture.</summary>
    /// <param name="x">From the left; the center of the first pixel is 0.5.</param>
    /// <param name="y">From the top; the center of the first pixel is 0.5.</param>
    (double X, double Y) Map(double x, double y);

    /// <summary>The sources of four points, with the roundings of one.</summary>
    /// <param name="x">From the left.</param>
    /// <param name="y">From the top.</param>
    (Vector256<double> X, Vector256<double> Y) Map(Vector256<double> x, Vector256<double> y);
}
