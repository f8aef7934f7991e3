using System.Text.Json.Nodes;

namespace Vizsla.Models.Timm;

/// <summary>One line of the table of timm's names: how its network is built, and the settings of its weights.</summary>
/// <param name="Name">timm's name, such as <c>resnet50</c>.</param>
/// <param name="ClassName">The class in Python.</param>
/// <param name="Arguments">What the class is given, without its defaults.</param>
/// <param name="Settings">Settings that all its weights have in common, without timm's defaults.</param>
/// <param name="Tags">The tags of its weights, the default first, with the settings of each.</param>
/// <remarks>Source: timm 1.0.31 <c>default_cfgs</c>, <c>PretrainedCfg</c>.</remarks>
internal sealed record TimmVariant(
    string Name, string ClassName, JsonObject Arguments, JsonObject Settings, IReadOnlyList<KeyValuePair<string, JsonObject>> Tags)
{
    private const int DefaultClassCount = 1000;
    private const string HubOwner = "timm/";

    // In the order of timm's files.
    private static readonly (string Key, JsonNode? Default)[] _settings =
    [
        ("input_size", new JsonArray(3, 224, 224)), ("test_input_size", null), ("fixed_input_size", false), ("interpolation", "bicubic"), ("crop_pct", 0.875),
        ("test_crop_pct", null), ("crop_mode", "center"), ("mean", new JsonArray(0.485, 0.456, 0.406)), ("std", new JsonArray(0.229, 0.224, 0.225)),
        ("num_classes", DefaultClassCount), ("pool_size", null), ("first_conv", null), ("classifier", null), ("license", "apache-2.0"),
    ];

    /// <summary>Tag of the weights that the bare name stands for.</summary>
    public string DefaultTag => Tags[0].Key;

    /// <summary>Parameters, and multiplications for one picture, with the head of the default weights; null where the table does not say.</summary>
    public (long Parameters, long Products)? Size { get; init; }

    /// <summary>First-class accuracy of the default weights on ImageNet in percent, at timm's own size; null where timm publishes none.</summary>
    public double? Accuracy { get; init; }

    /// <summary>Side of the pictures of the default weights in pixels.</summary>
    public int ImageSize => (int)Setting("input_size", DefaultTag)![1]!;

    /// <summary>Licence of the default weights.</summary>
    public string License => (string)Setting("license", DefaultTag)!;

    /// <summary>Name of the head's first linear layer in the file.</summary>
    public string Classifier => Setting("classifier", DefaultTag) is JsonArray several ? (string)several[0]! : (string)Setting("classifier", DefaultTag)!;

    /// <summary>The repository of some weights; null where none are published.</summary>
    /// <param name="tag">One of the tags; null takes the default.</param>
    public string? HubName(string? tag = null)
    {
        var given = Find("hf_hub_id", tag ?? DefaultTag, out var node) ? (string?)node : HubOwner;
        return given == HubOwner ? $"{HubOwner}{Tagged(tag ?? DefaultTag)}" : given;
    }

    /// <summary>Whether there are weights of a tag.</summary>
    public bool HasTag(string tag) => Tags.Any(t => t.Key == tag);

    /// <summary>The <c>config.json</c> that timm writes for it.</summary>
    /// <param name="classCount">Number of classes; null takes that of the weights, and 1000 where they have no head.</param>
    /// <param name="tag">One of the tags; null takes the default.</param>
    /// <param name="side">Side of the pictures in pixels; null takes that of the weights.</param>
    public ModelConfiguration Configuration(int? classCount = null, string? tag = null, int? side = null)
    {
        var chosen = tag ?? DefaultTag;
        var classes = classCount ?? ((int)Setting("num_classes", chosen)! is > 0 and var own ? own : DefaultClassCount);
        var pretrained = new JsonObject { ["tag"] = chosen, ["custom_load"] = false };
        foreach (var (key, _) in _settings)
        {
            if (Setting(key, chosen) is { } value)
            {
                pretrained[key] = value.DeepClone();
            }
        }

        pretrained["num_classes"] = classes;
        if (side is { } pixels)
        {
            pretrained["input_size"] = new JsonArray(3, pixels, pixels);
        }

        return new ModelConfiguration(new JsonObject { ["architecture"] = Name, ["num_classes"] = classes, ["pretrained_cfg"] = pretrained });
    }

    private string Tagged(string tag) => tag.Length == 0 ? Name : $"{Name}.{tag}";

    private JsonNode? Setting(string key, string tag) =>
        Find(key, tag, out var node) ? node : Array.Find(_settings, s => s.Key == key).Default;

    private bool Find(string key, string tag, out JsonNode? node) =>
        Tags.First(t => t.Key == tag).Value.TryGetPropertyValue(key, out node) || Settings.TryGetPropertyValue(key, out node);
}
