using System.Text.Json.Nodes;

namespace Vizsla.Datasets.Statistics;

/// <summary>Statistics as JSON, for programs.</summary>
public static class StatisticsJson
{
    /// <summary>Writes statistics.</summary>
    /// <param name="statistics">What was measured.</param>
    /// <returns>An object with one object for each split: <c>pictures</c>, <c>unreadable</c>, <c>bytes</c>, <c>width</c> and <c>height</c> (<c>min</c>, <c>median</c>, <c>max</c>), <c>formats</c>, <c>sizes</c>, <c>classes</c>.</returns>
    public static JsonObject Write(DatasetStatistics statistics)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        return new(statistics.Splits.Select(s => KeyValuePair.Create(s.Split, (JsonNode?)Write(s))));
    }

    private static JsonObject Write(SplitStatistics split) => new()
    {
        ["pictures"] = split.Count,
        ["unreadable"] = split.UnreadableCount,
        ["bytes"] = split.Bytes,
        ["width"] = Write(split.Width),
        ["height"] = Write(split.Height),
        ["formats"] = Write(split.Formats),
        ["sizes"] = Write([.. split.Sizes.Select(s => KeyValuePair.Create($"{s.Key.Width}x{s.Key.Height}", s.Value))]),
        ["classes"] = Write(split.Classes),
    };

    private static JsonObject Write(Spread spread) => new() { ["min"] = spread.Min, ["median"] = spread.Median, ["max"] = spread.Max };

    private static JsonObject Write(IReadOnlyList<KeyValuePair<string, int>> counts) => new(counts.Select(c => KeyValuePair.Create(c.Key, (JsonNode?)c.Value)));
}
