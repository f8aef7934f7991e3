namespace Vizsla.Transforms;

/// <summary>The weights of torchvision's Gaussian, with the roundings of torch's own linspace, exponential and softmax.</summary>
/// <remarks>
/// Source: torchvision <c>_get_gaussian_kernel1d</c> (Sleef's expf, sums lane by lane). Parity: exact with torch on AVX2;
/// torch on AVX-512 adds up in sixteen lanes and differs in the last bit of some weights, which moves a few levels by one.
/// </remarks>
internal static class GaussianKernel
{
    private const int Avx2Lanes = 8;
    private const int Avx512Lanes = 16;

    /// <summary>Whether this thread adds up as torch does on AVX-512; for comparing with recordings from such a machine.</summary>
    [ThreadStatic]
    internal static bool FollowsAvx512;

    /// <summary>Fills the weights of one axis; they add up to 1.</summary>
    /// <param name="weights">Receives as many weights as the kernel is wide.</param>
    /// <param name="sigma">Standard deviation in pixels, above 0.</param>
    public static void Fill(Span<float> weights, double sigma)
    {
        var limit = (weights.Length - 1) / (2.0 * Math.Sqrt(2.0));
        Linspace.Fill(weights, -limit, limit);
        foreach (ref var weight in weights)
        {
            weight /= (float)sigma;
            weight = -(weight * weight);
        }

        var largest = weights[0];
        foreach (var weight in weights)
        {
            largest = Math.Max(largest, weight);
        }

        foreach (ref var weight in weights)
        {
            weight = Exp(weight - largest);
        }

        var factor = 1 / Sum(weights);
        foreach (ref var weight in weights)
        {
            weight *= factor;
        }
    }

    // Sleef's expf (1.0 ULP), operation by operation.
    private static float Exp(float x)
    {
        if (x < -104)
        {
            return 0;
        }

        var power = MathF.Round(x * 1.442695040888963407359924681001892137426645954152985934135449406931f);
        var rest = MathF.FusedMultiplyAdd(power, -0.693145751953125f, x);
        rest = MathF.FusedMultiplyAdd(power, -1.428606765330187045e-06f, rest);
        ReadOnlySpan<float> coefficients = [0.00139304355252534151077271f, 0.00833336077630519866943359f, 0.0416664853692054748535156f, 0.166666671633720397949219f, 0.5f];
        var y = 0.000198527617612853646278381f;
        foreach (var coefficient in coefficients)
        {
            y = MathF.FusedMultiplyAdd(y, rest, coefficient);
        }

        return MathF.ScaleB(1 + MathF.FusedMultiplyAdd(rest * rest, y, rest), (int)power);
    }

    // torch adds up lane by lane, then halves the lanes; fewer numbers than lanes it adds up in order.
    private static float Sum(ReadOnlySpan<float> values)
    {
        Span<float> lanes = stackalloc float[FollowsAvx512 ? Avx512Lanes : Avx2Lanes];
        if (values.Length < lanes.Length)
        {
            var sum = values[0];
            foreach (var value in values[1..])
            {
                sum += value;
            }

            return sum;
        }

        for (var i = 0; i < values.Length; i++)
        {
            lanes[i % lanes.Length] = i < lanes.Length ? values[i] : lanes[i % lanes.Length] + values[i];
        }

        for (var half = lanes.Length / 2; half > 0; half /= 2)
        {
            for (var i = 0; i < half; i++)
            {
                lanes[i] += lanes[i + half];
            }
        }

        return lanes[0];
    }
}
