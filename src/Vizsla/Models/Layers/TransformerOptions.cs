namespace Vizsla.Models.Layers;

/// <summary>The keys of <c>config.json</c> that Vision Transformers share.</summary>
/// <remarks>Source: transformers <c>ViTConfig</c>; the defaults are its own, but for those that a family gives.</remarks>
internal record TransformerOptions
{
    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <param name="configuration">The family's configuration.</param>
    /// <param name="epsilon">The family's default of <c>layer_norm_eps</c>.</param>
    /// <param name="patchSize">The family's default of <c>patch_size</c>.</param>
    /// <param name="width">The family's default of <c>hidden_size</c>; <c>intermediate_size</c> is four times as wide by default.</param>
    /// <param name="heads">The family's default of <c>num_attention_heads</c>.</param>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the heads do not divide the width.</exception>
    public TransformerOptions(ModelConfiguration configuration, double epsilon = 1e-12, int patchSize = 16, int width = 768, int heads = 12)
    {
        Width = configuration.WholeNumber("hidden_size", width);
        LayerCount = configuration.WholeNumber("num_hidden_layers", 12);
        HeadCount = configuration.WholeNumber("num_attention_heads", heads);
        HiddenWidth = configuration.WholeNumber("intermediate_size", 4 * width);
        Activation = configuration.Text("hidden_act", "gelu");
        HiddenDropout = configuration.Number("hidden_dropout_prob", 0);
        AttentionDropout = configuration.Number("attention_probs_dropout_prob", 0);
        InitializerRange = configuration.Number("initializer_range", 0.02);
        Epsilon = configuration.Number("layer_norm_eps", epsilon);
        ImageSize = configuration.Size("image_size", 224);
        PatchSize = configuration.Size("patch_size", patchSize);
        Channels = configuration.WholeNumber("num_channels", 3);
        ComputesKeysFirst = configuration.TextOrNull("model_type") is "vit" or "deit" or "dinov2" or "dinov2_with_registers" or "ijepa" or "vit_msn";
        HasQueryBias = HasKeyBias = HasValueBias = configuration.Flag("qkv_bias", true);
        OptionChecks.Heads(Width, HeadCount);
        OptionChecks.Patches(ImageSize, PatchSize);
    }

    /// <summary>The options of blocks whose family has other keys; all but widths and heads are a ViT's defaults.</summary>
    public static TransformerOptions Bare(int width, int heads) =>
        new(new ModelConfiguration([])) { Width = width, HeadCount = heads, HiddenWidth = 4 * width };

    public int Width { get; init; }

    public int LayerCount { get; init; }

    public int HeadCount { get; init; }

    /// <summary>Inner width of the perceptron.</summary>
    public int HiddenWidth { get; init; }

    public string Activation { get; init; }

    public double HiddenDropout { get; init; }

    public double AttentionDropout { get; init; }

    public double InitializerRange { get; init; }

    public double Epsilon { get; init; }

    public (int Height, int Width) ImageSize { get; init; }

    public (int Height, int Width) PatchSize { get; init; }

    public int Channels { get; init; }

    /// <summary>Whether queries have a bias.</summary>
    public bool HasQueryBias { get; init; }

    /// <summary>Whether keys have a bias.</summary>
    public bool HasKeyBias { get; init; }

    /// <summary>Whether values have a bias.</summary>
    public bool HasValueBias { get; init; }

    /// <summary>Whether the projection of what the heads give has a bias.</summary>
    public bool HasOutputBias { get; init; } = true;

    /// <summary>Whether the layers of the perceptron have a bias.</summary>
    public bool HasPerceptronBias { get; init; } = true;

    /// <summary>Whether keys and values are computed before queries, as the classes of transformers 4 do: the order of what adapters draw in training.</summary>
    public bool ComputesKeysFirst { get; init; }

    /// <summary>Whether the perceptron multiplies its inner half by the other one, activated by SiLU.</summary>
    public bool IsGated { get; init; }

    /// <summary>Whether the perceptron is gated by a layer of its own, which is activated.</summary>
    public bool HasOwnGate { get; init; }

    /// <summary>Whether dropout follows the perceptron too.</summary>
    public bool DropsAfterPerceptron { get; init; } = true;

    /// <summary>Start of the factors that scale each branch per channel; 0 scales none.</summary>
    public double LayerScale { get; init; }

    /// <summary>Patches of a picture of the model's own size, from top to bottom and from left to right.</summary>
    public (int Rows, int Columns) Grid => (ImageSize.Height / PatchSize.Height, ImageSize.Width / PatchSize.Width);

    /// <summary>Patches of a picture of the model's own size.</summary>
    public int PatchCount => Grid.Rows * Grid.Columns;

    /// <summary>The convolution that makes a token of each patch.</summary>
    public Convolution PatchProjection() => new(Channels, Width, new ConvolutionOptions(PatchSize) { Stride = PatchSize });
}
