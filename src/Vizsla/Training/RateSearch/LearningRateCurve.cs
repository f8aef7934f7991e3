using System.Globalization;

namespace Vizsla.Training.RateSearch;

/// <summary>The loss at learning rates from small to large, and the rate that it speaks for.</summary>
/// <remarks>
/// The first tenth and the last five points count for nothing: the smoothed loss has not settled there, or has left already.
/// Source: fastai <c>lr_find</c> with <c>valley</c>, <c>steep</c> and <c>minimum</c>. Parity: the same points of the same curve.
/// </remarks>
public sealed class LearningRateCurve
{
    internal const int LeastSteps = 10;

    private const int LastPassedOver = 5;
    private const double LeastFall = 0.02;

    internal LearningRateCurve(IReadOnlyList<LearningRatePoint> points, int plannedSteps)
    {
        Points = points;
        var counted = points.Skip(plannedSteps / 10).SkipLast(LastPassedOver).ToList();
        Problem = ProblemOf(counted);
        if (Problem is not null)
        {
            return;
        }

        Suggestion = Valley(counted);
        Steepest = counted.Count < 2 ? null : counted[Enumerable.Range(0, counted.Count - 1).MinBy(i => Slope(counted[i], counted[i + 1]))].Rate;
        TenthOfBest = counted.Count == 0 ? null : counted.MinBy(p => p.SmoothedLoss)!.Rate / 10;
    }

    /// <summary>Rate and loss of every step.</summary>
    public IReadOnlyList<LearningRatePoint> Points { get; }

    /// <summary>Why nothing can be read from the curve, one sentence; null where something can.</summary>
    public string? Problem { get; }

    /// <summary>The rate to train with: half-way along the longest stretch over which the loss falls; null where it falls nowhere.</summary>
    public double? Suggestion { get; }

    /// <summary>The rate at which the loss falls fastest; null with too few points.</summary>
    public double? Steepest { get; }

    /// <summary>A tenth of the rate with the least loss; null with too few points.</summary>
    public double? TenthOfBest { get; }

    /// <summary>A rate with two digits.</summary>
    internal static string Text(double rate) => rate.ToString("0.#e-0", CultureInfo.InvariantCulture);

    // The noise of single batches makes any curve fall somewhere by a little.
    private static string? ProblemOf(List<LearningRatePoint> points)
    {
        if (points.Count < 2)
        {
            return "The search ended after too few steps to suggest a learning rate.";
        }

        var highest = double.NegativeInfinity;
        var fall = 0.0;
        foreach (var point in points)
        {
            highest = Math.Max(highest, point.SmoothedLoss);
            fall = Math.Max(fall, (highest - point.SmoothedLoss) / highest);
        }

        return fall >= LeastFall
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"The loss never falls by more than {100 * fall:0.0} %, from {points[0].SmoothedLoss:0.000} at {Text(points[0].Rate)} to {points[^1].SmoothedLoss:0.000} at {Text(points[^1].Rate)}: no learning rate can be suggested.");
    }

    private static double Slope(LearningRatePoint a, LearningRatePoint b) => (b.SmoothedLoss - a.SmoothedLoss) / (Math.Log(b.Rate) - Math.Log(a.Rate));

    // The longest series of points, not all neighbours, each lower than the one before; fastai takes it for as many neighbours that end where it ends.
    private static double? Valley(List<LearningRatePoint> points)
    {
        var lengths = new int[points.Count];
        var end = 0;
        for (var i = 0; i < points.Count; i++)
        {
            lengths[i] = 1 + Enumerable.Range(0, i).Where(j => points[i].SmoothedLoss < points[j].SmoothedLoss).Select(j => lengths[j]).DefaultIfEmpty(0).Max();
            end = lengths[i] > lengths[end] ? i : end;
        }

        if (points.Count == 0 || lengths[end] == 1)
        {
            return null;
        }

        var start = end - lengths[end];
        var third = (end - start) / 3.0;
        return points[Math.Max(0, start + (int)third + (int)(third / 2))].Rate;
    }
}

/// <summary>One step of a search for a learning rate.</summary>
/// <param name="Rate">Learning rate of the step.</param>
/// <param name="Loss">Loss of its batch, before the step.</param>
/// <param name="SmoothedLoss">Moving average of the losses so far, its bias taken out.</param>
public sealed record LearningRatePoint(double Rate, double Loss, double SmoothedLoss);
