using Vizsla.Models.Beit;
using Vizsla.Models.ConvNext;
using Vizsla.Models.Deit;
using Vizsla.Models.Dinov2;
using Vizsla.Models.EfficientNet;
using Vizsla.Models.MobileNetV2;
using Vizsla.Models.ResNet;
using Vizsla.Models.Swin;
using Vizsla.Models.Timm;
using Vizsla.Models.Vit;
using Vizsla.Primitives;

namespace Vizsla.Models;

/// <summary>The table of architectures: what a <c>config.json</c> may ask for, and the sizes that start from random weights.</summary>
public static class Architectures
{
    /// <summary>Every architecture by its <c>model_type</c>.</summary>
    public static IReadOnlyDictionary<string, Architecture> All { get; } = new Architecture[]
    {
        new(BeitNames.ModelType, [BeitNames.ClassName], c => new BeitNetwork(c)),
        new(ConvNextNames.ModelType, [ConvNextNames.ClassName], c => new ConvNextNetwork(c)),
        new(DeitNames.ModelType, [DeitNames.ClassName, DeitNames.TeacherClassName], c => new DeitNetwork(c)),
        new(Dinov2Names.ModelType, [Dinov2Names.ClassName], c => new Dinov2Network(c)),
        new(EfficientNetNames.ModelType, [EfficientNetNames.ClassName], c => new EfficientNetNetwork(c)),
        new(MobileNetV2Names.ModelType, [MobileNetV2Names.ClassName], c => new MobileNetV2Network(c)),
        new(ResNetNames.ModelType, [ResNetNames.ClassName], c => new ResNetNetwork(c)),
        new(SwinNames.ModelType, [SwinNames.ClassName], c => new SwinNetwork(c)),
        new(VitNames.ModelType, [VitNames.ClassName], c => new VitNetwork(c)),
    }.ToDictionary(a => a.ModelType, StringComparer.Ordinal);

    /// <summary>Names of the configurations that start from random weights: sizes of Vision Transformers, and timm's names.</summary>
    public static IReadOnlyList<string> Variants { get; } = [.. VitVariants.All.Keys, .. TimmVariants.All.Keys];

    /// <summary>Builds the network of a configuration; its weights are not drawn.</summary>
    /// <param name="configuration">A model's configuration; its labels give the width of the head.</param>
    /// <exception cref="ModelLoadException">The architecture is not known, or its numbers do not fit together.</exception>
    public static ClassificationNetwork Build(ModelConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.IsTimm ? FindTimm(configuration.Text("architecture", "")).Make(configuration) : Find(configuration).Make(configuration);
    }

    /// <summary>The configuration of a named size.</summary>
    /// <param name="name">One of <see cref="Variants"/>.</param>
    /// <param name="imageSize">Side of the pictures in pixels; null takes the size's own.</param>
    /// <exception cref="ModelLoadException">The name is not known; the message lists those that are.</exception>
    public static ModelConfiguration Variant(string name, int? imageSize = null)
    {
        if (VitVariants.All.TryGetValue(name, out var make))
        {
            return make(imageSize);
        }

        if (TimmVariants.All.TryGetValue(name, out var timm))
        {
            return (imageSize is { } side ? timm with { ImageSize = side } : timm).Configuration();
        }

        throw new ModelLoadException($"Unknown model '{name}'. Known: {string.Join(", ", Variants)}.{Suggestion.DidYouMean(name, Variants)}");
    }

    private static Architecture Find(ModelConfiguration configuration)
    {
        var type = configuration.ModelType;
        return All.TryGetValue(type, out var architecture)
            ? architecture
            : throw new ModelLoadException($"Unknown model type '{type}'. Known: {string.Join(", ", All.Keys.Order(StringComparer.Ordinal))}.{Suggestion.DidYouMean(type, All.Keys)}");
    }

    private static TimmVariant FindTimm(string name) =>
        TimmVariants.All.TryGetValue(name, out var variant)
            ? variant
            : throw new ModelLoadException(
                $"Unknown architecture '{name}'. Known of timm: {string.Join(", ", TimmVariants.All.Keys)}.{Suggestion.DidYouMean(name, TimmVariants.All.Keys)}");
}
