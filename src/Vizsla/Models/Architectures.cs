using System.Collections.Concurrent;
using Vizsla.Models.Families;
using Vizsla.Models.Timm;
using Vizsla.Primitives;

namespace Vizsla.Models;

/// <summary>The table of architectures: what a <c>config.json</c> may ask for, and the sizes that start from random weights.</summary>
public static class Architectures
{
    /// <summary>Every architecture by its <c>model_type</c>.</summary>
    public static IReadOnlyDictionary<string, Architecture> All { get; } = new Architecture[]
    {
        new(BeitNetwork.ModelType, [BeitNetwork.Name], c => new BeitNetwork(c)),
        new(BitNetwork.ModelType, [BitNetwork.Name], c => new BitNetwork(c)),
        new(ClipNetwork.ModelType, [ClipNetwork.Name], c => new ClipNetwork(c)),
        new(ClipNetwork.SiglipType, [ClipNetwork.SiglipName], ClipNetwork.Siglip),
        new(ConvNextNetwork.ModelType, [ConvNextNetwork.Name], c => new ConvNextNetwork(c)),
        new(ConvNextNetwork.SecondType, [ConvNextNetwork.SecondName], ConvNextNetwork.Second),
        new(ConvNextNetwork.Dinov3Type, [ConvNextNetwork.Dinov3Name], ConvNextNetwork.Dinov3),
        new(CvtNetwork.ModelType, [CvtNetwork.Name], c => new CvtNetwork(c)),
        new(BeitNetwork.Data2VecType, [BeitNetwork.Data2VecName], BeitNetwork.Data2Vec),
        new(DeitNetwork.ModelType, [DeitNetwork.Name, DeitNetwork.TeacherName], c => new DeitNetwork(c)),
        new(Dinov2Network.ModelType, [Dinov2Network.Name], c => new Dinov2Network(c)),
        new(Dinov2Network.RegistersType, [Dinov2Network.RegistersName], Dinov2Network.WithRegisters),
        new(Dinov3Network.ModelType, [Dinov3Network.Name], c => new Dinov3Network(c)),
        new(EfficientNetNetwork.ModelType, [EfficientNetNetwork.Name], c => new EfficientNetNetwork(c)),
        new(FocalNetNetwork.ModelType, [FocalNetNetwork.Name], c => new FocalNetNetwork(c)),
        new(LevitNetwork.ModelType, [LevitNetwork.Name, LevitNetwork.TeacherName], c => new LevitNetwork(c)),
        new(HgNetV2Network.ModelType, [HgNetV2Network.Name], c => new HgNetV2Network(c)),
        new(HieraNetwork.ModelType, [HieraNetwork.Name], c => new HieraNetwork(c)),
        new(MobileNetV1Network.ModelType, [MobileNetV1Network.Name], c => new MobileNetV1Network(c)),
        new(MobileNetV2Network.ModelType, [MobileNetV2Network.Name], c => new MobileNetV2Network(c)),
        new(MobileVitNetwork.ModelType, [MobileVitNetwork.Name], c => new MobileVitNetwork(c)),
        new(MobileVitV2Network.ModelType, [MobileVitV2Network.Name], c => new MobileVitV2Network(c)),
        new(PoolFormerNetwork.ModelType, [PoolFormerNetwork.Name], c => new PoolFormerNetwork(c)),
        new(PpLcNetNetwork.ModelType, [PpLcNetNetwork.Name], c => new PpLcNetNetwork(c)),
        new(PvtNetwork.ModelType, [PvtNetwork.Name], c => new PvtNetwork(c)),
        new(PvtV2Network.ModelType, [PvtV2Network.Name], c => new PvtV2Network(c)),
        new(PvtV2Network.SegformerType, [PvtV2Network.SegformerName], PvtV2Network.Segformer),
        new(RegNetNetwork.ModelType, [RegNetNetwork.Name], c => new RegNetNetwork(c)),
        new(ResNetNetwork.ModelType, [ResNetNetwork.Name], c => new ResNetNetwork(c)),
        new(SwiftFormerNetwork.ModelType, [SwiftFormerNetwork.Name], c => new SwiftFormerNetwork(c)),
        new(SwinNetwork.ModelType, [SwinNetwork.Name], c => new SwinNetwork(c)),
        new(SwinNetwork.DonutType, [SwinNetwork.DonutName], SwinNetwork.Donut),
        new(Swinv2Network.ModelType, [Swinv2Network.Name], c => new Swinv2Network(c)),
        new(TextNetNetwork.ModelType, [TextNetNetwork.Name], c => new TextNetNetwork(c)),
        new(VitNetwork.ModelType, [VitNetwork.Name], c => new VitNetwork(c)),
        new(VitNetwork.IJepaType, [VitNetwork.IJepaName], VitNetwork.IJepa),
        new(VitNetwork.MaeType, [VitNetwork.Name], VitNetwork.Mae),
        new(VitNetwork.MsnType, [VitNetwork.MsnName], VitNetwork.Msn),
    }.ToDictionary(a => a.ModelType, StringComparer.Ordinal);

    private static readonly ConcurrentDictionary<string, Architecture> s_registered = new(StringComparer.Ordinal);

    /// <summary>Adds an architecture of the application, for every model that is loaded or made from here on; an extension point.</summary>
    /// <param name="architecture">Its <c>model_type</c>, its Python classes, and what builds it.</param>
    /// <exception cref="ArgumentException">There is an architecture of this <c>model_type</c> in <see cref="All"/>.</exception>
    public static void Register(Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        if (All.ContainsKey(architecture.ModelType))
        {
            throw new ArgumentException($"There is an architecture '{architecture.ModelType}' already; give another model_type.", nameof(architecture));
        }

        s_registered[architecture.ModelType] = architecture;
    }

    /// <summary>Names of the configurations that start from random weights: sizes of Vision Transformers, and timm's names.</summary>
    public static IReadOnlyList<string> Variants { get; } = [.. VitNetwork.Variants.Keys, .. TimmVariants.All.Keys];

    /// <summary>Builds the network of a configuration; its weights are not drawn.</summary>
    /// <param name="configuration">A model's configuration; its labels give the width of the head.</param>
    /// <exception cref="ModelLoadException">The architecture is not known, or its numbers do not fit together.</exception>
    public static ClassificationNetwork Build(ModelConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ConfigurationLimits.Check(configuration);
        return configuration.IsTimm ? TimmClasses.Make(FindTimm(configuration.Text("architecture", "")), configuration) : Find(configuration).Make(configuration);
    }

    /// <summary>The configuration of a named size.</summary>
    /// <param name="name">One of <see cref="Variants"/>.</param>
    /// <param name="imageSize">Side of the pictures in pixels; null takes the size's own.</param>
    /// <exception cref="ModelLoadException">The name is not known; the message lists those that are.</exception>
    public static ModelConfiguration Variant(string name, int? imageSize = null)
    {
        if (VitNetwork.Variants.TryGetValue(name, out var make))
        {
            return make(imageSize);
        }

        return TimmVariants.Find(name) is var (timm, tag)
            ? timm.Configuration(tag: timm.HasTag(tag) ? tag : throw new ModelLoadException(
                $"timm's '{timm.Name}' has no weights '{tag}'. Known: {string.Join(", ", timm.Tags.Select(t => t.Key))}.{Suggestion.DidYouMean(tag, timm.Tags.Select(t => t.Key))}"), side: imageSize)
            : throw new ModelLoadException($"Unknown model '{name}'; Architectures.Variants ('vizsla models') lists the known ones.{Suggestion.DidYouMean(name, Variants)}");
    }

    // Families of transformers that are not built, with the nearest one that is.
    private static readonly Dictionary<string, string> _nearest = new(StringComparer.Ordinal)
    {
        ["bit_hybrid"] = "bit",
        ["dinat"] = "swin",
        ["efficientformer"] = "efficientnet",
        ["imagegpt"] = "vit",
        ["metaclip_2"] = "clip",
        ["nat"] = "swin",
        ["perceiver"] = "vit",
        ["siglip2"] = "siglip",
        ["siglip_vision_model"] = "siglip",
        ["clip_vision_model"] = "clip",
        ["van"] = "convnext",
        ["vit_hybrid"] = "vit",
        ["vivit"] = "vit",
    };

    private static Architecture Find(ModelConfiguration configuration)
    {
        var type = configuration.ModelType;
        return All.TryGetValue(type, out var architecture) || s_registered.TryGetValue(type, out architecture)
            ? architecture
            : throw new ModelLoadException(_nearest.TryGetValue(type, out var nearest) && All.ContainsKey(nearest)
                ? $"The model type '{type}' is not supported; the nearest that is: '{nearest}'. Take a checkpoint of that family."
                : $"Unknown model type '{type}'. Known: {string.Join(", ", All.Keys.Order(StringComparer.Ordinal))}.{Suggestion.DidYouMean(type, All.Keys)}");
    }

    private static TimmVariant FindTimm(string name) =>
        TimmVariants.Find(name) is var (variant, _)
            ? variant
            : throw new ModelLoadException(
                $"Unknown architecture '{name}'; Architectures.Variants ('vizsla models') lists those of timm that are known.{Suggestion.DidYouMean(name, TimmVariants.All.Keys)}");
}
