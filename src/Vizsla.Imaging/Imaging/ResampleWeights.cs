using System.Collections.Concurrent;

namespace Vizsla.Imaging;

/// <summary>For each target position along one axis: the first source position, how many follow, and their weights in fixed point. Pooled.</summary>
/// <remarks>Source: Pillow <c>libImaging/Resample.c</c> (<c>precompute_coeffs</c>, <c>normalize_coeffs_8bpc</c>). Parity: exact.</remarks>
internal sealed class ResampleWeights : IDisposable
{
    /// <summary>Binary places of a weight: 32 bits less 8 of the pixel and 2 of head room.</summary>
    public const int PrecisionBits = 32 - 8 - 2;

    /// <summary>Bits of a weight's lower part, which with its sign takes 16.</summary>
    public const int LowBits = 15;

    /// <summary>Weights that the vector code takes at once.</summary>
    public const int Group = 4;

    private static readonly ConcurrentBag<ResampleWeights> Idle = [];
    private double[] _exact = [];

    private ResampleWeights()
    {
    }

    /// <summary>Number of target positions.</summary>
    public int Length { get; private set; }

    /// <summary>Distance between the weights of neighboring targets; a multiple of <see cref="Group"/>, the rest of it zero.</summary>
    public int Stride { get; private set; }

    /// <summary>First source position of each target.</summary>
    public int[] First { get; private set; } = [];

    /// <summary>Number of source positions of each target.</summary>
    public int[] Count { get; private set; } = [];

    /// <summary>The weights.</summary>
    public int[] Values { get; private set; } = [];

    /// <summary>Lower parts of the weights, 0 to 32767.</summary>
    public short[] Low { get; private set; } = [];

    /// <summary>Upper parts of the weights.</summary>
    public short[] High { get; private set; } = [];

    /// <summary>Source positions behind the last one used.</summary>
    public int End => First[Length - 1] + Count[Length - 1];

    /// <summary>Weighs the source positions between two borders for each target position.</summary>
    /// <param name="sourceSize">Number of source positions.</param>
    /// <param name="from">Where the part of the source begins, single precision as in Pillow.</param>
    /// <param name="to">Where it ends.</param>
    /// <param name="targetSize">Number of target positions.</param>
    /// <param name="interpolation">A filter; not nearest.</param>
    /// <returns>The weights; disposing gives them back.</returns>
    public static ResampleWeights Compute(int sourceSize, float from, float to, int targetSize, Interpolation interpolation)
    {
        if (!Idle.TryTake(out var weights))
        {
            weights = new ResampleWeights();
        }

        switch (interpolation)
        {
            case Interpolation.Box:
                weights.Fill<BoxFilter>(sourceSize, from, to, targetSize);
                break;
            case Interpolation.Bilinear:
                weights.Fill<BilinearFilter>(sourceSize, from, to, targetSize);
                break;
            case Interpolation.Hamming:
                weights.Fill<HammingFilter>(sourceSize, from, to, targetSize);
                break;
            case Interpolation.Bicubic:
                weights.Fill<BicubicFilter>(sourceSize, from, to, targetSize);
                break;
            case Interpolation.Lanczos:
                weights.Fill<LanczosFilter>(sourceSize, from, to, targetSize);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(interpolation), interpolation, "This interpolation weighs no pixels.");
        }

        return weights;
    }

    /// <summary>Gives the weights back.</summary>
    public void Dispose() => Idle.Add(this);

    private void Fill<TFilter>(int sourceSize, float from, float to, int targetSize)
        where TFilter : struct, IResampleFilter
    {
        var scale = (double)(to - from) / targetSize;
        var filterScale = Math.Max(scale, 1.0);
        var support = TFilter.Radius * filterScale;
        var step = 1.0 / filterScale;
        Reserve(targetSize, checked((int)Math.Ceiling(support) * 2 + 1));
        for (var target = 0; target < targetSize; target++)
        {
            var center = from + (target + 0.5) * scale;
            var first = Math.Max((int)(center - support + 0.5), 0);
            var count = Math.Max(Math.Min((int)(center + support + 0.5), sourceSize) - first, 0);
            var exact = _exact.AsSpan(0, count);
            var total = 0.0;
            for (var i = 0; i < exact.Length; i++)
            {
                exact[i] = TFilter.Weigh((i + first - center + 0.5) * step);
                total += exact[i];
            }

            (First[target], Count[target]) = (first, count);
            var at = target * Stride;
            for (var i = 0; i < exact.Length; i++)
            {
                var weight = total != 0.0 ? exact[i] / total : exact[i];
                var value = (int)((weight < 0 ? -0.5 : 0.5) + weight * (1 << PrecisionBits));
                Values[at + i] = value;
                Low[at + i] = (short)(value & ((1 << LowBits) - 1));
                High[at + i] = (short)(value >> LowBits);
            }

            Array.Clear(Values, at + count, Stride - count);
            Array.Clear(Low, at + count, Stride - count);
            Array.Clear(High, at + count, Stride - count);
        }
    }

    private void Reserve(int targetSize, int mostWeights)
    {
        (Length, Stride) = (targetSize, (mostWeights + Group - 1) / Group * Group);
        var total = checked(targetSize * Stride);
        if (_exact.Length < mostWeights)
        {
            _exact = new double[mostWeights];
        }

        if (First.Length < targetSize)
        {
            (First, Count) = (new int[targetSize], new int[targetSize]);
        }

        if (Values.Length < total)
        {
            (Values, Low, High) = (new int[total], new short[total], new short[total]);
        }
    }
}
