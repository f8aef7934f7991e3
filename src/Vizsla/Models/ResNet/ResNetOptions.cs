using Vizsla.Primitives;

namespace Vizsla.Models.ResNet;

/// <summary>The keys of a ResNet's <c>config.json</c> in transformers.</summary>
/// <remarks>Source: transformers <c>ResNetConfig</c>; the defaults are its own.</remarks>
internal sealed record ResNetOptions(
    int Channels,
    int StemWidth,
    IReadOnlyList<int> Widths,
    IReadOnlyList<int> Depths,
    bool IsBottleneck,
    string Activation,
    bool ShrinksInFirstStage,
    bool ShrinksInBottleneck)
{
    private static readonly string[] _layerTypes = ["basic", "bottleneck"];

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind or not known, or the numbers of stages differ.</exception>
    public static ResNetOptions From(ModelConfiguration configuration)
    {
        var type = configuration.Text("layer_type", "bottleneck");
        if (!_layerTypes.Contains(type))
        {
            throw new ModelLoadException($"Unknown layer_type '{type}'. Known: {string.Join(", ", _layerTypes)}.{Suggestion.DidYouMean(type, _layerTypes)}");
        }

        var options = new ResNetOptions(
            configuration.WholeNumber("num_channels", 3),
            configuration.WholeNumber("embedding_size", 64),
            configuration.WholeNumbers("hidden_sizes", 256, 512, 1024, 2048),
            configuration.WholeNumbers("depths", 3, 4, 6, 3),
            type == "bottleneck",
            configuration.Text("hidden_act", "relu"),
            configuration.Flag("downsample_in_first_stage", false),
            configuration.Flag("downsample_in_bottleneck", false));
        return options.Widths.Count > 0 && options.Widths.Count == options.Depths.Count
            ? options
            : throw new ModelLoadException(
                $"hidden_sizes has {options.Widths.Count} stages and depths {options.Depths.Count}; expected as many of both.");
    }
}
