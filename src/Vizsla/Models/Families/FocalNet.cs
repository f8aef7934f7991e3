using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels of the picture, N = R S tokens in R rows and S columns, D width, F levels of focus, I inner width, L labels.

/// <summary>FocalNet, whose tokens are modulated by what lies around them at several distances, with a linear head on the mean of its last tokens.</summary>
/// <remarks>Source: transformers <c>FocalNetForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class FocalNetNetwork : TransformersNetwork
{
    public const string ModelType = "focalnet";
    public const string Name = "FocalNetForImageClassification";

    private readonly FocalNetOptions _options;
    private readonly Convolution _patches;
    private readonly LayerNormalization _first;
    private readonly List<(List<FocalNetBlock> Blocks, Convolution? Downsampling, LayerNormalization? Norm)> _stages = [];
    private readonly LayerNormalization _last;

    public FocalNetNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "focalnet.")
    {
        _options = new FocalNetOptions(configuration);
        var patch = _options.PatchSize;
        _patches = Add("focalnet.embeddings.patch_embeddings.projection", new Convolution(_options.Channels, _options.Width, _options.HasConvolutionalEmbedding
            ? new ConvolutionOptions(7) { Stride = (4, 4), Padding = (2, 2) }
            : new ConvolutionOptions(patch) { Stride = patch }));
        _first = Add("focalnet.embeddings.norm", new LayerNormalization(_options.Width, _options.Epsilon));
        var rates = new Queue<double>(StochasticDepth.Rising(_options.DropPath, _options.Depths.Sum()));
        for (var stage = 0; stage < _options.Depths.Count; stage++)
        {
            var (path, width, blocks) = ($"focalnet.encoder.stages.{stage}", _options.Width << stage, new List<FocalNetBlock>());
            for (var i = 0; i < _options.Depths[stage]; i++)
            {
                blocks.Add(Add($"{path}.layers.{i}", new FocalNetBlock(_options, stage, rates.Dequeue())));
            }

            var isLast = stage == _options.Depths.Count - 1;
            var downsampling = isLast ? null : Add(path + ".downsample.projection", new Convolution(width, 2 * width, _options.HasConvolutionalEmbedding
                ? ConvolutionOptions.Centered(3, 2)
                : new ConvolutionOptions(2) { Stride = (2, 2) }));
            _stages.Add((blocks, downsampling, isLast ? null : Add(path + ".downsample.norm", new LayerNormalization(2 * width, _options.Epsilon))));
        }

        var last = _options.Width << (_options.Depths.Count - 1);
        _last = Add("focalnet.layernorm", new LayerNormalization(last, _options.Epsilon));
        AddHead("classifier", last);
    }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var patches = _patches.Forward(Padded(pixels, _options.PatchSize));                     // [B, D, R, S]
        (long Rows, long Columns) size = (patches.shape[2], patches.shape[3]);
        var x = Dropout.Apply(_first.Forward(patches.Flatten(2).Transpose(1, 2)), _options.HiddenDropout, training); // [B, N, D]
        trace?.AddHiddenState(x);
        foreach (var (blocks, downsampling, norm) in _stages)
        {
            var own = size;
            x = Through(x, blocks, (block, tokens) => block.Forward(tokens, own));              // [B, N, D]
            if (downsampling is not null)
            {
                var plane = downsampling.Forward(Padded(PvtV2Block.Plane(x, size), (2, 2)));    // [B, 2 D, R / 2, S / 2]
                size = (plane.shape[2], plane.shape[3]);
                x = norm!.Forward(plane.Flatten(2).Transpose(1, 2));                            // [B, N / 4, 2 D]
            }

            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x, size);
        return _last.Forward(x).Mean([1]).MoveToOuterDisposeScope();                            // [B, D]
    }

    protected override void InitializeLayer(Layer layer) => InitializeNormal(layer, _options.InitializerRange);

    /// <summary>A plane with zeros below and on the right up to whole patches.</summary>
    private static Tensor Padded(Tensor plane, (int Height, int Width) patch)
    {
        var below = (patch.Height - plane.shape[2] % patch.Height) % patch.Height;
        var right = (patch.Width - plane.shape[3] % patch.Width) % patch.Width;
        return below + right > 0 ? plane.Pad([0, right, 0, below]) : plane.Alias();
    }
}

/// <summary>One block of a FocalNet: focal modulation and a perceptron, each beside a shortcut, with a layer norm before it or after it.</summary>
/// <remarks>Source: transformers <c>FocalNetLayer</c>, <c>FocalNetModulation</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class FocalNetBlock : Layer
{
    private const int WindowGrowth = 2;

    private readonly FocalNetOptions _options;
    private readonly ParameterSlot? _firstScale;
    private readonly ParameterSlot? _secondScale;
    private readonly LayerNormalization _firstNorm;
    private readonly Dense _input;
    private readonly Convolution _context;
    private readonly Dense _output;
    private readonly List<Convolution> _levels = [];
    private readonly LayerNormalization? _inner;
    private readonly LayerNormalization _secondNorm;
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly double _dropPath;

    public FocalNetBlock(FocalNetOptions options, int stage, double dropPath)
        : base(nameof(FocalNetBlock))
    {
        _options = options;
        _dropPath = dropPath;
        _activation = Activation.Named(options.Activation);
        var (width, levels) = (options.Width << stage, options.Levels[stage]);
        _firstScale = options.HasLayerScale ? AddParameter("gamma_1", width) : null;
        _secondScale = options.HasLayerScale ? AddParameter("gamma_2", width) : null;
        _firstNorm = Add("norm1", new LayerNormalization(width, options.Epsilon));
        _input = Add("modulation.projection_in", new Dense(width, 2 * width + levels + 1));
        _context = Add("modulation.projection_context", new Convolution(width, width, new ConvolutionOptions(1)));
        _output = Add("modulation.projection_out", new Dense(width, width));
        for (var i = 0; i < levels; i++)
        {
            var side = WindowGrowth * i + options.Windows[stage];
            _levels.Add(Add($"modulation.focal_layers.{i}.0", new Convolution(
                width, width, new ConvolutionOptions(side) { Padding = (side / 2, side / 2), Groups = width, HasBias = false })));
        }

        _inner = options.NormsModulation ? Add("modulation.layernorm", new LayerNormalization(width, options.Epsilon)) : null;
        _secondNorm = Add("norm2", new LayerNormalization(width, options.Epsilon));
        _widen = Add("mlp.fc1", new Dense(width, (int)(width * options.PerceptronRatio)));
        _narrow = Add("mlp.fc2", new Dense((int)(width * options.PerceptronRatio), width));
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="size">Rows and columns of the tokens.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, (long Rows, long Columns) size)
    {
        using var scope = NewDisposeScope();
        var modulated = _options.NormsAfter ? _firstNorm.Forward(Modulate(tokens, size)) : Modulate(_firstNorm.Forward(tokens), size); // [B, N, D]
        var x = tokens.Plus(Branch(modulated, _firstScale));                                    // [B, N, D]
        var inner = _options.NormsAfter ? _secondNorm.Forward(Perceptron(x)) : Perceptron(_secondNorm.Forward(x)); // [B, N, D]
        return x.Plus(Branch(inner, _secondScale)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_firstScale?.Value, _options.LayerScale);
        WeightInitialization.Fill(_secondScale?.Value, _options.LayerScale);
    }

    private Tensor Modulate(Tensor tokens, (long Rows, long Columns) size)
    {
        var width = tokens.shape[2];
        var plane = PvtV2Block.Plane(_input.Forward(tokens), size).Contiguous();                // [B, 2 D + F + 1, R, S]
        var parts = plane.Split([width, width, _levels.Count + 1], 1);
        var (query, context, gates) = (parts[0], parts[1], parts[2]);                           // [B, D, R, S], the same, [B, F + 1, R, S]
        Tensor? all = null;
        for (var i = 0; i < _levels.Count; i++)
        {
            context = _levels[i].Forward(context).Gelu();                                       // [B, D, R, S]
            var part = context.Times(gates.Narrow(1, i, 1));
            all = all?.Plus(part) ?? part;
        }

        var global = context.Mean([2], keepsAxes: true).Mean([3], keepsAxes: true).Gelu();      // [B, D, 1, 1]
        var whole = global.Times(gates.Narrow(1, _levels.Count, 1));
        all = all?.Plus(whole) ?? whole;                                                        // [B, D, R, S]
        all = _options.NormalizesModulator ? all.Over(_levels.Count + 1) : all;
        var result = query.Times(_context.Forward(all)).Flatten(2).Transpose(1, 2);             // [B, N, D]
        result = _inner?.Forward(result) ?? result;
        return Dropout.Apply(_output.Forward(result), _options.HiddenDropout, training);
    }

    private Tensor Perceptron(Tensor x)
    {
        var inner = Dropout.Apply(_activation(_widen.Forward(x)), _options.HiddenDropout, training); // [B, N, I]
        return Dropout.Apply(_narrow.Forward(inner), _options.HiddenDropout, training);         // [B, N, D]
    }

    private Tensor Branch(Tensor x, ParameterSlot? scale) =>
        StochasticDepth.Apply(scale is { } slot ? slot.Value.Times(x) : x, _dropPath, training);
}

/// <summary>The keys of a FocalNet's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>FocalNetConfig</c>; the defaults are its own.</remarks>
internal sealed record FocalNetOptions
{
    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the numbers of stages differ.</exception>
    public FocalNetOptions(ModelConfiguration configuration)
    {
        PatchSize = configuration.Size("patch_size", 4);
        Channels = configuration.WholeNumber("num_channels", 3);
        Width = configuration.WholeNumber("embed_dim", 96);
        HasConvolutionalEmbedding = configuration.Flag("use_conv_embed", false);
        Depths = configuration.WholeNumbers("depths", 2, 2, 6, 2);
        Levels = configuration.WholeNumbers("focal_levels", 2, 2, 2, 2);
        Windows = configuration.WholeNumbers("focal_windows", 3, 3, 3, 3);
        Activation = configuration.Text("hidden_act", "gelu");
        PerceptronRatio = configuration.Number("mlp_ratio", 4);
        HiddenDropout = configuration.Number("hidden_dropout_prob", 0);
        DropPath = configuration.Number("drop_path_rate", 0.1);
        HasLayerScale = configuration.Flag("use_layerscale", false);
        LayerScale = configuration.Number("layerscale_value", 1e-4);
        NormsAfter = configuration.Flag("use_post_layernorm", false);
        NormsModulation = configuration.Flag("use_post_layernorm_in_modulation", false);
        NormalizesModulator = configuration.Flag("normalize_modulator", false);
        InitializerRange = configuration.Number("initializer_range", 0.02);
        Epsilon = configuration.Number("layer_norm_eps", 1e-5);
        OptionChecks.Stages(("depths", Depths), ("focal_levels", Levels), ("focal_windows", Windows));
        if (Windows.FirstOrDefault(w => w % 2 == 0) is > 0 and var even)
        {
            throw new ModelLoadException($"focal_windows has {even}, expected odd numbers, so that the context keeps the size.");
        }
    }

    public (int Height, int Width) PatchSize { get; }

    public int Channels { get; }

    public int Width { get; }

    public bool HasConvolutionalEmbedding { get; }

    public IReadOnlyList<int> Depths { get; }

    public IReadOnlyList<int> Levels { get; }

    public IReadOnlyList<int> Windows { get; }

    public string Activation { get; }

    public double PerceptronRatio { get; }

    public double HiddenDropout { get; }

    public double DropPath { get; }

    public bool HasLayerScale { get; }

    public double LayerScale { get; }

    public bool NormsAfter { get; }

    public bool NormsModulation { get; }

    public bool NormalizesModulator { get; }

    public double InitializerRange { get; }

    public double Epsilon { get; }
}
