using System.Text.RegularExpressions;
using Vizsla.Models;

namespace Vizsla.Adapters;

/// <summary>In which words an adapter's files name the layers of its base model.</summary>
public enum AdapterSpelling
{
    /// <summary>As transformers 4 and the files of the models themselves: <c>attention.attention.query</c>.</summary>
    Transformers4,

    /// <summary>As transformers 5 has them in memory: <c>attention.q_proj</c>. Differs for ViT, DeiT, BEiT, DINOv2, Swin and SegFormer.</summary>
    Transformers5,
}

/// <summary>Names of layers in the spelling of transformers 5, which renamed some: its PEFT finds a target, and this library either.</summary>
/// <remarks>Source: transformers 5 <c>conversion_mapping.py</c>, and the names of its modules.</remarks>
internal static class AdapterNames
{
    /// <summary>What the names in an adapter's file begin with.</summary>
    public const string Prefix = "base_model.model.";

    // transformers holds a network of timm's below this name.
    private const string TimmWrapper = "timm_model.";

    private static readonly (string Pattern, string Replacement)[] Blocks = [(@"(?<=^\w+\.)encoder\.layer\.(?=\d+\.)", "layers.")];

    private static readonly (string Pattern, string Replacement)[] Attention =
    [
        (@"\.attention\.(?:attention|self)\.query(?=\.|$)", ".attention.q_proj"),
        (@"\.attention\.(?:attention|self)\.key(?=\.|$)", ".attention.k_proj"),
        (@"\.attention\.(?:attention|self)\.value(?=\.|$)", ".attention.v_proj"),
        (@"\.attention\.output\.dense(?=\.|$)", ".attention.o_proj"),
    ];

    private static readonly (string Pattern, string Replacement)[] FeedForward =
    [
        (@"(?<=\.\d+)\.intermediate\.dense(?=\.|$)", ".mlp.fc1"),
        (@"(?<=\.\d+)\.output\.dense(?=\.|$)", ".mlp.fc2"),
    ];

    private static readonly (string Pattern, string Replacement)[] Stages =
    [
        (@"encoder\.patch_embeddings\.(\d+)", "stages.$1.patch_embeddings"),
        (@"encoder\.block\.(\d+)\.(\d+)", "stages.$1.blocks.$2"),
        (@"encoder\.layer_norm\.(\d+)", "stages.$1.layer_norm"),
        (@"\.attention\.self\.sr(?=\.|$)", ".attention.sequence_reduction.sequence_reduction"),
        (@"\.attention\.self\.layer_norm(?=\.|$)", ".attention.sequence_reduction.layer_norm"),
        (@"\.layer_norm_1(?=\.|$)", ".layernorm_before"),
        (@"\.layer_norm_2(?=\.|$)", ".layernorm_after"),
        (@"\.mlp\.dense(\d)", ".mlp.fc$1"),
    ];

    private static readonly Dictionary<string, (string Pattern, string Replacement)[]> Families = new(StringComparer.Ordinal)
    {
        ["beit"] = [.. Blocks, .. Attention, .. FeedForward],
        ["deit"] = [.. Blocks, .. Attention, .. FeedForward],
        ["ijepa"] = [.. Blocks, .. Attention, .. FeedForward],
        ["vit"] = [.. Blocks, .. Attention, .. FeedForward],
        ["vit_msn"] = [.. Blocks, .. Attention, .. FeedForward],
        ["dinov2"] = Attention,
        ["dinov2_with_registers"] = Attention,
        ["segformer"] = [.. Stages, .. Attention],
        ["swin"] = [.. Attention, .. FeedForward],
    };

    /// <summary>A name of a layer or weight, as in the model's own file, in a spelling.</summary>
    public static string Spell(ClassificationNetwork network, string name, AdapterSpelling spelling)
    {
        if (spelling == AdapterSpelling.Transformers5 && Families.TryGetValue(network.Configuration.ModelType, out var rules))
        {
            foreach (var (pattern, replacement) in rules)
            {
                name = Regex.Replace(name, pattern, replacement, RegexOptions.CultureInvariant);
            }
        }

        return name;
    }

    /// <summary>A name in every spelling that is understood; the first is that of the model's own file.</summary>
    public static IReadOnlyList<string> Spellings(ClassificationNetwork network, string name)
    {
        var five = Spell(network, name, AdapterSpelling.Transformers5);
        return [.. new[] { name, five, network.Configuration.IsTimm ? TimmWrapper + name : name }.Distinct(StringComparer.Ordinal)];
    }
}
