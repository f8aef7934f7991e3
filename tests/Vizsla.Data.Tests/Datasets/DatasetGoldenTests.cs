using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Datasets;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets;

[Trait("Category", "Golden")]
public sealed class DatasetGoldenTests
{
    // Python crashes there with words that tell nothing.
    private static readonly Dictionary<string, string> s_reworded = new()
    {
        ["object of type 'NoneType' has no len()"] = "has an empty list of pictures for",
    };

    [Fact]
    public void Image_folders_have_the_recorded_splits_columns_rows_and_errors()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Golden.Require("datasets", "imagefolder.json")));
        Golden.RequireData();

        var wrong = golden.RootElement.GetProperty("cases").EnumerateArray().SelectMany(Differences).ToList();

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }

    private static IEnumerable<string> Differences(JsonElement recorded)
    {
        if (recorded.TryGetProperty("builder_name", out var builder) && builder.GetString() != "imagefolder")
        {
            yield break;
        }

        using var folder = new TemporaryFolder();
        var layout = new RecordedLayout(recorded, folder);
        layout.Build();
        IReadOnlyList<KeyValuePair<string, ImageDataset>> splits;
        string? message = null;
        try
        {
            splits = layout.Load();
        }
        catch (DatasetException e)
        {
            (splits, message) = ([], layout.Clean(e.Message));
        }

        if (recorded.TryGetProperty("error", out var error))
        {
            var cause = error.TryGetProperty("cause", out var inner) ? inner : error;
            var expected = cause.GetProperty("message").GetString()!;
            expected = s_reworded.GetValueOrDefault(expected, expected);
            if (message?.Contains(expected, StringComparison.Ordinal) != true)
            {
                yield return $"{layout.Name}: expected the error '{expected}', got {(message is null ? "rows" : $"'{message}'")}";
            }

            yield break;
        }

        if (message is not null)
        {
            yield return $"{layout.Name}: expected rows, got the error '{message}'";
            yield break;
        }

        var keys = recorded.GetProperty("splits").EnumerateObject().Select(s => s.Name).ToList();
        if (!keys.SequenceEqual(splits.Select(s => s.Key)))
        {
            yield return $"{layout.Name}: expected splits {string.Join(", ", keys)}, got {string.Join(", ", splits.Select(s => s.Key))}";
            yield break;
        }

        foreach (var (key, dataset) in splits)
        {
            var (expected, got) = (layout.Recorded(key), layout.Describe(dataset));
            if (expected != got && !IsSameInAnyOrder(layout.Name, expected, got))
            {
                yield return $"{layout.Name}: expected {expected}, got {got}";
            }

            var features = recorded.TryGetProperty("features", out var shared) ? shared : recorded.GetProperty("features_by_split").GetProperty(key);
            if (!JsonNode.DeepEquals(JsonNode.Parse(features.GetRawText()), dataset.Features.ToJson()))
            {
                yield return $"{layout.Name}: expected features {features}, got {dataset.Features.ToJson().ToJsonString()}";
            }
        }
    }

    // Python keeps the metadata files of a split in a set of strings, whose order changes from process to process.
    private static bool IsSameInAnyOrder(string name, string expected, string got) =>
        name == "metadata-two-levels" && expected.Order().SequenceEqual(got.Order());
}
