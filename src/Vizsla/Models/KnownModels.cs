using System.Text.Json.Nodes;
using Vizsla.Models.Families;
using Vizsla.Models.Timm;

namespace Vizsla.Models;

/// <summary>The models whose names, sizes and licences come with the program: timm's, well-known ones of the Hub, and sizes to start from random weights.</summary>
internal static class KnownModels
{
    private const string Apache = "apache-2.0";
    private const int Side = 224;
    private const int ClassCount = 1000;

    private static readonly Dictionary<string, (long Parameters, long Products)> s_variantSizes = new()
    {
        ["vit-nano"] = (472_610, 33_178_560),
        ["vit-tiny"] = (5_524_802, 1_253_491_584),
        ["vit-small"] = (21_666_434, 4_598_499_072),
        ["vit-base"] = (85_800_194, 17_563_061_760),
    };

    /// <summary>Every model, timm's first.</summary>
    public static IReadOnlyList<KnownModel> All { get; } =
    [
        .. TimmVariants.All.Values.Select(v => new KnownModel(v.Name, v.HubName(), v.HubName() is null ? null : v.License, v.ImageSize, () => v.Configuration())
        {
            Family = v.ClassName,
            Size = v.Size,
            Accuracy = v.Accuracy,
        }),
        OnHub("google/vit-base-patch16-224", (86_567_656, 17_563_828_224), VitNetwork.ModelType),
        OnHub("google/vit-large-patch16-224", (304_326_632, 61_554_712_576), VitNetwork.ModelType, Transformer(1024, 24, 16)),
        OnHub("facebook/deit-base-distilled-patch16-224", (87_338_192, 17_656_811_520), DeitNetwork.ModelType, ("architectures", new JsonArray(DeitNetwork.TeacherName))),
        OnHub("facebook/dinov2-small-imagenet1k-1-layer", (22_825_576, 6_124_329_984), Dinov2Network.ModelType, [.. Transformer(384, 12, 6), ("patch_size", 14), ("image_size", 518)]),
        OnHub("facebook/dinov2-base-imagenet1k-1-layer", (88_117_480, 23_162_763_264), Dinov2Network.ModelType, [.. Transformer(768, 12, 12), ("patch_size", 14), ("image_size", 518)]),
        OnHub("microsoft/beit-base-patch16-224", (86_530_984, 17_563_828_224), BeitNetwork.ModelType, ("use_relative_position_bias", true)),
        OnHub("microsoft/swin-tiny-patch4-window7-224", (28_288_354, 4_490_566_656), SwinNetwork.ModelType),
        OnHub("facebook/convnext-tiny-224", (28_589_128, 4_455_531_264), ConvNextNetwork.ModelType),
        OnHub("microsoft/resnet-18", (11_689_512, 1_814_073_344), ResNetNetwork.ModelType,
            ("layer_type", "basic"), ("depths", new JsonArray(2, 2, 2, 2)), ("hidden_sizes", new JsonArray(64, 128, 256, 512))),
        OnHub("microsoft/resnet-50", (25_557_032, 4_089_184_256), ResNetNetwork.ModelType),
        OnHub("google/mobilenet_v2_1.0_224", (3_506_153, 300_775_552), MobileNetV2Network.ModelType, ("num_labels", 1001)) with { License = "other" },
        OnHub("google/efficientnet-b0", (5_288_548, 385_814_752), EfficientNetNetwork.ModelType,
            ("width_coefficient", 1.0), ("depth_coefficient", 1.0), ("image_size", Side), ("hidden_dim", 1280), ("dropout_rate", 0.2)),
        .. VitNetwork.Variants.Keys.Select(name => new KnownModel(name, null, null, SideOf(name), () => Architectures.Variant(name)) { Family = VitNetwork.ModelType, Size = s_variantSizes[name] }),
    ];

    /// <summary>The model of a name; null where it is not known.</summary>
    /// <param name="name">A name of <see cref="All"/>, timm's with or without <c>timm/</c> and a tag.</param>
    public static KnownModel? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return All.FirstOrDefault(m => m.Name == name || m.Weights == name)
            ?? (TimmVariants.Find(name) is var (variant, _) ? All.First(m => m.Name == variant.Name) : null);
    }

    private static KnownModel OnHub(string name, (long Parameters, long Products) size, string type, params (string Key, JsonNode Value)[] settings) => new(name, name, Apache, Side, () =>
    {
        var json = new JsonObject { ["model_type"] = type, ["num_labels"] = ClassCount };
        foreach (var (key, value) in settings)
        {
            json[key] = value.DeepClone();
        }

        return new ModelConfiguration(json, name);
    })
    { Family = type, Size = size };

    private static (string, JsonNode)[] Transformer(int width, int layers, int heads) =>
        [("hidden_size", width), ("num_hidden_layers", layers), ("num_attention_heads", heads), ("intermediate_size", 4 * width)];

    private static int SideOf(string variant) => Architectures.Variant(variant).WholeNumber("image_size", Side);
}
