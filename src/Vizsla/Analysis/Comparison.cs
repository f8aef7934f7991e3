using System.Numerics.Tensors;

namespace Vizsla.Analysis;

/// <summary>Two models on the same rows: where either is right alone, and how likely such a difference is by chance.</summary>
/// <param name="BothRight">Rows that both classify correctly.</param>
/// <param name="OnlyFirst">Rows that only the first classifies correctly.</param>
/// <param name="OnlySecond">Rows that only the second classifies correctly.</param>
/// <param name="NeitherRight">Rows that neither classifies correctly.</param>
/// <remarks>Source: statsmodels <c>mcnemar</c>. Parity: 1e-9.</remarks>
public readonly record struct McNemar(int BothRight, int OnlyFirst, int OnlySecond, int NeitherRight)
{
    /// <summary>Two-sided p-value of the exact binomial test, 0 to 1.</summary>
    public double ExactP => Math.Min(1, 2 * Distributions.HalfBinomialCdf(Math.Min(OnlyFirst, OnlySecond), OnlyFirst + OnlySecond));

    /// <summary>Chi-square statistic with one degree of freedom and the correction for continuity; 0 where no row differs.</summary>
    public double ChiSquare => OnlyFirst + OnlySecond == 0 ? 0 : Math.Pow(Math.Abs(OnlyFirst - OnlySecond) - 1, 2) / (OnlyFirst + OnlySecond);

    /// <summary>P-value of <see cref="ChiSquare"/>, 0 to 1.</summary>
    public double ChiSquareP => Distributions.ErrorFunctionComplement(Math.Sqrt(ChiSquare / 2));

    /// <summary>Counts the rows.</summary>
    /// <param name="first">Whether the first model is right, [N].</param>
    /// <param name="second">Whether the second model is right, [N].</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static McNemar Of(IReadOnlyList<bool> first, IReadOnlyList<bool> second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.Count != second.Count)
        {
            throw new ArgumentException(Invariant($"Expected the answers to the same rows, got {first.Count} and {second.Count}."), nameof(second));
        }

        int Count(bool a, bool b) => first.Zip(second).Count(pair => pair == (a, b));
        return new McNemar(Count(true, true), Count(true, false), Count(false, true), Count(false, false));
    }
}

/// <summary>Intervals around a share of rows, and the temperature that calibrates probabilities.</summary>
public static class Intervals
{
    private const double Normal95 = 1.959963984540054;

    /// <summary>The 95 % interval of Wilson's score.</summary>
    /// <param name="right">Rows that count, 0 to <paramref name="count"/>.</param>
    /// <param name="count">All rows, 1 at least.</param>
    /// <returns>Lower and upper bound, 0 to 1.</returns>
    /// <remarks>Source: statsmodels <c>proportion_confint(method="wilson")</c>. Parity: 1e-9.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">There is no row, or more rows count than there are.</exception>
    public static (double Low, double High) Wilson(int right, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(right);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(right, count);
        var (share, z2) = (right / (double)count, Normal95 * Normal95);
        var center = (share + (z2 / (2 * count))) / (1 + (z2 / count));
        var half = Normal95 / (1 + (z2 / count)) * Math.Sqrt((share * (1 - share) / count) + (z2 / (4.0 * count * count)));
        return (Math.Max(0, center - half), Math.Min(1, center + half));
    }

    /// <summary>The 95 % interval of a difference in accuracy, by drawing the rows again with replacement.</summary>
    /// <param name="first">Whether the first model is right, [N], N at least 1.</param>
    /// <param name="second">Whether the second model is right, [N].</param>
    /// <param name="rng">Draws the rows.</param>
    /// <param name="draws">How often, 2,000 by default.</param>
    /// <returns>The 2.5 % and 97.5 % quantile of accuracy of the first less accuracy of the second.</returns>
    public static (double Low, double High) Bootstrap(IReadOnlyList<bool> first, IReadOnlyList<bool> second, Primitives.Rng rng, int draws = 2000)
    {
        ArgumentNullException.ThrowIfNull(rng);
        var table = McNemar.Of(first, second);
        var differences = new double[draws];
        var count = first.Count;
        for (var d = 0; d < draws; d++)
        {
            var sum = 0;
            for (var i = 0; i < count; i++)
            {
                var row = (int)(rng.NextDouble() * count);
                sum += row < table.OnlyFirst ? 1 : row < table.OnlyFirst + table.OnlySecond ? -1 : 0;
            }

            differences[d] = sum / (double)count;
        }

        Array.Sort(differences);
        return (differences[(int)(0.025 * (draws - 1))], differences[(int)Math.Ceiling(0.975 * (draws - 1))]);
    }
}

/// <summary>One number that divides a model's logits so that its probabilities say how often it is right.</summary>
/// <remarks>Source: Guo et al., "On Calibration of Modern Neural Networks" (2017). Parity: the minimum as scipy finds it, temperature 1e-5.</remarks>
public static class TemperatureScaling
{
    private const double Range = 4;
    private const double Precision = 1e-10;

    /// <summary>The temperature of the lowest negative log-likelihood.</summary>
    /// <param name="logits">Logits, [N][K], N at least 1.</param>
    /// <param name="labels">Class of each row, [N].</param>
    /// <returns>exp(-4) to exp(4); 1 changes nothing, above 1 the model was too sure.</returns>
    public static double Fit(IReadOnlyList<double[]> logits, IReadOnlyList<int> labels)
    {
        // The loss is convex in 1 / T, so it has one minimum in log T: golden section.
        var ratio = (Math.Sqrt(5) - 1) / 2;
        var (low, high) = (-Range, Range);
        var (a, b) = (high - (ratio * (high - low)), low + (ratio * (high - low)));
        var (lossA, lossB) = (At(a), At(b));
        while (high - low > Precision)
        {
            if (lossA < lossB)
            {
                (high, b, lossB) = (b, a, lossA);
                a = high - (ratio * (high - low));
                lossA = At(a);
            }
            else
            {
                (low, a, lossA) = (a, b, lossB);
                b = low + (ratio * (high - low));
                lossB = At(b);
            }
        }

        return Math.Exp((low + high) / 2);

        double At(double logarithm) => NegativeLogLikelihood(logits, labels, Math.Exp(logarithm));
    }

    /// <summary>The mean negative log-likelihood of the labels, in nats.</summary>
    /// <param name="logits">Logits, [N][K].</param>
    /// <param name="labels">Class of each row, [N].</param>
    /// <param name="temperature">Divides the logits; above 0.</param>
    public static double NegativeLogLikelihood(IReadOnlyList<double[]> logits, IReadOnlyList<int> labels, double temperature = 1)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(temperature);
        double sum = 0;
        for (var i = 0; i < labels.Count; i++)
        {
            var max = TensorPrimitives.Max<double>(logits[i]);
            sum += Math.Log(logits[i].Sum(z => Math.Exp((z - max) / temperature))) - ((logits[i][labels[i]] - max) / temperature);
        }

        return sum / labels.Count;
    }
}

/// <summary>The confidence below which a picture is none of a model's classes.</summary>
/// <remarks>
/// Source: Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural Networks" (2017): the largest probability as the score, at the threshold that 95 % of
/// the pictures classified correctly reach. It is fitted on pictures of the classes alone: of pictures of something else it promises nothing.
/// </remarks>
public static class ConfidenceThreshold
{
    private const double Step = 1e-4;

    /// <summary>The largest threshold that a share of the correctly classified pictures reaches.</summary>
    /// <param name="logits">Logits, [N][K], K at least 1.</param>
    /// <param name="labels">Class of each row, [N].</param>
    /// <param name="temperature">Divides the logits; above 0.</param>
    /// <param name="kept">The share, 0 to 1; 0.95 by default.</param>
    /// <returns>
    /// The threshold, 0 to 1, rounded down to four places, 0 where no picture is classified correctly; and the share of the misclassified pictures below it, NaN where there is none.
    /// </returns>
    public static (double Threshold, double MisclassifiedBelow) Fit(IReadOnlyList<double[]> logits, IReadOnlyList<int> labels, double temperature = 1, double kept = 0.95)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(temperature);
        ArgumentOutOfRangeException.ThrowIfNegative(kept);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(kept, 1);
        var (right, wrong) = (new List<double>(), new List<double>());
        for (var i = 0; i < labels.Count; i++)
        {
            var best = TensorPrimitives.IndexOfMax<double>(logits[i]);
            var confidence = 1 / logits[i].Sum(z => Math.Exp((z - logits[i][best]) / temperature));
            (best == labels[i] ? right : wrong).Add(confidence);
        }

        right.Sort();
        var lost = Math.Min(right.Count - 1, (int)((1 - kept) * right.Count));
        var threshold = right.Count == 0 ? 0 : Math.Floor(right[lost] / Step) * Step;
        return (threshold, wrong.Count == 0 ? double.NaN : wrong.Count(c => c < threshold) / (double)wrong.Count);
    }
}

internal static class Distributions
{
    // P(X <= k) of n fair coins.
    public static double HalfBinomialCdf(int k, int n)
    {
        var (logarithm, sum) = (-n * Math.Log(2), 0.0);
        for (var i = 0; i <= k; i++)
        {
            sum += Math.Exp(logarithm);
            logarithm += Math.Log((n - i) / (i + 1.0));
        }

        return sum;
    }

    // Series below 2, Lentz's continued fraction above (Abramowitz and Stegun 7.1.6, 7.1.14).
    public static double ErrorFunctionComplement(double x)
    {
        if (x < 2)
        {
            var (term, sum) = (x, x);
            for (var n = 1; Math.Abs(term) > 1e-17 * Math.Abs(sum); n++)
            {
                term *= 2 * x * x / ((2 * n) + 1);
                sum += term;
            }

            return 1 - (2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum);
        }

        var fraction = 0.0;
        for (var n = 200; n > 0; n--)
        {
            fraction = n / 2.0 / (x + fraction);
        }

        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / (x + fraction);
    }
}
