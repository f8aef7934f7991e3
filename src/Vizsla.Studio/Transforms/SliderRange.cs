using Vizsla.Transforms;

namespace Vizsla.Studio.Transforms;

/// <summary>From where to where a slider goes; other values can still be typed.</summary>
/// <param name="Low">Left end.</param>
/// <param name="High">Right end.</param>
/// <param name="Step">Distance between two places.</param>
public sealed record SliderRange(double Low, double High, double Step)
{
    // Where the allowed range is open or far wider than what anybody wants.
    private static readonly Dictionary<string, (double Low, double High)> Known = new(StringComparer.Ordinal)
    {
        ["degrees"] = (-180, 180),
        ["shear"] = (-60, 60),
        ["alpha"] = (0, 250),
        ["sigma"] = (0.1, 10),
        ["brightness"] = (0, 2),
        ["contrast"] = (0, 2),
        ["saturation"] = (0, 2),
        ["hue"] = (-0.5, 0.5),
        ["scale"] = (0, 2),
        ["ratio"] = (0.2, 4),
        ["side_range"] = (1, 5),
        ["scale_range"] = (0.1, 3),
        ["sharpness_factor"] = (0, 10),
        ["magnitude"] = (0, 30),
        ["num_ops"] = (0, 8),
        ["num_magnitude_bins"] = (2, 64),
        ["mixture_width"] = (1, 8),
        ["chain_depth"] = (-1, 6),
        ["max_size"] = (1, 1000),
    };

    /// <summary>The range of a parameter.</summary>
    /// <param name="parameter">One that holds numbers.</param>
    /// <param name="pair">Whether both ends of a pair are set: a single number for degrees or hue is never negative.</param>
    public static SliderRange Of(TransformParameter parameter, bool pair)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        var (low, high) = Known.TryGetValue(parameter.Name, out var known) ? known : (parameter.Minimum, parameter.Maximum);
        low = Math.Max(double.IsFinite(low) ? low : 0, parameter.Minimum);
        high = Math.Min(double.IsFinite(high) ? high : 10, parameter.Maximum);
        if (parameter.Kind == ParameterKind.NumberOrPair && !pair)
        {
            low = Math.Max(low, 0);
        }

        var whole = parameter.Kind == ParameterKind.WholeNumber;
        return new(low, high, whole || high - low > 100 ? 1 : high - low > 10 ? 0.5 : 0.01);
    }
}
