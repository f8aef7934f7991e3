using System.Text.RegularExpressions;
using Vizsla.Models;
using Vizsla.Models.Layers;

namespace Vizsla.Training.Optimizers;

/// <summary>Which parameters decay.</summary>
/// <remarks>
/// Layer norms, biases and whatever is named like a norm do not. BatchNorm weights of Hugging Face and timm models do, since their names say nothing of a norm.
/// Source: <c>Trainer.get_decay_parameter_names</c> of transformers. Parity: exact.
/// </remarks>
internal static partial class WeightDecayRule
{
    /// <summary>The names of the parameters that decay.</summary>
    public static IReadOnlySet<string> DecayedNames(ClassificationNetwork network)
    {
        var inLayerNorm = network.named_modules()
            .Where(m => m.module is LayerNormalization)
            .SelectMany(m => m.module.named_parameters(recurse: false).Select(p => $"{m.name}.{p.name}"))
            .ToHashSet(StringComparer.Ordinal);
        return network.named_parameters().Select(p => p.name)
            .Where(name => !inLayerNorm.Contains(name) && !UndecayedName().IsMatch(name.ToLowerInvariant()))
            .ToHashSet(StringComparer.Ordinal);
    }

    [GeneratedRegex(@"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)")]
    private static partial Regex UndecayedName();
}
