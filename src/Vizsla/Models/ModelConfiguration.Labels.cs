using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vizsla.Models;

/// <content>The label maps.</content>
public sealed partial class ModelConfiguration
{
    /// <summary>Replaces both label maps.</summary>
    /// <param name="labels">Class names in order of their index.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public void SetLabels(IReadOnlyList<string> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.Count == 0)
        {
            throw new ArgumentException("A classifier needs at least one label.", nameof(labels));
        }

        Id2Label = [.. labels];
        HasLabelNames = true;
        if (IsTimm)
        {
            SetTimmClassCount(labels.Count);
            Json["label_names"] = new JsonArray([.. labels.Select(l => (JsonNode)l)]);
            Json.Remove("label_descriptions");
            return;
        }

        Json.Remove("num_labels");
        Json["id2label"] = new JsonObject(Id2Label.Select((label, i) => KeyValuePair.Create(i.ToString(CultureInfo.InvariantCulture), (JsonNode?)label)));
        Json["label2id"] = new JsonObject(Label2Id.Select(l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value)));
        if (Id2Label is ["LABEL_0", "LABEL_1"])
        {
            // transformers leaves its default pair out of the file, and reconstructs it.
            Json.Remove("id2label");
            Json.Remove("label2id");
        }
    }

    /// <summary>Whether labels only number the classes, as transformers (<c>LABEL_0</c>) or timm (<c>0</c>) does where nobody named them.</summary>
    internal static bool AreNumbers(IReadOnlyList<string> labels) =>
        labels.SequenceEqual(Unnamed(labels.Count)) || labels.SequenceEqual(Enumerable.Range(0, labels.Count).Select(i => i.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The root's number counts; transformers' TimmWrapper fails where the arguments hold it too.</summary>
    private void SetTimmClassCount(int count)
    {
        Json["num_classes"] = count;
        (Json["model_args"] as JsonObject)?.Remove("num_classes");
        if (Json["pretrained_cfg"] is JsonObject pretrained && pretrained.ContainsKey("num_classes"))
        {
            pretrained["num_classes"] = count;
        }
    }

    private string[] ReadLabels() => IsTimm ? ReadTimmLabels() : ReadTransformersLabels();

    private string[] ReadTransformersLabels()
    {
        var declared = WholeNumberOrNull("num_labels");
        if (Json["id2label"] is not JsonObject map)
        {
            return Unnamed(declared ?? 2);
        }

        HasLabelNames = !map.Select(m => m.Value?.ToString()).SequenceEqual(Unnamed(map.Count));
        var labels = new string?[map.Count];
        foreach (var (key, value) in map)
        {
            if (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index >= labels.Length)
            {
                throw new ModelLoadException($"'{_origin}': id2label has {map.Count} labels and the key \"{key}\", expected the keys 0 to {map.Count - 1}.");
            }

            labels[index] = value?.ToString() ?? throw new ModelLoadException($"'{_origin}': id2label names no label for {index}.");
        }

        // Two spellings of one number, such as "1" and "01", leave a gap elsewhere.
        var gap = Array.IndexOf(labels, null);
        return gap < 0
            ? [.. labels.OfType<string>()]
            : throw new ModelLoadException($"'{_origin}': id2label has {map.Count} labels but none for {gap}.");
    }

    private string[] ReadTimmLabels()
    {
        var classes = WholeNumber("num_classes", 1000);
        if (TimmNames() is not { } names)
        {
            if (Json["id2label"] is JsonObject)
            {
                return ReadTransformersLabels();
            }

            return [.. Enumerable.Range(0, classes).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        }

        if (names.Count != classes)
        {
            throw new ModelLoadException(Invariant($"'{_origin}': num_classes is {classes}, but label_names has {names.Count} names."));
        }

        HasLabelNames = true;
        return [.. names.Select(n => n is JsonValue v && KindOf(v) == JsonValueKind.String ? v.GetValue<string>() : throw Bad("label_names", "a list of texts"))];
    }

    /// <summary>timm's names as a list: <c>label_names</c>, before 2023 <c>labels</c>, either of which may be an object from index to name.</summary>
    private JsonArray? TimmNames() => (Json["label_names"] ?? Json["labels"]) switch
    {
        JsonArray list => list,
        JsonObject map when map.All(m => int.TryParse(m.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _)) =>
            new JsonArray([.. map.OrderBy(m => int.Parse(m.Key, CultureInfo.InvariantCulture)).Select(m => m.Value?.DeepClone())]),
        _ => null,
    };

    private static string[] Unnamed(int count) =>
        [.. Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"LABEL_{i}"))];
}
