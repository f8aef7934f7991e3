namespace Vizsla.Primitives;

/// <content>Numbers of other distributions, as torch makes them from its uniform and normal ones.</content>
public sealed partial class Rng
{
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
}
