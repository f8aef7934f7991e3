namespace Vizsla.Models.Vit;

/// <summary>The keys of a ViT's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>ViTConfig</c>; the defaults are its own.</remarks>
internal sealed record VitOptions(
    int Width,
    int LayerCount,
    int HeadCount,
    int HiddenWidth,
    string Activation,
    double HiddenDropout,
    double AttentionDropout,
    double InitializerRange,
    double Epsilon,
    (int Height, int Width) ImageSize,
    (int Height, int Width) PatchSize,
    int Channels,
    bool HasQueryBias)
{
    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the heads do not divide the width.</exception>
    public static VitOptions From(ModelConfiguration configuration)
    {
        var options = new VitOptions(
            configuration.WholeNumber("hidden_size", 768),
            configuration.WholeNumber("num_hidden_layers", 12),
            configuration.WholeNumber("num_attention_heads", 12),
            configuration.WholeNumber("intermediate_size", 3072),
            configuration.Text("hidden_act", "gelu"),
            configuration.Number("hidden_dropout_prob", 0),
            configuration.Number("attention_probs_dropout_prob", 0),
            configuration.Number("initializer_range", 0.02),
            configuration.Number("layer_norm_eps", 1e-12),
            configuration.Size("image_size", 224),
            configuration.Size("patch_size", 16),
            configuration.WholeNumber("num_channels", 3),
            configuration.Flag("qkv_bias", true));
        OptionChecks.Heads(options.Width, options.HeadCount);
        OptionChecks.Patches(options.ImageSize, options.PatchSize);
        return options;
    }

    /// <summary>Patches of a picture of the model's own size.</summary>
    public int PatchCount => ImageSize.Height / PatchSize.Height * (ImageSize.Width / PatchSize.Width);
}
