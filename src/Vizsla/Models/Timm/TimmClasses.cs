using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Models.Timm;

/// <summary>timm's classes, by their names in Python.</summary>
internal static class TimmClasses
{
    /// <summary>Builds a network of each class from a model's configuration and from what the table gives the class.</summary>
    public static IReadOnlyDictionary<string, Func<ModelConfiguration, ModelConfiguration, TimmNetwork>> All { get; } =
        new Dictionary<string, Func<ModelConfiguration, ModelConfiguration, TimmNetwork>>(StringComparer.Ordinal)
        {
            ["ResNet"] = (configuration, arguments) => new TimmResNetNetwork(configuration, arguments),
            ["ResNetV2"] = (configuration, arguments) => new TimmResNetV2Network(configuration, arguments),
            ["EfficientNet"] = (configuration, arguments) => new TimmEfficientNetNetwork(configuration, arguments, poolsFirst: false),
            ["MobileNetV3"] = (configuration, arguments) => new TimmEfficientNetNetwork(configuration, arguments, poolsFirst: true),
            ["GhostNet"] = (configuration, arguments) => new TimmGhostNetNetwork(configuration, arguments),
            ["MlpMixer"] = (configuration, arguments) => new TimmMixerNetwork(configuration, arguments),
            ["ConvNeXt"] = (configuration, arguments) => new TimmConvNeXtNetwork(configuration, arguments),
            ["RegNet"] = (configuration, arguments) => new TimmRegNetNetwork(configuration, arguments),
            ["DenseNet"] = (configuration, arguments) => new TimmDenseNetNetwork(configuration, arguments),
            ["VGG"] = (configuration, arguments) => new TimmVggNetwork(configuration, arguments),
            ["InceptionV3"] = (configuration, arguments) => new TimmInceptionV3Network(configuration, arguments),
            ["InceptionV4"] = (configuration, arguments) => new TimmInceptionV4Network(configuration, arguments),
            ["Xception"] = (configuration, arguments) => new TimmLegacyXceptionNetwork(configuration, arguments),
            ["XceptionAligned"] = (configuration, arguments) => new TimmXceptionNetwork(configuration, arguments),
            ["HighPerfGpuNet"] = (configuration, arguments) => new TimmHgNetNetwork(configuration, arguments),
            ["VisionTransformer"] = (configuration, arguments) => new TimmVitNetwork(configuration, arguments, isDistilled: false),
            ["VisionTransformerDistilled"] = (configuration, arguments) => new TimmVitNetwork(configuration, arguments, isDistilled: true),
            ["SwinTransformer"] = (configuration, arguments) => new TimmSwinNetwork(configuration, arguments, isSecond: false),
            ["SwinTransformerV2"] = (configuration, arguments) => new TimmSwinNetwork(configuration, arguments, isSecond: true),
            ["Beit"] = (configuration, arguments) => new TimmEvaNetwork(configuration, arguments),
            ["Eva"] = (configuration, arguments) => new TimmEvaNetwork(configuration, arguments),
            ["EdgeNeXt"] = (configuration, arguments) => new TimmEdgeNeXtNetwork(configuration, arguments),
            ["FastVit"] = (configuration, arguments) => new TimmFastVitNetwork(configuration, arguments),
            ["Levit"] = (configuration, arguments) => new TimmLevitNetwork(configuration, arguments, isDistilled: false),
            ["LevitDistilled"] = (configuration, arguments) => new TimmLevitNetwork(configuration, arguments, isDistilled: true),
            ["TinyVit"] = (configuration, arguments) => new TimmTinyVitNetwork(configuration, arguments),
            ["ByobNet"] = (configuration, arguments) => new TimmRepVggNetwork(configuration, arguments),
        };

    /// <summary>Builds a network without drawing weights.</summary>
    /// <param name="variant">A line of the table.</param>
    /// <param name="configuration">The model's <c>config.json</c>.</param>
    /// <exception cref="ModelLoadException">An argument is not one of the class, or of the wrong kind.</exception>
    public static TimmNetwork Make(TimmVariant variant, ModelConfiguration configuration)
    {
        var arguments = (JsonObject)variant.Arguments.DeepClone();
        foreach (var (key, value) in (configuration.Json[TimmOptions.ArgumentsKey] as JsonObject ?? []).Where(a => !TimmOptions.Shared.Contains(a.Key)))
        {
            var known = TimmVariants.All.Values.Where(v => v.ClassName == variant.ClassName).SelectMany(v => v.Arguments.Select(a => a.Key)).Concat(TimmOptions.Shared).Distinct().Order(StringComparer.Ordinal).ToList();
            arguments[key] = known.Contains(key)
                ? value?.DeepClone()
                : throw new ModelLoadException($"model_args names '{key}', which {variant.Name} does not take. Known: {string.Join(", ", known)}.{Suggestion.DidYouMean(key, known)}");
        }

        return All[variant.ClassName](configuration, new ModelConfiguration(arguments, $"{TimmOptions.ArgumentsKey} of {ModelConfiguration.FileName}"));
    }
}
