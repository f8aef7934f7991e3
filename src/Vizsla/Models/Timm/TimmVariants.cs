using System.Text.Json.Nodes;

namespace Vizsla.Models.Timm;

/// <summary>The table of timm's names: <c>names.jsonl</c>, written by <c>build/timm_names.py</c> from timm 1.0.31.</summary>
internal static class TimmVariants
{
    private const string Resource = "Vizsla.Models.Timm.names.jsonl";
    private const string Owner = "timm/";
    private static readonly string[] _schemes = ["hf-hub:", "hf_hub:"];
    private static readonly Dictionary<string, string> _aliases = new(StringComparer.Ordinal);

    /// <summary>Every variant by its name, family by family.</summary>
    public static IReadOnlyDictionary<string, TimmVariant> All { get; } = Read();

    /// <summary>A name without timm's <c>hf-hub:</c>.</summary>
    public static string WithoutScheme(string name) =>
        Array.Find(_schemes, s => name.StartsWith(s, StringComparison.Ordinal)) is { } scheme ? name[scheme.Length..] : name;

    /// <summary>A name without <c>hf-hub:</c> and <c>timm/</c>.</summary>
    public static string Bare(string name) =>
        WithoutScheme(name) is var plain && plain.StartsWith(Owner, StringComparison.Ordinal) ? plain[Owner.Length..] : plain;

    /// <summary>The variant and the tag that a name stands for: <c>resnet50</c>, <c>resnet50.a1_in1k</c>, <c>timm/resnet50.a1_in1k</c>, or a name of earlier versions.</summary>
    /// <param name="name">What was asked for.</param>
    /// <returns>The variant, and the tag of the name, the default where it has none; null for a name that is not timm's.</returns>
    public static (TimmVariant Variant, string Tag)? Find(string name)
    {
        var bare = Bare(name);
        bare = _aliases.GetValueOrDefault(bare, bare);
        var dot = bare.IndexOf('.', StringComparison.Ordinal);
        return All.TryGetValue(dot < 0 ? bare : bare[..dot], out var variant)
            ? (variant, dot < 0 ? variant.DefaultTag : bare[(dot + 1)..])
            : null;
    }

    private static Dictionary<string, TimmVariant> Read()
    {
        var found = new Dictionary<string, TimmVariant>(StringComparer.Ordinal);
        using var stream = typeof(TimmVariants).Assembly.GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            var json = JsonNode.Parse(line)!.AsObject();
            var name = (string)json["name"]!;
            if (json["alias"] is { } alias)
            {
                _aliases.Add(name, (string)alias!);
                continue;
            }

            var variant = new TimmVariant(
                name,
                (string)json["class"]!,
                json["args"]!.AsObject(),
                json["cfg"]!.AsObject(),
                [.. json["tags"]!.AsObject().Select(t => KeyValuePair.Create(t.Key, t.Value!.AsObject()))])
            {
                Size = json["size"] is JsonArray size ? ((long)size[0]!, (long)size[1]!) : null,
                Accuracy = (double?)json["top1"],
            };
            if (TimmClasses.All.ContainsKey(variant.ClassName))
            {
                found.Add(name, variant);
            }
        }

        return found;
    }
}
