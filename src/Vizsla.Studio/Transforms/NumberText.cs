using System.Globalization;
using System.Text.Json.Nodes;

namespace Vizsla.Studio.Transforms;

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
