using System.Globalization;

namespace Vizsla.Runs.Charts;

/// <summary>Turns values into pixels along one side of a chart, and chooses round numbers to write there.</summary>
/// <param name="Low">Value at <paramref name="Start"/>.</param>
/// <param name="High">Value at <paramref name="End"/>.</param>
/// <param name="Step">From one tick to the next.</param>
/// <param name="Start">Pixel of the lowest value.</param>
/// <param name="End">Pixel of the highest value.</param>
internal sealed record ChartAxis(double Low, double High, double Step, float Start, float End)
{
    private const double LeastSpan = 1e-12;

    /// <summary>Whether values are powers of ten, so that tick -3 stands for 0.001.</summary>
    public bool IsPowers { get; init; }

    /// <summary>The round values on the axis.</summary>
    public IEnumerable<double> Ticks
    {
        get
        {
            var first = Math.Ceiling((Low / Step) - 1e-9);
            for (var i = 0; ((first + i) * Step) <= High + (Step * 1e-9); i++)
            {
                yield return (first + i) * Step;
            }
        }
    }

    /// <summary>An axis that holds all values and has about a number of ticks.</summary>
    /// <param name="values">The values; those that are not finite are passed over.</param>
    /// <param name="start">Pixel of the lowest value.</param>
    /// <param name="end">Pixel of the highest value.</param>
    /// <param name="tickCount">About how many ticks.</param>
    /// <param name="isWhole">Whether ticks are whole numbers.</param>
    /// <param name="isRounded">Whether the axis is stretched to whole steps at both ends.</param>
    public static ChartAxis Fit(IEnumerable<double> values, float start, float end, int tickCount, bool isWhole = false, bool isRounded = true)
    {
        var finite = values.Where(double.IsFinite).DefaultIfEmpty(0).ToArray();
        var (low, high) = (finite.Min(), finite.Max());
        if (high - low < Math.Max(LeastSpan, Math.Abs(high) * 1e-9))
        {
            var margin = high == 0 ? 1 : Math.Abs(high) / 2;
            (low, high) = (low - margin, high + margin);
        }

        var step = RoundStep((high - low) / tickCount);
        step = isWhole ? Math.Max(1, Math.Round(step)) : step;
        return isRounded
            ? new(Math.Floor((low / step) + 1e-9) * step, Math.Ceiling((high / step) - 1e-9) * step, step, start, end)
            : new(low, high, step, start, end);
    }

    /// <summary>The pixel of a value.</summary>
    public float Pixel(double value) => (float)(Start + ((value - Low) / (High - Low) * (End - Start)));

    /// <summary>A tick's text, with as many decimals as the step needs.</summary>
    public string Label(double tick)
    {
        if (IsPowers)
        {
            return string.Create(CultureInfo.InvariantCulture, $"1e{Math.Round(tick)}");
        }

        if (Math.Abs(tick) < Step * 1e-6)
        {
            return "0";
        }

        var largest = Math.Max(Math.Abs(Low), Math.Abs(High));
        if (largest is >= 1e6 or < 1e-3)
        {
            return tick.ToString("0.##e-0", CultureInfo.InvariantCulture);
        }

        var decimals = Math.Max(0, (int)Math.Ceiling(-Math.Log10(Step) - 1e-9));
        return tick.ToString("F" + decimals, CultureInfo.InvariantCulture);
    }

    // 1, 2 or 5 times a power of ten.
    private static double RoundStep(double span)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(span)));
        return power * (span / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
    }
}
