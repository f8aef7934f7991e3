using Vizsla.Primitives;

namespace Vizsla.Models.EfficientNet;

/// <summary>The keys of an EfficientNet's <c>config.json</c> in transformers.</summary>
/// <remarks>Source: transformers <c>EfficientNetConfig</c>; the defaults are its own.</remarks>
internal sealed record EfficientNetOptions(
    int Channels,
    double WidthFactor,
    double DepthFactor,
    int WidthDivisor,
    IReadOnlyList<int> Kernels,
    IReadOnlyList<int> Inputs,
    IReadOnlyList<int> Outputs,
    IReadOnlyList<int> EvenlyPadded,
    IReadOnlyList<int> Strides,
    IReadOnlyList<int> Repeats,
    IReadOnlyList<int> ExpandRatios,
    double SqueezeRatio,
    string Activation,
    int HiddenWidth,
    bool PoolsMean,
    double InitializerRange,
    double Epsilon,
    double Momentum,
    double HeadDropout,
    double BlockDropout)
{
    private static readonly string[] _poolings = ["mean", "max"];

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind or not known, or the numbers of stages differ.</exception>
    public static EfficientNetOptions From(ModelConfiguration configuration)
    {
        var pooling = configuration.Text("pooling_type", "mean");
        if (!_poolings.Contains(pooling))
        {
            throw new ModelLoadException($"Unknown pooling_type '{pooling}'. Known: {string.Join(", ", _poolings)}.{Suggestion.DidYouMean(pooling, _poolings)}");
        }

        var options = new EfficientNetOptions(
            configuration.WholeNumber("num_channels", 3),
            configuration.Number("width_coefficient", 2),
            configuration.Number("depth_coefficient", 3.1),
            configuration.WholeNumber("depth_divisor", 8),
            configuration.WholeNumbers("kernel_sizes", 3, 3, 5, 3, 5, 5, 3),
            configuration.WholeNumbers("in_channels", 32, 16, 24, 40, 80, 112, 192),
            configuration.WholeNumbers("out_channels", 16, 24, 40, 80, 112, 192, 320),
            configuration.WholeNumbers("depthwise_padding"),
            configuration.WholeNumbers("strides", 1, 2, 2, 2, 1, 2, 1),
            configuration.WholeNumbers("num_block_repeats", 1, 2, 2, 3, 3, 4, 1),
            configuration.WholeNumbers("expand_ratios", 1, 6, 6, 6, 6, 6, 6),
            configuration.Number("squeeze_expansion_ratio", 0.25),
            configuration.Text("hidden_act", "swish"),
            configuration.WholeNumber("hidden_dim", 2560),
            pooling == "mean",
            configuration.Number("initializer_range", 0.02),
            configuration.Number("batch_norm_eps", 0.001),
            configuration.Number("batch_norm_momentum", 0.99),
            configuration.Number("dropout_rate", 0.5),
            configuration.Number("drop_connect_rate", 0.2));
        options.CheckStages();
        return options;
    }

    /// <summary>Channels of a layer of the paper, scaled by the width factor.</summary>
    public int Scaled(int channels) => ChannelRounding.ToMultiple(channels * WidthFactor, WidthDivisor);

    /// <summary>Blocks of a stage of the paper, scaled by the depth factor.</summary>
    public int Repeated(int stage) => (int)Math.Ceiling(DepthFactor * Repeats[stage]);

    private void CheckStages()
    {
        var counts = new[] { Kernels, Inputs, Outputs, Strides, Repeats, ExpandRatios }.Select(l => l.Count).ToList();
        if (counts[0] == 0 || counts.Any(c => c != counts[0]))
        {
            throw new ModelLoadException(
                $"kernel_sizes, in_channels, out_channels, strides, num_block_repeats and expand_ratios have {string.Join(", ", counts)} entries; expected as many of each.");
        }
    }
}
