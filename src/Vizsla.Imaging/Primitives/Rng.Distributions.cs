using System.Runtime.Intrinsics;

namespace Vizsla.Primitives;

/// <content>Numbers that are not uniform, as torch makes them: normal ones one at a time by Box-Muller in double precision, from sixteen on by the vector routine of torch's AVX2 build.</content>
public sealed partial class Rng
{
    private const int VectorFrom = 16;

    // Of each pair that Box-Muller makes the second is kept for the next call; the float slot belongs to torch's state and is never filled on a CPU.
    private double? _keptDouble;
    private float? _keptSingle;

    /// <summary>A normal number in double precision.</summary>
    public double NextNormal()
    {
        if (_keptDouble is { } kept)
        {
            _keptDouble = null;
            return kept;
        }

        var angle = NextDouble();
        var radius = Math.Sqrt(-2.0 * LogOnePlus(-NextDouble()));
        var theta = 2.0 * Math.PI * angle;
        _keptDouble = radius * Math.Sin(theta);
        return radius * Math.Cos(theta);
    }

    /// <summary>Normal numbers: <c>torch.empty(n).normal_(mean, std)</c>.</summary>
    /// <param name="values">Receives n numbers.</param>
    /// <param name="mean">Mean.</param>
    /// <param name="std">Standard deviation, at least 0.</param>
    public void Normal(Span<float> values, double mean = 0, double std = 1)
    {
        if (values.Length < VectorFrom)
        {
            foreach (ref var value in values)
            {
                value = (float)((NextNormal() * std) + mean);
            }

            return;
        }

        Fill(values);
        for (var i = 0; i + VectorFrom <= values.Length; i += VectorFrom)
        {
            NormalVector.Transform(values.Slice(i, VectorFrom), (float)mean, (float)std);
        }

        if (values.Length % VectorFrom != 0)
        {
            // torch draws the last sixteen anew where the length is no multiple of sixteen.
            Fill(values[^VectorFrom..]);
            NormalVector.Transform(values[^VectorFrom..], (float)mean, (float)std);
        }
    }

    /// <summary>An exponential number of rate 1: <c>torch.empty(1).exponential_()</c>.</summary>
    public float NextExponential() => (float)-Math.Log(1.0 - NextDouble());

    /// <summary>Shares that add up to 1: <c>torch._sample_dirichlet(concentration)</c>.</summary>
    /// <param name="concentration">Concentration of each share, above 0, float32 in torch.</param>
    /// <param name="shares">Receives as many shares.</param>
    public void Dirichlet(ReadOnlySpan<float> concentration, Span<float> shares)
    {
        Span<double> gammas = concentration.Length <= 64 ? stackalloc double[concentration.Length] : new double[concentration.Length];
        var sum = 0.0;
        for (var i = 0; i < gammas.Length; i++)
        {
            gammas[i] = Math.Max(BitConverter.UInt64BitsToDouble(0x0010000000000000), NextGamma(concentration[i]));
            sum += gammas[i];
        }

        for (var i = 0; i < gammas.Length; i++)
        {
            shares[i] = Math.Clamp((float)(gammas[i] / sum), BitConverter.UInt32BitsToSingle(0x00800000), MathF.BitDecrement(1f));
        }
    }

    /// <summary>A number of the beta distribution: <c>torch.distributions.Beta(alpha, beta).sample()</c>.</summary>
    /// <param name="alpha">First concentration, above 0.</param>
    /// <param name="beta">Second concentration, above 0.</param>
    public float NextBeta(double alpha, double beta)
    {
        Span<float> shares = stackalloc float[2];
        Dirichlet([(float)alpha, (float)beta], shares);
        return shares[0];
    }

    /// <summary>One choice by weight: <c>torch.multinomial(weights, 1)</c>.</summary>
    /// <param name="weights">A weight per choice, at least 0, some above 0; float32 in torch.</param>
    /// <returns>The choice, from 0.</returns>
    public int NextChoice(ReadOnlySpan<float> weights)
    {
        // torch takes the largest of weight / exponential; every choice draws, also those of weight 0.
        var (best, bestScore) = (0, float.NegativeInfinity);
        for (var i = 0; i < weights.Length; i++)
        {
            var score = weights[i] / NextExponential();
            if (score > bestScore)
            {
                (best, bestScore) = (i, score);
            }
        }

        return best;
    }

    /// <summary>Several independent choices by weight: <c>torch.multinomial(weights, n, replacement=True)</c> for n above 1.</summary>
    /// <param name="weights">A weight per choice, at least 0, some above 0; float32 in torch.</param>
    /// <param name="choices">Receives n choices, from 0.</param>
    public void Choices(ReadOnlySpan<float> weights, Span<int> choices)
    {
        if (choices.Length == 1)
        {
            choices[0] = NextChoice(weights);
            return;
        }

        Span<float> cumulative = weights.Length <= 256 ? stackalloc float[weights.Length] : new float[weights.Length];
        var sum = 0f;
        for (var i = 0; i < weights.Length; i++)
        {
            sum += weights[i];
            cumulative[i] = sum;
        }

        foreach (ref var value in cumulative)
        {
            value /= sum;
        }

        cumulative[^1] = 1;
        foreach (ref var choice in choices)
        {
            var sample = NextDouble();
            var (low, high) = (0, weights.Length);
            while (high > low)
            {
                var middle = low + ((high - low) / 2);
                (low, high) = cumulative[middle] < sample ? (middle + 1, high) : (low, middle);
            }

            choice = low;
        }
    }

    /// <summary>The same with weights of float64, as <c>torch.utils.data.WeightedRandomSampler</c> keeps them.</summary>
    /// <param name="weights">A weight per choice, at least 0, some above 0.</param>
    /// <param name="choices">Receives n choices, from 0; n is above 1.</param>
    internal void Choices(ReadOnlySpan<double> weights, Span<int> choices)
    {
        var cumulative = new double[weights.Length];
        var sum = 0.0;
        for (var i = 0; i < weights.Length; i++)
        {
            sum += weights[i];
            cumulative[i] = sum;
        }

        foreach (ref var value in cumulative.AsSpan())
        {
            value /= sum;
        }

        cumulative[^1] = 1;
        foreach (ref var choice in choices)
        {
            var sample = NextDouble();
            var found = Array.BinarySearch(cumulative, sample);
            choice = found < 0 ? ~found : found;
        }
    }

    // Marsaglia and Tsang (2000). torch's constants are float32: 1/3 and 0.0331 carry its rounding.
    private double NextGamma(double alpha)
    {
        var scale = 1.0;
        if (alpha < 1)
        {
            scale = Math.Pow(1 - NextDouble(), 1 / alpha);
            alpha += 1;
        }

        var d = alpha - (1f / 3f);
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x, y;
            do
            {
                x = NextNormal();
                y = 1 + (c * x);
            }
            while (y <= 0);

            var v = y * y * y;
            var u = 1 - NextDouble();
            var square = x * x;
            if (u < 1 - (0.0331f * square * square) || Math.Log(u) < (0.5 * square) + (d * (1 - v + Math.Log(v))))
            {
                return scale * d * v;
            }
        }
    }

    // log(1 + x) without loss for small x: the rounding error of 1 + x is undone (Kahan).
    private static double LogOnePlus(double x)
    {
        var sum = 1.0 + x;
        return sum == 1.0 ? x : Math.Log(sum) - ((sum - 1.0 - x) / sum);
    }

    /// <summary>Sixteen uniform numbers to sixteen normal ones, with the polynomials and roundings of Cephes as torch's AVX2 build compiles them.</summary>
    /// <remarks>Source: torch <c>normal_fill_16_AVX2</c> (Cephes logf, sinf, cosf). Parity: exact.</remarks>
    private static class NormalVector
    {
        public static void Transform(Span<float> values, float mean, float std)
        {
            var first = Vector256<float>.One - Vector256.Create<float>(values);
            var second = Vector256.Create<float>(values[Vector256<float>.Count..]);
            var radius = Vector256.Sqrt(Vector256.Create(-2f) * Log(first));
            var (sine, cosine) = SinCos(Vector256.Create((float)(2 * Math.PI)) * second);
            Vector256.FusedMultiplyAdd(radius * cosine, Vector256.Create(std), Vector256.Create(mean)).CopyTo(values);
            Vector256.FusedMultiplyAdd(radius * sine, Vector256.Create(std), Vector256.Create(mean)).CopyTo(values[Vector256<float>.Count..]);
        }

        private static Vector256<float> Log(Vector256<float> x)
        {
            x = Vector256.Max(x, Vector256.Create(0x00800000).AsSingle());
            var exponent = Vector256.ConvertToSingle((x.AsInt32() >>> 23) - Vector256.Create(0x7f)) + Vector256<float>.One;
            x = (x.AsInt32() & Vector256.Create(~0x7f800000)).AsSingle();
            x = (x.AsInt32() | Vector256.Create(0.5f).AsInt32()).AsSingle();
            var small = Vector256.LessThan(x, Vector256.Create(0.707106781186547524f));
            exponent -= (Vector256<float>.One.AsInt32() & small.AsInt32()).AsSingle();
            x = x - Vector256<float>.One + (x.AsInt32() & small.AsInt32()).AsSingle();
            var square = x * x;
            ReadOnlySpan<float> coefficients =
            [
                7.0376836292E-2f, -1.1514610310E-1f, 1.1676998740E-1f, -1.2420140846E-1f, 1.4249322787E-1f,
                -1.6668057665E-1f, 2.0000714765E-1f, -2.4999993993E-1f, 3.3333331174E-1f,
            ];
            var y = Polynomial(coefficients, x) * x;
            y = Vector256.FusedMultiplyAdd(y, square, exponent * Vector256.Create(-2.12194440e-4f));
            y = Vector256.FusedMultiplyAdd(square, Vector256.Create(-0.5f), y);
            return Vector256.FusedMultiplyAdd(exponent, Vector256.Create(0.693359375f), x + y);
        }

        private static (Vector256<float> Sine, Vector256<float> Cosine) SinCos(Vector256<float> x)
        {
            // Angles here are 0 to 2 pi, so no sign needs to be taken off.
            var octant = (Vector256.ConvertToInt32(x * Vector256.Create(1.27323954473516f)) + Vector256<int>.One) & Vector256.Create(~1);
            var y = Vector256.ConvertToSingle(octant);
            var sineSign = (octant & Vector256.Create(4)) << 29;
            var cosineSign = Vector256.AndNot(Vector256.Create(4), octant - Vector256.Create(2)) << 29;
            var swap = Vector256.Equals(octant & Vector256.Create(2), Vector256<int>.Zero).AsSingle();
            x = Vector256.FusedMultiplyAdd(y, Vector256.Create(-0.78515625f), x);
            x = Vector256.FusedMultiplyAdd(y, Vector256.Create(-2.4187564849853515625e-4f), x);
            x = Vector256.FusedMultiplyAdd(y, Vector256.Create(-3.77489497744594108e-8f), x);
            var square = x * x;
            var even = Polynomial([2.443315711809948E-005f, -1.388731625493765E-003f, 4.166664568298827E-002f], square) * square;
            even = Vector256.FusedMultiplyAdd(even, square, -(square * Vector256.Create(0.5f))) + Vector256<float>.One;
            var odd = Polynomial([-1.9515295891E-4f, 8.3321608736E-3f, -1.6666654611E-1f], square) * square;
            odd = Vector256.FusedMultiplyAdd(odd, x, x);
            var sine = Vector256.ConditionalSelect(swap, odd, even).AsInt32() ^ sineSign;
            var cosine = Vector256.ConditionalSelect(swap, even, odd).AsInt32() ^ cosineSign;
            return (sine.AsSingle(), cosine.AsSingle());
        }

        private static Vector256<float> Polynomial(ReadOnlySpan<float> coefficients, Vector256<float> x)
        {
            var y = Vector256.Create(coefficients[0]);
            foreach (var coefficient in coefficients[1..])
            {
                y = Vector256.FusedMultiplyAdd(y, x, Vector256.Create(coefficient));
            }

            return y;
        }
    }
}
