using System.Globalization;
using Vizsla.Hub.Cards;
using System.Text.Json.Nodes;

namespace Vizsla.Adapters;

/// <summary>The README.md of an adapter: the metadata that PEFT writes, and how it is used.</summary>
/// <remarks>Source: <c>PeftModel.create_or_update_model_card</c> of PEFT 0.21.</remarks>
internal static class AdapterCard
{
    /// <summary>The file's name.</summary>
    public const string FileName = "README.md";

    /// <summary>What a Hub sorts adapters by.</summary>
    public static IReadOnlyList<string> Tags(AdapterConfig config) =>
    [
        .. config.BaseModelNameOrPath is { } source && !Path.Exists(source) ? [$"base_model:adapter:{source}"] : Array.Empty<string>(),
        config.PeftType.ToLowerInvariant(),
        "transformers",
    ];

    /// <summary>A card for an adapter without a run.</summary>
    public static string Write(AdapterConfig config)
    {
        var metadata = new JsonObject { ["library_name"] = "peft" };
        if (config.BaseModelNameOrPath is { } source)
        {
            metadata["base_model"] = source;
        }

        metadata["tags"] = new JsonArray([.. Tags(config).Order(StringComparer.Ordinal).Select(t => (JsonNode)t)]);
        return $"---\n{YamlWriter.Write(metadata, allowUnicode: false)}---\n\nAn adapter of the kind {config.PeftType} for `{config.BaseModelNameOrPath ?? "a base model"}`.\n{PythonUse(config, "path/to/adapter", null)}";
    }

    /// <summary>How the adapter is loaded in Python.</summary>
    /// <param name="config">Its configuration.</param>
    /// <param name="place">Its folder or repository.</param>
    /// <param name="labelCount">Number of classes; null leaves them to the base model.</param>
    public static string PythonUse(AdapterConfig config, string place, int? labelCount) => string.Create(CultureInfo.InvariantCulture, $$"""

        In Python:

        ```python
        from peft import PeftModel
        from transformers import AutoModelForImageClassification

        base = AutoModelForImageClassification.from_pretrained("{{config.BaseModelNameOrPath ?? "path/to/base"}}"{{(labelCount is { } n ? $", num_labels={n}, ignore_mismatched_sizes=True" : "")}})
        model = PeftModel.from_pretrained(base, "{{place}}")
        ```

        """);
}
