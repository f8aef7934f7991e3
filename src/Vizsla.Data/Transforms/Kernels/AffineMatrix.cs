namespace Vizsla.Transforms;

/// <summary>Maps a point of the result to a point of the source: (Ax + By + C, Dx + Ey + F), in pixels from the top left corner.</summary>
internal readonly record struct AffineMatrix(double A, double B, double C, double D, double E, double F)
{
    /// <summary>The source of a point.</summary>
    public (double X, double Y) Map(double x, double y) => ((A * x) + (B * y) + C, (D * x) + (E * y) + F);
}
