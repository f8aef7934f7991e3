namespace Vizsla.Imaging;

/// <summary>For each target position along one axis: the first source position, how many follow, and their weights in fixed point.</summary>
/// <remarks>Source: Pillow <c>libImaging/Resample.c</c> (<c>precompute_coeffs</c>, <c>normalize_coeffs_8bpc</c>). Parity: exact.</remarks>
internal sealed class ResampleWeights
{
    /// <summary>Binary places of a weight: 32 bits less 8 of the pixel and 2 of head room.</summary>
    public const int PrecisionBits = 32 - 8 - 2;

    private ResampleWeights(int targetSize, int stride)
    {
        Stride = stride;
        First = new int[targetSize];
        Count = new int[targetSize];
        Values = new int[targetSize * stride];
    }

    /// <summary>Distance in <see cref="Values"/> between the weights of neighboring targets.</summary>
    public int Stride { get; }

    /// <summary>First source position of each target.</summary>
    public int[] First { get; }

    /// <summary>Number of source positions of each target.</summary>
    public int[] Count { get; }

    /// <summary>The weights, <see cref="Stride"/> apart, zero behind the last.</summary>
    public int[] Values { get; }

    /// <summary>Number of target positions.</summary>
    public int Length => First.Length;

    /// <summary>Source positions behind the last one used.</summary>
    public int End => First[^1] + Count[^1];

    /// <summary>Weighs the source positions between two borders for each target position.</summary>
    /// <param name="sourceSize">Number of source positions.</param>
    /// <param name="from">Where the part of the source begins, single precision as in Pillow.</param>
    /// <param name="to">Where it ends.</param>
    /// <param name="targetSize">Number of target positions.</param>
    /// <param name="interpolation">A filter; not nearest.</param>
    public static ResampleWeights Compute(int sourceSize, float from, float to, int targetSize, Interpolation interpolation)
    {
        var (filter, radius) = Filter(interpolation);
        var scale = (double)(to - from) / targetSize;
        var filterScale = Math.Max(scale, 1.0);
        var support = radius * filterScale;
        var step = 1.0 / filterScale;
        var result = new ResampleWeights(targetSize, checked((int)Math.Ceiling(support) * 2 + 1));
        var exact = new double[result.Stride];
        for (var target = 0; target < targetSize; target++)
        {
            var center = from + (target + 0.5) * scale;
            var first = Math.Max((int)(center - support + 0.5), 0);
            var count = Math.Min((int)(center + support + 0.5), sourceSize) - first;
            var total = 0.0;
            for (var i = 0; i < count; i++)
            {
                exact[i] = filter((i + first - center + 0.5) * step);
                total += exact[i];
            }

            result.First[target] = first;
            result.Count[target] = count;
            var row = result.Values.AsSpan(target * result.Stride, Math.Max(count, 0));
            for (var i = 0; i < row.Length; i++)
            {
                var weight = total != 0.0 ? exact[i] / total : exact[i];
                row[i] = (int)((weight < 0 ? -0.5 : 0.5) + weight * (1 << PrecisionBits));
            }
        }

        return result;
    }

    private static (Func<double, double> Filter, double Radius) Filter(Interpolation interpolation) => interpolation switch
    {
        Interpolation.Box => (static x => x > -0.5 && x <= 0.5 ? 1.0 : 0.0, 0.5),
        Interpolation.Bilinear => (static x => Math.Max(1.0 - Math.Abs(x), 0.0), 1.0),
        Interpolation.Hamming => (Hamming, 1.0),
        Interpolation.Bicubic => (Bicubic, 2.0),
        Interpolation.Lanczos => (static x => x is >= -3.0 and < 3.0 ? Sinc(x) * Sinc(x / 3) : 0.0, 3.0),
        _ => throw new ArgumentOutOfRangeException(nameof(interpolation), interpolation, "This interpolation weighs no pixels."),
    };

    private static double Hamming(double x)
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

        x *= Math.PI;
        // Pillow writes the two constants in single precision, and the last bit of a weight shows in a pixel now and then.
        return Math.Sin(x) / x * (0.54f + 0.46f * Math.Cos(x));
    }

    private static double Bicubic(double x)
    {
        const double A = -0.5;
        x = Math.Abs(x);
        return x switch
        {
            < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1,
            < 2.0 => (((x - 5) * x + 8) * x - 4) * A,
            _ => 0.0,
        };
    }

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
