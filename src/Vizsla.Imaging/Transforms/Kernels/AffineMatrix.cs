using System.Runtime.Intrinsics;

namespace Vizsla.Transforms;

/// <summary>Maps a point of the result to a point of the source: (Ax + By + C, Dx + Ey + F), in pixels from the top left corner.</summary>
internal readonly record struct AffineMatrix(double A, double B, double C, double D, double E, double F) : IPixelMap
{
    /// <inheritdoc />
    public (double X, double Y) Map(double x, double y) => ((A * x) + (B * y) + C, (D * x) + (E * y) + F);

    /// <inheritdoc />
    public (Vector256<double> X, Vector256<double> Y) Map(Vector256<double> x, Vector256<double> y) =>
        ((x * A) + (y * B) + Vector256.Create(C), (x * D) + (y * E) + Vector256.Create(F));

    /// <summary>torchvision's map of a rotation, translation, scaling and shearing.</summary>
    /// <param name="center">The point that rotation, scaling and shearing leave where it is.</param>
    /// <param name="degrees">Clockwise rotation.</param>
    /// <param name="translate">Shift of the result in pixels.</param>
    /// <param name="scale">Size of the result, 1 is unchanged.</param>
    /// <param name="shear">Shear in degrees along rows and along columns.</param>
    /// <remarks>Source: torchvision <c>v2.functional._geometry._get_inverse_affine_matrix</c>, operation by operation. Parity: exact up to the platform's sine and cosine.</remarks>
    public static AffineMatrix Inverse(
        (double X, double Y) center, double degrees, (double X, double Y) translate, double scale, (double X, double Y) shear)
    {
        var rotation = Radians(degrees);
        var shearX = Radians(shear.X);
        var shearY = Radians(shear.Y);
        var a = Math.Cos(rotation - shearY) / Math.Cos(shearY);
        var b = -((a * Math.Tan(shearX)) + Math.Sin(rotation));
        var c = Math.Sin(rotation - shearY) / Math.Cos(shearY);
        var d = Math.Cos(rotation) - (c * Math.Tan(shearX));
        var (m0, m1, m3, m4) = (d / scale, -b / scale, -c / scale, a / scale);
        var (toX, toY) = (center.X + translate.X, center.Y + translate.Y);
        var m2 = center.X - (m0 * toX) - (m1 * toY);
        var m5 = center.Y - (m3 * toX) - (m4 * toY);
        return new AffineMatrix(m0, m1, m2, m3, m4, m5);
    }

    /// <summary>Python's <c>math.radians</c>.</summary>
    public static double Radians(double degrees) => degrees * (Math.PI / 180);
}
