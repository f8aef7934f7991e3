namespace Vizsla.Imaging;

/// <summary>How much a pixel counts by its distance from the center.</summary>
/// <remarks>Source: Pillow <c>libImaging/Resample.c</c>. Parity: exact.</remarks>
internal interface IResampleFilter
{
    /// <summary>Distance beyond which nothing counts.</summary>
    static abstract double Radius { get; }

    /// <summary>The weight, not yet divided by the sum of all.</summary>
    /// <param name="x">Distance in target pixels.</param>
    static abstract double Weigh(double x);
}

internal readonly struct BoxFilter : IResampleFilter
{
    public static double Radius => 0.5;

    public static double Weigh(double x) => x is > -0.5 and <= 0.5 ? 1.0 : 0.0;
}

internal readonly struct BilinearFilter : IResampleFilter
{
    public static double Radius => 1.0;

    public static double Weigh(double x)
    {
        x = Math.Abs(x);
        return x < 1.0 ? 1.0 - x : 0.0;
    }
}

internal readonly struct HammingFilter : IResampleFilter
{
    public static double Radius => 1.0;

    public static double Weigh(double x)
    {
        x = Math.Abs(x);
        if (x == 0.0)
        {
            return 1.0;
        }

        if (x >= 1.0)
        {
            return 0.0;
        }

        // Pillow's two shares are of single precision, the rest is double.
        x *= Math.PI;
        return Math.Sin(x) / x * ((double)0.54f + (double)0.46f * Math.Cos(x));
    }
}

internal readonly struct BicubicFilter : IResampleFilter
{
    private const double A = -0.5;

    public static double Radius => 2.0;

    public static double Weigh(double x)
    {
        x = Math.Abs(x);
        return x switch
        {
            < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1,
            < 2.0 => (((x - 5) * x + 8) * x - 4) * A,
            _ => 0.0,
        };
    }
}

internal readonly struct LanczosFilter : IResampleFilter
{
    public static double Radius => 3.0;

    public static double Weigh(double x) => x is >= -3.0 and < 3.0 ? Sinc(x) * Sinc(x / 3) : 0.0;

    private static double Sinc(double x)
    {
        if (x == 0.0)
        {
            return 1.0;
        }

        x *= Math.PI;
        return Math.Sin(x) / x;
    }
}
