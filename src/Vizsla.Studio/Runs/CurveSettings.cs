namespace Vizsla.Studio.Runs;

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
}
