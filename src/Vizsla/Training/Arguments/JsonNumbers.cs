using System.Text.Json.Nodes;

namespace Vizsla.Training.Arguments;

/// <summary>Numbers of JSON whatever .NET type they were made of: files give <see cref="long"/>, code may give <see cref="int"/>.</summary>
internal static class JsonNumbers
{
    /// <summary>The number; null where the key is absent or null.</summary>
    /// <exception cref="FormatException">The value is not a number.</exception>
    public static double? Number(this JsonObject json, string key) => json[key] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<double>(out var number) => number,
        JsonValue value when value.TryGetValue<long>(out var whole) => whole,
        JsonValue value when value.TryGetValue<int>(out var whole) => whole,
        _ => throw new FormatException($"'{key}' is not a number."),
    };

    /// <summary>The whole number; null where the key is absent or null.</summary>
    /// <exception cref="FormatException">The value is not a whole number.</exception>
    public static int? Whole(this JsonObject json, string key) => json.Number(key) is not { } number ? null
        : number == Math.Floor(number) ? checked((int)number)
        : throw new FormatException($"'{key}' is not a whole number.");

    /// <summary>The numbers of a list.</summary>
    /// <exception cref="FormatException">One is not a number.</exception>
    public static double[] Numbers(this JsonArray list) =>
        [.. list.Select(item => new JsonObject { ["item"] = item?.DeepClone() }.Number("item") ?? throw new FormatException("A list of numbers holds null."))];
}
