namespace Vizsla.Models.Swin;

/// <summary>The keys of a Swin's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>SwinConfig</c>; the defaults are its own.</remarks>
internal sealed record SwinOptions(
    int Width,
    IReadOnlyList<int> Depths,
    IReadOnlyList<int> HeadCounts,
    int WindowSize,
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
    bool HasPositions,
    double DropPath)
{
    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or stages, heads and width do not fit.</exception>
    public static SwinOptions From(ModelConfiguration configuration)
    {
        var options = new SwinOptions(
            configuration.WholeNumber("embed_dim", 96),
            configuration.WholeNumbers("depths", 2, 2, 6, 2),
            configuration.WholeNumbers("num_heads", 3, 6, 12, 24),
            configuration.WholeNumber("window_size", 7),
            configuration.Number("mlp_ratio", 4),
            configuration.Text("hidden_act", "gelu"),
            configuration.Number("hidden_dropout_prob", 0),
            configuration.Number("attention_probs_dropout_prob", 0),
            configuration.Number("initializer_range", 0.02),
            configuration.Number("layer_norm_eps", 1e-5),
            configuration.Size("image_size", 224),
            configuration.Size("patch_size", 4),
            configuration.WholeNumber("num_channels", 3),
            configuration.Flag("qkv_bias", true),
            configuration.Flag("use_absolute_embeddings", false),
            configuration.Number("drop_path_rate", 0.1));
        if (options.Depths.Count == 0 || options.Depths.Count != options.HeadCounts.Count)
        {
            throw new ModelLoadException($"depths has {options.Depths.Count} stages and num_heads {options.HeadCounts.Count}; expected as many of both.");
        }

        for (var stage = 0; stage < options.Depths.Count; stage++)
        {
            OptionChecks.Heads(options.StageWidth(stage), options.HeadCounts[stage]);
        }

        OptionChecks.Patches(options.ImageSize, options.PatchSize);
        return options;
    }

    /// <summary>Patches of a picture of the model's own size.</summary>
    public int PatchCount => ImageSize.Height / PatchSize.Height * (ImageSize.Width / PatchSize.Width);

    /// <summary>Width of the tokens in a stage; it doubles from one to the next.</summary>
    public int StageWidth(int stage) => Width << stage;

    /// <summary>Width of the features.</summary>
    public int LastWidth => StageWidth(Depths.Count - 1);
}
