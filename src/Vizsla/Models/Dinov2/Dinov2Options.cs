namespace Vizsla.Models.Dinov2;

/// <summary>The keys of a DINOv2's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>Dinov2Config</c>; the defaults are its own.</remarks>
internal sealed record Dinov2Options(
    int Width,
    int LayerCount,
    int HeadCount,
    double PerceptronRatio,
    string Activation,
    double HiddenDropout,
    double AttentionDropout,
    double InitializerRange,
    double Epsilon,
    (int Height, int Width) ImageSize,
    (int Height, int Width) PatchSize,
    int Channels,
    bool HasQueryBias,
    double LayerScale,
    double DropPath,
    bool IsGated,
    bool HasMaskToken)
{
    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the heads do not divide the width.</exception>
    public static Dinov2Options From(ModelConfiguration configuration)
    {
        var options = new Dinov2Options(
            configuration.WholeNumber("hidden_size", 768),
            configuration.WholeNumber("num_hidden_layers", 12),
            configuration.WholeNumber("num_attention_heads", 12),
            configuration.Number("mlp_ratio", 4),
            configuration.Text("hidden_act", "gelu"),
            configuration.Number("hidden_dropout_prob", 0),
            configuration.Number("attention_probs_dropout_prob", 0),
            configuration.Number("initializer_range", 0.02),
            configuration.Number("layer_norm_eps", 1e-6),
            configuration.Size("image_size", 224),
            configuration.Size("patch_size", 14),
            configuration.WholeNumber("num_channels", 3),
            configuration.Flag("qkv_bias", true),
            configuration.Number("layerscale_value", 1),
            configuration.Number("drop_path_rate", 0),
            configuration.Flag("use_swiglu_ffn", false),
            configuration.Flag("use_mask_token", true));
        OptionChecks.Heads(options.Width, options.HeadCount);
        OptionChecks.Patches(options.ImageSize, options.PatchSize);
        return options;
    }

    /// <summary>Patches of a picture of the model's own size.</summary>
    public int PatchCount => ImageSize.Height / PatchSize.Height * (ImageSize.Width / PatchSize.Width);

    /// <summary>Inner width of the perceptron.</summary>
    public int HiddenWidth => (int)(Width * PerceptronRatio);

    /// <summary>Inner width of the gated perceptron: two thirds, rounded up to a multiple of 8.</summary>
    public int GatedWidth => ((HiddenWidth * 2 / 3) + 7) / 8 * 8;
}
