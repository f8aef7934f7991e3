using System.Globalization;
using System.Text.Json.Nodes;
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

/// <summary>Numbers as a person types them: <c>224</c>, <c>5, 9</c>, <c>[0.5, 0.5, 0.5]</c>.</summary>
internal static class NumberText
{
    /// <summary>The text of a value.</summary>
    public static string Write(JsonNode? value) => value switch
    {
        null => "",
        JsonArray list => string.Join(", ", list.Select(Write)),
        JsonValue text when text.TryGetValue<string>(out var word) => word,
        _ => value.ToJsonString(),
    };

    /// <summary>The value of a text: null of nothing, one number, several as a list, anything else as it is for the transform to refuse.</summary>
    public static JsonNode? Read(string text)
    {
        var parts = text.Trim().Trim('[', ']', '(', ')').Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var numbers = new List<JsonNode>();
        foreach (var part in parts)
        {
            if (long.TryParse(part, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            {
                numbers.Add(JsonValue.Create(whole));
            }
            else if (double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            {
                numbers.Add(JsonValue.Create(number));
            }
            else
            {
                return JsonValue.Create(text.Trim());
            }
        }

        return numbers.Count switch { 0 => null, 1 => numbers[0], _ => new JsonArray([.. numbers]) };
    }

    /// <summary>A number in the form of its kind: whole where it must be.</summary>
    public static JsonNode Number(double value, bool whole) => whole ? JsonValue.Create((long)Math.Round(value)) : JsonValue.Create(Math.Round(value, 6));

    /// <summary>The one or two numbers of a value; null of anything else.</summary>
    public static (double Low, double High)? Pair(JsonNode? value) => value switch
    {
        JsonArray { Count: 2 } list when One(list[0]) is { } low && One(list[1]) is { } high => (low, high),
        JsonValue when One(value) is { } number => (number, number),
        _ => null,
    };

    private static double? One(JsonNode? node) => Runs.JsonFile.Number(node);
}
