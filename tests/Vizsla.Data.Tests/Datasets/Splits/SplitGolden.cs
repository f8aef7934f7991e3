using System.Text.Json;
using Vizsla.Datasets.Splits;

namespace Vizsla.Tests.Datasets.Splits;

/// <summary>Reads sizes and rows of recorded splits.</summary>
internal static class SplitGolden
{
    /// <summary>A number with a point is a fraction, one without a count, as in Python.</summary>
    public static SplitSize Size(JsonElement value) =>
        SplitSize.TryParse(value.GetRawText(), out var size) ? size : throw new JsonException($"Not a size: {value.GetRawText()}");

    public static SplitSize? Size(JsonElement parent, string name) => parent.TryGetProperty(name, out var value) ? Size(value) : null;

    public static int[] Rows(JsonElement value) => [.. value.EnumerateArray().Select(v => v.GetInt32())];
}
