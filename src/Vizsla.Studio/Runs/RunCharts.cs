using Vizsla.Studio.Layout;

namespace Vizsla.Studio.Runs;

/// <summary>The curves of one run or of several over one another.</summary>
internal static class RunCharts
{
    private static readonly string[] First = ["loss", "eval_loss", "eval_accuracy"];
    private static readonly string[] Last = ["learning_rate", "grad_norm", "images_per_second", "train_samples_per_second", "eval_samples_per_second"];
    private static readonly string[] NoCurve = ["eval_runtime", "eval_steps_per_second", "total_flos", "train_runtime", "train_steps_per_second", "train_loss"];

    /// <summary>Every chart for which a run has at least one number.</summary>
    /// <param name="runs">Runs with the color of each.</param>
    /// <param name="axis">What stands below: <c>step</c>, <c>epoch</c> or <c>time</c>.</param>
    /// <param name="smoothing">Weight of the past, 0 to below 1.</param>
    /// <param name="logarithmic">Whether losses, rates and norms stand on a logarithmic axis.</param>
    public static IReadOnlyList<(string Title, Figure Figure)> All(
        IReadOnlyList<(RunSnapshot Run, string Color)> runs, string axis, double smoothing, bool logarithmic)
    {
        var names = runs.SelectMany(r => r.Run.Rows).SelectMany(r => r.Values.Keys).Distinct().Where(n => !NoCurve.Contains(n)).ToList();
        var charts = new List<(string, Figure)>();
        if (names.Contains("loss") || names.Contains("eval_loss"))
        {
            charts.Add(("Loss", Lines(runs, ["loss", "eval_loss"], axis, smoothing, logarithmic)));
        }

        foreach (var name in names.Except(First).Except(Last).Prepend("eval_accuracy").Concat(Last).Where(names.Contains))
        {
            var positive = Last.Contains(name) || RunEvents.SmallerIsBetter(name);
            charts.Add((Title(name), Lines(runs, [name], axis, smoothing, logarithmic && positive)));
        }

        return charts;
    }

    private static Figure Lines(
        IReadOnlyList<(RunSnapshot Run, string Color)> runs, IReadOnlyList<string> names, string axis, double smoothing, bool logarithmic)
    {
        var lines = new List<Figure.Line>();
        foreach (var (run, color) in runs)
        {
            foreach (var (name, dashed) in names.Select((n, i) => (n, i > 0)))
            {
                var points = Points(run, name, axis);
                if (points.Count == 0)
                {
                    continue;
                }

                var label = names.Count == 1 ? run.Name : $"{run.Name} · {(dashed ? "validation" : "training")}";
                // Evaluations are few and exact: smoothing would only shift them.
                var weight = name.StartsWith("eval_", StringComparison.Ordinal) ? 0 : smoothing;
                if (weight > 0)
                {
                    lines.Add(new(label, color, points, Pale: true));
                }

                lines.Add(new(label, runs.Count == 1 && dashed ? Theme.Series[color == Theme.Series[1] ? 0 : 1] : color, Smoothing.Apply(points, weight), Dashed: dashed && runs.Count > 1));
            }
        }

        return Figure.Lines(lines, axis == "time" ? "minutes" : axis, logarithmic);
    }

    private static List<(double X, double Y)> Points(RunSnapshot run, string name, string axis)
    {
        var points = new List<(double, double)>();
        foreach (var row in run.Rows)
        {
            var x = axis switch { "time" => row.Seconds / 60, "epoch" => row.Epoch, _ => row.Step };
            if (x is { } at && row[name] is { } y)
            {
                points.Add((at, y));
            }
        }

        return points;
    }

    private static string Title(string name) => name switch
    {
        "learning_rate" => "Learning rate",
        "grad_norm" => "Gradient norm",
        "images_per_second" or "train_samples_per_second" => "Images per second, training",
        "eval_samples_per_second" => "Images per second, evaluation",
        _ => char.ToUpperInvariant(RunText.Metric(name)[0]) + RunText.Metric(name)[1..],
    };
}

/// <summary>How curves are drawn.</summary>
/// <param name="Axis">What stands below: <c>step</c>, <c>epoch</c> or <c>time</c>.</param>
/// <param name="Smoothing">Weight of the past, 0 to 0.99.</param>
/// <param name="Logarithmic">Whether losses, rates and norms stand on a logarithmic axis.</param>
public sealed record CurveSettings(string Axis = "step", double Smoothing = 0, bool Logarithmic = false)
{
    /// <summary>The three choices of what stands below.</summary>
    public static IReadOnlyList<string> Axes { get; } = ["step", "epoch", "time"];

    /// <summary>What an address says, put right where it is wrong.</summary>
    /// <param name="axis">One of <see cref="Axes"/>; anything else is <c>step</c>.</param>
    /// <param name="smoothing">Brought into 0 to 0.99.</param>
    /// <param name="logarithmic">Absent is false.</param>
    public static CurveSettings From(string? axis, double? smoothing, bool? logarithmic) =>
        new(axis is not null && Axes.Contains(axis) ? axis : "step", Math.Clamp(smoothing ?? 0, 0, 0.99), logarithmic ?? false);

    /// <summary>The parts of an address that say so; null for what goes without saying.</summary>
    public IReadOnlyList<KeyValuePair<string, object?>> ToAddress() =>
        [new("x", Axis == "step" ? null : Axis), new("smooth", Smoothing > 0 ? Smoothing : null), new("log", Logarithmic ? true : null)];
}

/// <summary>Smoothing of noisy curves.</summary>
internal static class Smoothing
{
    /// <summary>Exponential moving average, corrected for its start.</summary>
    /// <param name="points">From left to right.</param>
    /// <param name="weight">Weight of the past, 0 (none) to below 1.</param>
    /// <remarks>Source: TensorBoard's smoothing of scalars.</remarks>
    public static IReadOnlyList<(double X, double Y)> Apply(IReadOnlyList<(double X, double Y)> points, double weight)
    {
        if (weight <= 0)
        {
            return points;
        }

        var smooth = new (double, double)[points.Count];
        double last = 0, correction = 0;
        for (var i = 0; i < smooth.Length; i++)
        {
            if (double.IsFinite(points[i].Y))
            {
                last = (last * weight) + ((1 - weight) * points[i].Y);
                correction = (correction * weight) + (1 - weight);
                smooth[i] = (points[i].X, last / correction);
            }
            else
            {
                smooth[i] = points[i];
            }
        }

        return smooth;
    }
}
