using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, N = R S tokens in R rows and S columns, D width, H heads, W side of a window, M windows of a picture, I inner width, L labels.

/// <summary>Swin V2 with a linear head on the mean of its last tokens.</summary>
/// <remarks>Source: transformers <c>Swinv2ForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class Swinv2Network : TransformersNetwork
{
    public const string ModelType = "swinv2";
    public const string Name = "Swinv2ForImageClassification";

    private const double FirstEpsilon = 1e-5;

    private readonly SwinOptions _options;
    private readonly ParameterSlot? _positions;
    private readonly Convolution _patches;
    private readonly LayerNormalization _first;
    private readonly List<(List<Swinv2Block> Blocks, PatchMerging? Merging)> _stages = [];
    private readonly LayerNormalization _last;

    public Swinv2Network(ModelConfiguration configuration)
        : base(configuration, Name, "swinv2.")
    {
        _options = new SwinOptions(configuration);
        var trained = configuration.WholeNumbers("pretrained_window_sizes", [.. Enumerable.Repeat(0, _options.Depths.Count)]);
        if (trained.Count < _options.Depths.Count)
        {
            throw new ModelLoadException($"pretrained_window_sizes has {trained.Count} entries and depths {_options.Depths.Count}; expected as many of each.");
        }

        _positions = _options.HasPositions ? AddParameter("swinv2.embeddings.position_embeddings", 1, _options.PatchCount, _options.Width) : null;
        _patches = Add("swinv2.embeddings.patch_embeddings.projection", _options.PatchProjection());
        _first = Add("swinv2.embeddings.norm", new LayerNormalization(_options.Width, FirstEpsilon));
        var rates = new Queue<double>(StochasticDepth.Rising(_options.DropPath, _options.Depths.Sum()));
        for (var stage = 0; stage < _options.Depths.Count; stage++)
        {
            var blocks = new List<Swinv2Block>();
            for (var i = 0; i < _options.Depths[stage]; i++)
            {
                blocks.Add(Add($"swinv2.encoder.layers.{stage}.blocks.{i}", new Swinv2Block(_options, stage, isShifted: i % 2 == 1, rates.Dequeue(), trained[stage])));
            }

            var isLast = stage == _options.Depths.Count - 1;
            _stages.Add((blocks, isLast ? null : Add($"swinv2.encoder.layers.{stage}.downsample", new PatchMerging(_options.StageWidth(stage), normsAfter: true))));
        }

        _last = Add("swinv2.layernorm", new LayerNormalization(_options.LastWidth, _options.Epsilon));
        AddHead("classifier", _options.LastWidth);
    }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var patches = _patches.Forward(_options.PaddedToPatches(pixels));                       // [B, D, R, S]
        (long Rows, long Columns) plane = (patches.shape[2], patches.shape[3]);
        var x = _first.Forward(patches.Flatten(2).Transpose(1, 2));                             // [B, N, D]
        x = _positions is { } slot ? x.Plus(_options.PositionsFor(slot.Value, pixels, x.shape[1], InterpolatesPositions)) : x;
        x = Dropout.Apply(x, _options.HiddenDropout, training);
        trace?.AddHiddenState(x);
        foreach (var (blocks, merging) in _stages)
        {
            var own = plane;
            x = Through(x, blocks, (block, tokens) => block.Forward(tokens, own, trace));     // [B, N, D]
            if (merging is not null)
            {
                x = merging.Forward(x, plane);                                                  // [B, N / 4, 2 D]
                plane = ((plane.Rows + 1) / 2, (plane.Columns + 1) / 2);
            }

            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x, plane);
        return _last.Forward(x).Mean([1]).MoveToOuterDisposeScope();                            // [B, D]
    }

    /// <summary>Indices and coordinates that old files hold follow from the configuration.</summary>
    internal override string? NameOf(string name) =>
        name.EndsWith("relative_position_index", StringComparison.Ordinal) || name.EndsWith("relative_coords_table", StringComparison.Ordinal) ? null : name;

    protected override void InitializeLayer(Layer layer)
    {
        InitializeNormal(layer, _options.InitializerRange);
        if (layer == _patches)
        {
            WeightInitialization.Fill(_positions?.Value, 0);
        }
    }
}

/// <summary>One block of a Swin V2: attention by the angle between queries and keys within windows, then a perceptron, each before a layer norm and beside a shortcut.</summary>
/// <remarks>Source: transformers <c>Swinv2Layer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class Swinv2Block : Layer
{
    private readonly ParameterSlot _scale;
    private readonly WindowDistances _distances;
    private readonly Dense _query;
    private readonly Dense _key;
    private readonly Dense _value;
    private readonly Dense _output;
    private readonly LayerNormalization _before;
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly LayerNormalization _after;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly SwinOptions _options;
    private readonly int _heads;
    private readonly int _side;
    private readonly int _shift;
    private readonly double _dropPath;

    public Swinv2Block(SwinOptions options, int stage, bool isShifted, double dropPath, int trainedSide)
        : base(nameof(Swinv2Block))
    {
        _options = options;
        _heads = options.HeadCounts[stage];
        (_side, _shift) = options.FixedWindow(stage, isShifted);
        _dropPath = dropPath;
        _activation = Activation.Named(options.Activation);
        var width = options.StageWidth(stage);
        _scale = AddParameter("attention.self.logit_scale", _heads, 1, 1);
        _distances = new WindowDistances(this, "attention.self.continuous_position_bias_mlp", _heads, _side, trainedSide);
        _query = Add("attention.self.query", new Dense(width, width, options.HasQueryBias));
        _key = Add("attention.self.key", new Dense(width, width, hasBias: false));
        _value = Add("attention.self.value", new Dense(width, width, options.HasQueryBias));
        _output = Add("attention.output.dense", new Dense(width, width));
        _before = Add("layernorm_before", new LayerNormalization(width, options.Epsilon));
        _widen = Add("intermediate.dense", new Dense(width, (int)(options.PerceptronRatio * width)));
        _narrow = Add("output.dense", new Dense((int)(options.PerceptronRatio * width), width));
        _after = Add("layernorm_after", new LayerNormalization(width, options.Epsilon));
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="plane">Rows and columns of the tokens.</param>
    /// <param name="trace">Takes the attention of the windows; null keeps none.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, (long Rows, long Columns) plane, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var mixed = Windows.Apply(tokens, plane, _side, _shift, (windows, mask) => Attend(windows, mask, trace)); // [B, N, D]
        var attended = tokens.Plus(StochasticDepth.Apply(_before.Forward(mixed), _dropPath, training)); // [B, N, D]
        var inner = _activation(_widen.Forward(attended));                                      // [B, N, I]
        var narrowed = Dropout.Apply(_narrow.Forward(inner), _options.HiddenDropout, training); // [B, N, D]
        return attended.Plus(StochasticDepth.Apply(_after.Forward(narrowed), _dropPath, training)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters() => WeightInitialization.Fill(_scale.Value, Math.Log(10));

    private Tensor Attend(Tensor windows, Tensor? mask, NetworkTrace? trace)
    {
        var (query, key, value) = (_query.Forward(windows), _key.Forward(windows), _value.Forward(windows));     // 3 x [B M, W W, D]
        var bias = _distances.Bias();                                                           // [1, H, W W, W W]
        bias = mask is null ? bias : bias.Plus(mask);                                           // [B M, H, W W, W W]
        var mixed = Attention.MixByAngle(query, key, value, _heads, _scale.Value, bias, training ? _options.AttentionDropout : 0, trace); // [B M, W W, D]
        return Dropout.Apply(_output.Forward(mixed), _options.AttentionDropout, training);
    }
}
