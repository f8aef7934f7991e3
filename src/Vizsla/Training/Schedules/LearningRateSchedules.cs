using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;

namespace Vizsla.Training.Schedules;

/// <summary>Makes schedules by name.</summary>
/// <remarks>Source: transformers <c>get_scheduler</c>. Parity: 1e-12.</remarks>
public static class LearningRateSchedules
{
    /// <summary>Makes a schedule.</summary>
    /// <param name="type">Its name.</param>
    /// <param name="baseRates">Base learning rate of each parameter group.</param>
    /// <param name="learningRate">The run's learning rate, to which absolute least rates relate.</param>
    /// <param name="warmupSteps">Steps that warm up, 0 or more.</param>
    /// <param name="totalSteps">Optimizer steps of the whole run.</param>
    /// <param name="options">Further values, <c>lr_scheduler_kwargs</c>; null for none.</param>
    /// <param name="greaterIsBetter">Direction of the best metric, for a plateau without <c>mode</c>.</param>
    /// <exception cref="ArgumentException">An option is unknown, missing, or out of range.</exception>
    public static Schedule Create(
        SchedulerType type, IReadOnlyList<double> baseRates, double learningRate, int warmupSteps, int totalSteps,
        JsonObject? options = null, bool greaterIsBetter = false)
    {
        ArgumentNullException.ThrowIfNull(baseRates);
        var values = new ScheduleOptions(type, options);
        if (type == SchedulerType.ReduceLrOnPlateau)
        {
            var plateau = Plateau(values, greaterIsBetter);
            values.RefuseOthers();
            return new PlateauSchedule(baseRates, plateau);
        }

        var factor = Factor(type, learningRate, warmupSteps, totalSteps, values);
        values.RefuseOthers();
        return new FactorSchedule(baseRates, factor);
    }

    private static Func<int, double> Factor(SchedulerType type, double rate, int warmup, int total, ScheduleOptions values)
    {
        // Length of what follows the warm-up, never 0.
        double length = Math.Max(1, total - warmup);
        Func<int, double> WarmUpThen(Func<int, double> then) => t => t < warmup ? t / (double)Math.Max(1, warmup) : then(t);

        switch (type)
        {
            case SchedulerType.Linear:
                return WarmUpThen(t => Math.Max(0.0, (total - t) / length));

            case SchedulerType.Cosine:
                return WarmUpThen(Cosine(values.Number("num_cycles", 0.5), 0));

            case SchedulerType.CosineWithRestarts:
                var restarts = values.Number("num_cycles", 1);
                return WarmUpThen(t => (t - warmup) / length is var p && p >= 1.0
                    ? 0.0
                    : Math.Max(0.0, 0.5 * (1.0 + Math.Cos(Math.PI * (restarts * p % 1.0)))));

            case SchedulerType.Polynomial:
                return WarmUpThen(Polynomial(rate, values.Number("lr_end", 1e-7), values.Number("power", 1.0), warmup, total));

            case SchedulerType.Constant:
                return _ => 1.0;

            case SchedulerType.ConstantWithWarmup:
                return WarmUpThen(_ => 1.0);

            case SchedulerType.InverseSqrt:
                var timescale = values.Number("timescale", warmup > 0 ? warmup : 10_000);
                return WarmUpThen(t => 1.0 / Math.Sqrt((t + (timescale - warmup)) / timescale));

            case SchedulerType.CosineWithMinLr:
                return WarmUpThen(Cosine(values.Number("num_cycles", 0.5), values.LeastShare(rate)));

            case SchedulerType.CosineWarmupWithMinLr:
                return CosineAfterRaisedWarmup(values.Number("num_cycles", 0.5), values.LeastShare(rate), values.Optional("warmup_lr_rate"), warmup, length);

            case SchedulerType.WarmupStableDecay:
                return WarmupStableDecay.Factor(values, warmup, total);

            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "Not a schedule of steps.");
        }

        Func<int, double> Cosine(double cycles, double least) => t =>
        {
            var factor = 0.5 * (1.0 + Math.Cos(Math.PI * cycles * 2.0 * ((t - warmup) / length)));
            return Math.Max(0.0, factor * (1 - least) + least);
        };
    }

    private static Func<int, double> Polynomial(double rate, double end, double power, int warmup, int total)
    {
        if (rate <= end)
        {
            throw new ArgumentException(Invariant($"lr_scheduler_kwargs: lr_end is {end:g} but must be below the learning rate {rate:g}."));
        }

        return t => t > total || total == warmup
            ? end / rate
            : ((rate - end) * Math.Pow(1 - (t - warmup) / (double)(total - warmup), power) + end) / rate;
    }

    private static Func<int, double> CosineAfterRaisedWarmup(double cycles, double least, double? first, int warmup, double length) => t =>
    {
        if (t < warmup)
        {
            return first is { } share ? share + (1.0 - share) * t / Math.Max(1, warmup - 1) : (t + 1.0) / Math.Max(1.0, warmup);
        }

        var factor = 0.5 * (1.0 + Math.Cos(Math.PI * cycles * 2.0 * ((t - warmup + 1.0) / length)));
        return Math.Max(0.0, factor * (1 - least) + least);
    };

    private static PlateauOptions Plateau(ScheduleOptions values, bool greaterIsBetter) => new(
        GreaterIsBetter: values.Choice("mode", greaterIsBetter ? "max" : "min", "min", "max") == "max",
        Factor: values.Number("factor", 0.1),
        Patience: (int)values.Number("patience", 10),
        Threshold: values.Number("threshold", 1e-4),
        IsAbsolute: values.Choice("threshold_mode", "rel", "rel", "abs") == "abs",
        Cooldown: (int)values.Number("cooldown", 0),
        LeastRate: values.Number("min_lr", 0),
        Epsilon: values.Number("eps", 1e-8));
}

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

/// <summary>Reads <c>lr_scheduler_kwargs</c> and notes which names a schedule knows.</summary>
internal sealed class ScheduleOptions(SchedulerType type, JsonObject? options)
{
    private readonly List<string> _known = [];

    public double? Optional(string name)
    {
        _known.Add(name);
        try
        {
            return options?.Number(name);
        }
        catch (FormatException)
        {
            throw new ArgumentException($"lr_scheduler_kwargs: '{name}' is {options![name]!.ToJsonString()}, expected a number.");
        }
    }

    public double Number(string name, double otherwise) => Optional(name) ?? otherwise;

    public double Required(string name) =>
        Optional(name) ?? throw new ArgumentException($"lr_scheduler_kwargs: the schedule '{Name}' needs '{name}'.");

    public string Choice(string name, string otherwise, params string[] choices)
    {
        _known.Add(name);
        var value = options?[name] is { } given ? given.ToString() : otherwise;
        return choices.Contains(value)
            ? value
            : throw new ArgumentException($"lr_scheduler_kwargs: '{name}' is '{value}'. Known: {string.Join(", ", choices)}.{Suggestion.DidYouMean(value, choices)}");
    }

    /// <summary>The least rate as a share of the learning rate, from <c>min_lr</c> or <c>min_lr_rate</c>.</summary>
    public double LeastShare(double rate) => (Optional("min_lr"), Optional("min_lr_rate")) switch
    {
        (not null, not null) => throw new ArgumentException("lr_scheduler_kwargs: give 'min_lr' or 'min_lr_rate', not both."),
        ({ } least, null) => least / rate,
        (null, { } share) => share,
        _ => throw new ArgumentException($"lr_scheduler_kwargs: the schedule '{Name}' needs 'min_lr' or 'min_lr_rate'."),
    };

    /// <exception cref="ArgumentException">A name was given that the schedule never asked for.</exception>
    public void RefuseOthers()
    {
        if (options?.Select(o => o.Key).FirstOrDefault(key => !_known.Contains(key)) is { } unknown)
        {
            var known = _known.Count == 0 ? "none" : string.Join(", ", _known);
            throw new ArgumentException($"lr_scheduler_kwargs: the schedule '{Name}' does not know '{unknown}'. Known: {known}.{Suggestion.DidYouMean(unknown, _known)}");
        }
    }

    private string Name => SnakeCase.Of(type);
}
