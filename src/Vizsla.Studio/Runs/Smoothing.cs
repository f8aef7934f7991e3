namespace Vizsla.Studio.Runs;

/// <summary>The moving average with which a noisy curve is read.</summary>
internal static class Smoothing
{
    /// <summary>Exponential moving average, corrected for its start.</summary>
    /// <param name="points">From left to right.</param>
    /// <param name="weight">Weight of the past, 0 (none) to below 1.</param>
    /// <remarks>Source: TensorBoard's smoothing of scalars.</remarks>
    public static IReadOnlyList<(double X, double Y)> Apply(IReadOnlyList<(double X, double Y)> points, double weight)
    {
        if (weight <= 0)
        {
            return points;
        }

        var smooth = new (double, double)[points.Count];
        double last = 0, correction = 0;
        for (var i = 0; i < smooth.Length; i++)
        {
            if (double.IsFinite(points[i].Y))
            {
                last = (last * weight) + ((1 - weight) * points[i].Y);
                correction = (correction * weight) + (1 - weight);
                smooth[i] = (points[i].X, last / correction);
            }
            else
            {
                smooth[i] = points[i];
            }
        }

        return smooth;
    }
}
