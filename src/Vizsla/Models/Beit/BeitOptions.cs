namespace Vizsla.Models.Beit;

/// <summary>The keys of a BEiT's <c>config.json</c> that a classifier needs.</summary>
/// <remarks>Source: transformers <c>BeitConfig</c>; the defaults are its own.</remarks>
internal sealed record BeitOptions(
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
    bool HasMaskToken,
    bool HasPositions,
    bool HasRelativeBias,
    bool HasSharedRelativeBias,
    double LayerScale,
    double DropPath,
    bool PoolsMean)
{
    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the heads do not divide the width.</exception>
    public static BeitOptions From(ModelConfiguration configuration)
    {
        var options = new BeitOptions(
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
            configuration.Flag("use_mask_token", false),
            configuration.Flag("use_absolute_position_embeddings", false),
            configuration.Flag("use_relative_position_bias", false),
            configuration.Flag("use_shared_relative_position_bias", false),
            configuration.Number("layer_scale_init_value", 0.1),
            configuration.Number("drop_path_rate", 0.1),
            configuration.Flag("use_mean_pooling", true));
        OptionChecks.Heads(options.Width, options.HeadCount);
        OptionChecks.Patches(options.ImageSize, options.PatchSize);
        return options;
    }

    /// <summary>Patches of a picture of the model's own size, from top to bottom and from left to right.</summary>
    public (int Rows, int Columns) Grid => (ImageSize.Height / PatchSize.Height, ImageSize.Width / PatchSize.Width);
}
