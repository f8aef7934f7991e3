namespace Vizsla.Training.Schedules;

/// <summary>Warm-up, a plateau at the base rate, then a decay to the least share.</summary>
/// <remarks>Source: transformers <c>get_wsd_schedule</c>.</remarks>
internal static class WarmupStableDecay
{
    private static readonly string[] Shapes = ["linear", "cosine", "1-sqrt"];

    public static Func<int, double> Factor(ScheduleOptions values, int warmup, int total)
    {
        var decay = (int)values.Required("num_decay_steps");
        var stable = (int)values.Number("num_stable_steps", total - warmup - decay);
        var least = values.Number("min_lr_ratio", 0);
        var cycles = values.Number("num_cycles", 0.5);
        var rise = values.Choice("warmup_type", "linear", Shapes);
        var fall = values.Choice("decay_type", "cosine", Shapes);

        return t =>
        {
            if (t < warmup)
            {
                return Raise(Rising(rise, t / (double)Math.Max(1, warmup)));
            }

            if (t < warmup + stable)
            {
                return 1.0;
            }

            return t < warmup + stable + decay ? Raise(Falling(fall, (t - warmup - stable) / (double)Math.Max(1, decay), cycles)) : least;
        };

        double Raise(double factor) => Math.Max(0.0, factor * (1.0 - least) + least);
    }

    private static double Rising(string shape, double p) => shape switch
    {
        "linear" => p,
        "cosine" => 0.5 * (1.0 - Math.Cos(Math.PI * p)),
        _ => 1.0 - Math.Sqrt(1.0 - p),
    };

    private static double Falling(string shape, double p, double cycles) => shape switch
    {
        "linear" => 1.0 - p,
        "cosine" => 0.5 * (1.0 + Math.Cos(Math.PI * cycles * 2.0 * p)),
        _ => 1.0 - Math.Sqrt(p),
    };
}
