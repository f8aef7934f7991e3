using System.Text.Json.Nodes;

namespace Vizsla.Training.Reports;

/// <summary>The metadata of a model card, which the Hub reads.</summary>
/// <remarks>Source: <c>TrainingSummary.create_metadata</c> of transformers' <c>modelcard.py</c>. Parity: keys, order and values.</remarks>
internal static class CardFrontMatter
{
    // The only metrics that Python's cards list.
    private static readonly string[] KnownMetrics = ["accuracy", "f1", "matthews_correlation", "precision", "recall"];

    /// <summary>The metadata of a card.</summary>
    /// <param name="facts">What it is filled from.</param>
    /// <param name="summary">The results.</param>
    public static JsonObject Of(CardFacts facts, LogSummary summary)
    {
        var metadata = new JsonObject { ["library_name"] = "transformers" };
        if (facts.BaseModel is not null)
        {
            metadata["base_model"] = facts.BaseModel;
        }

        metadata["tags"] = new JsonArray("image-classification", "vision", "generated_from_trainer");
        var dataset = DatasetOf(facts);
        if (dataset is not null)
        {
            metadata["datasets"] = new JsonArray(dataset);
        }

        var metrics = summary.Results.Where(r => KnownMetrics.Contains(Tag(r.Name))).ToArray();
        if (metrics.Length > 0)
        {
            metadata["metrics"] = new JsonArray([.. metrics.Select(r => (JsonNode)Tag(r.Name))]);
        }

        metadata["model-index"] = new JsonArray(new JsonObject
        {
            ["name"] = facts.Name,
            ["results"] = dataset is null || metrics.Length == 0 ? new JsonArray() : new JsonArray(Result(facts, dataset, metrics)),
        });
        return metadata;
    }

    /// <summary>The dataset's tag; null where it is not known.</summary>
    public static string? DatasetOf(CardFacts facts) => facts.Splits.Select(s => s.HubName).FirstOrDefault(n => n is not null)
        ?? (facts.Splits.Any(s => s.IsFolder) ? "imagefolder" : null);

    private static JsonObject Result(CardFacts facts, string dataset, (string Name, double Value)[] metrics) => new()
    {
        ["task"] = new JsonObject { ["name"] = "Image Classification", ["type"] = "image-classification" },
        ["dataset"] = new JsonObject
        {
            ["name"] = dataset,
            ["type"] = dataset,
            ["config"] = "default",
            ["split"] = facts.Splits[^1].Name ?? "train",
            ["args"] = "default",
        },
        ["metrics"] = new JsonArray([.. metrics.Select(r => (JsonNode)new JsonObject { ["name"] = r.Name, ["type"] = Tag(r.Name), ["value"] = r.Value })]),
    };

    private static string Tag(string name) => name.ToLowerInvariant();
}
