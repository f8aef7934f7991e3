using Vizsla.Models.Timm.EfficientNet;
using Vizsla.Models.Timm.InceptionV4;
using Vizsla.Models.Timm.ResNet;
using Vizsla.Models.Timm.Vgg;
using Vizsla.Models.Timm.Vit;

namespace Vizsla.Models.Timm;

/// <summary>timm's names, with the settings of their default weights.</summary>
/// <remarks>Source: timm 1.0.31 <c>default_cfgs</c>.</remarks>
internal static class TimmVariants
{
    /// <summary>Every variant by its name.</summary>
    public static IReadOnlyDictionary<string, TimmVariant> All { get; } = new TimmVariant[]
    {
        ResNet("resnet18", [2, 2, 2, 2], isBottleneck: false, "a1_in1k"),
        ResNet("resnet34", [3, 4, 6, 3], isBottleneck: false, "a1_in1k"),
        ResNet("resnet50", [3, 4, 6, 3], isBottleneck: true, "a1_in1k"),
        ResNet("resnet101", [3, 4, 23, 3], isBottleneck: true, "a1h_in1k"),
        EfficientNet("efficientnet_b0", new(1.0, 1.0), "ra_in1k", 224, 0.875),
        EfficientNet("efficientnet_b1", new(1.0, 1.1), "ra4_e3600_r240_in1k", 240, 0.9, usesInceptionMean: true),
        EfficientNet("efficientnet_b2", new(1.1, 1.2), "ra_in1k", 256, 0.875),
        EfficientNet("efficientnet_b3", new(1.2, 1.4), "ra2_in1k", 288, 0.875),
        EfficientNet("efficientnet_b4", new(1.4, 1.8), "ra2_in1k", 320, 0.875),
        EfficientNet("tf_efficientnet_lite0", EfficientNetShape.Lite(1.0, 1.0), "in1k", 224, 0.875, true),
        EfficientNet("tf_efficientnet_lite1", EfficientNetShape.Lite(1.0, 1.1), "in1k", 240, 0.882, true),
        EfficientNet("tf_efficientnet_lite2", EfficientNetShape.Lite(1.1, 1.2), "in1k", 260, 0.89, true),
        EfficientNet("tf_efficientnet_lite3", EfficientNetShape.Lite(1.2, 1.4), "in1k", 300, 0.904, true, "bilinear"),
        EfficientNet("tf_efficientnet_lite4", EfficientNetShape.Lite(1.4, 1.8), "in1k", 380, 0.92, true, "bilinear"),
        Vgg("vgg16", VggNetwork.Stages16, hasNorm: false),
        Vgg("vgg19", VggNetwork.Stages19, hasNorm: false),
        Vgg("vgg16_bn", VggNetwork.Stages16, hasNorm: true),
        Vgg("vgg19_bn", VggNetwork.Stages19, hasNorm: true),
        new("inception_v4", c => new InceptionV4Network(c), "tf_in1k", 299, 0.875, "bicubic", true, "features.0.conv", "last_linear"),
        Vit("vit_tiny_patch16_224", 192, 3, "augreg_in21k_ft_in1k"),
        Vit("vit_small_patch16_224", 384, 6, "augreg_in21k_ft_in1k"),
        Vit("vit_base_patch16_224", 768, 12, "augreg2_in21k_ft_in1k"),
    }.ToDictionary(v => v.Name, StringComparer.Ordinal);

    private static TimmVariant ResNet(string name, int[] depths, bool isBottleneck, string tag) => new(
        name, c => new TimmResNetNetwork(c, depths, isBottleneck), tag, 224, 0.95, "bicubic", false, "conv1", "fc");

    private static TimmVariant EfficientNet(
        string name, EfficientNetShape shape, string tag, int size, double crop, bool usesInceptionMean = false, string interpolation = "bicubic") => new(
        name, c => new TimmEfficientNetNetwork(c, shape), tag, size, crop, interpolation, usesInceptionMean, "conv_stem", "classifier");

    private static TimmVariant Vgg(string name, int[] stages, bool hasNorm) => new(
        name, c => new VggNetwork(c, stages, hasNorm), "tv_in1k", 224, 0.875, "bilinear", false, "features.0", "head.fc", "bsd-3-clause");

    private static TimmVariant Vit(string name, int width, int heads, string tag) => new(
        name, c => new TimmVitNetwork(c, width, heads), tag, 224, 0.9, "bicubic", true, "patch_embed.proj", "head");
}
