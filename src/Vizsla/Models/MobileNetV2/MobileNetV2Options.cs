namespace Vizsla.Models.MobileNetV2;

/// <summary>The keys of a MobileNetV2's <c>config.json</c> in transformers.</summary>
/// <remarks>Source: transformers <c>MobileNetV2Config</c>; the defaults are its own.</remarks>
internal sealed record MobileNetV2Options(
    int Channels,
    double WidthFactor,
    int WidthDivisor,
    int SmallestWidth,
    double ExpandRatio,
    int OutputStride,
    bool FirstLayerExpands,
    bool HasWideOutput,
    string Activation,
    bool IsSamePadded,
    double HeadDropout,
    double InitializerRange,
    double Epsilon)
{
    /// <summary>Reads the keys and checks them.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the width factor is not positive.</exception>
    public static MobileNetV2Options From(ModelConfiguration configuration)
    {
        var options = new MobileNetV2Options(
            configuration.WholeNumber("num_channels", 3),
            configuration.Number("depth_multiplier", 1),
            configuration.WholeNumber("depth_divisible_by", 8),
            configuration.WholeNumber("min_depth", 8),
            configuration.Number("expand_ratio", 6),
            configuration.WholeNumber("output_stride", 32),
            configuration.Flag("first_layer_is_expansion", true),
            configuration.Flag("finegrained_output", true),
            configuration.Text("hidden_act", "relu6"),
            configuration.Flag("tf_padding", true),
            configuration.Number("classifier_dropout_prob", 0.8),
            configuration.Number("initializer_range", 0.02),
            configuration.Number("layer_norm_eps", 0.001));
        return options.WidthFactor > 0
            ? options
            : throw new ModelLoadException("depth_multiplier must be greater than zero.");
    }

    /// <summary>Channels of a layer of the paper, scaled by the width factor.</summary>
    public int Scaled(int channels) => Divisible(channels * WidthFactor);

    /// <summary>Channels inside a block.</summary>
    public int Expanded(int channels) => Divisible(channels * ExpandRatio);

    private int Divisible(double channels) =>
        ChannelRounding.ToMultiple((int)Math.Round(channels, MidpointRounding.ToEven), WidthDivisor, SmallestWidth);
}
