using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

// Shapes: B batch, N tokens, D width, H heads, I inner width of the perceptron.

/// <summary>A part of a block that has weights.</summary>
internal enum BlockPart
{
    /// <summary>Layer norm before the attention.</summary>
    FirstNorm,

    /// <summary>Projection to queries.</summary>
    Query,

    /// <summary>Projection to keys.</summary>
    Key,

    /// <summary>Projection to values.</summary>
    Value,

    /// <summary>Bias of the attention by relative position, where the family has one.</summary>
    RelativeBias,

    /// <summary>Projection of what the heads give.</summary>
    Output,

    /// <summary>Factors of the attention's branch; its own parameter.</summary>
    FirstScale,

    /// <summary>Layer norm before the perceptron.</summary>
    SecondNorm,

    /// <summary>Layer of the perceptron that gates what its first layer gives, where it is not a half of that.</summary>
    Gate,

    /// <summary>First layer of the perceptron.</summary>
    Widen,

    /// <summary>Second layer of the perceptron.</summary>
    Narrow,

    /// <summary>Factors of the perceptron's branch; its own parameter.</summary>
    SecondScale,
}

/// <summary>One block of a Vision Transformer: attention and perceptron, each after a layer norm and beside a shortcut.</summary>
/// <remarks>Source: transformers <c>ViTLayer</c>, <c>Dinov2Layer</c>, <c>BeitLayer</c>, <c>DINOv3ViTLayer</c> and their like, which differ in names and switches only. Parity: 1e-5.</remarks>
internal sealed class TransformerBlock : Layer
{
    private readonly Dictionary<BlockPart, TensorLayer> _layers = [];
    private readonly Dictionary<BlockPart, ParameterSlot> _scales = [];
    private readonly RelativePositionBias? _bias;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly TransformerOptions _options;
    private readonly double _dropPath;

    /// <param name="options">Widths and switches.</param>
    /// <param name="names">The parts' names in the file, in its order; a part that the options leave out is passed over.</param>
    /// <param name="dropPath">Share of the pictures that each branch leaves out, in training.</param>
    /// <param name="bias">Bias of the attention; null where there is none.</param>
    public TransformerBlock(TransformerOptions options, IEnumerable<(BlockPart Part, string Name)> names, double dropPath = 0, RelativePositionBias? bias = null)
        : base(nameof(TransformerBlock))
    {
        _options = options;
        _dropPath = dropPath;
        _activation = Activation.Named(options.IsGated ? "silu" : options.Activation);
        _bias = bias;
        foreach (var (part, name) in names)
        {
            if (Make(part) is { } layer)
            {
                _layers[part] = Add(name, layer);
            }
            else if (part == BlockPart.RelativeBias && bias is not null)
            {
                Add(name, bias);
            }
            else if (part is BlockPart.FirstScale or BlockPart.SecondScale && options.LayerScale > 0)
            {
                _scales[part] = AddParameter(name, options.Width);
            }
        }
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="trace">Takes the block's attention; null keeps none.</param>
    /// <param name="grid">Patches from top to bottom and from left to right; read where there is a bias by relative position.</param>
    /// <param name="shared">A bias that all blocks share, float [1, H, N, N]; null where there is none.</param>
    /// <param name="rotary">Positions by which queries and keys are turned; null where there are none.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, NetworkTrace? trace, (long Rows, long Columns) grid = default, Tensor? shared = null, RotaryPositions? rotary = null)
    {
        using var scope = NewDisposeScope();
        var own = _bias?.For(grid.Rows, grid.Columns);                                          // [1, H, N, N]
        var bias = own is not null && shared is not null ? own.Plus(shared) : own ?? shared;
        var x = Part(BlockPart.FirstNorm, tokens);                                              // [B, N, D]
        var early = _options.ComputesKeysFirst ? null : Part(BlockPart.Query, x);               // [B, N, D]
        var (key, value) = (Part(BlockPart.Key, x), Part(BlockPart.Value, x));                  // [B, N, D]
        var query = early ?? Part(BlockPart.Query, x);                                          // [B, N, D]
        if (rotary is { } positions)
        {
            (query, key) = (positions.Apply(query, _options.HeadCount), positions.Apply(key, _options.HeadCount));
        }

        var mixed = Attention.Mix(query, key, value, _options.HeadCount, bias, training ? _options.AttentionDropout : 0, trace); // [B, N, D]
        var projected = Dropout.Apply(Part(BlockPart.Output, mixed), _options.HiddenDropout, training);
        var attended = Branch(projected, BlockPart.FirstScale).Plus(tokens);                    // [B, N, D]
        var inner = Inner(Part(BlockPart.SecondNorm, attended));                                // [B, N, I]
        var narrowed = Dropout.Apply(Part(BlockPart.Narrow, inner), _options.DropsAfterPerceptron ? _options.HiddenDropout : 0, training);
        return Branch(narrowed, BlockPart.SecondScale).Plus(attended).MoveToOuterDisposeScope(); // [B, N, D]
    }

    /// <summary>Which part of this block a layer is; null for one of another block.</summary>
    public BlockPart? PartOf(Layer layer) => _layers.FirstOrDefault(l => l.Value == layer) is { Value: not null } found ? found.Key : null;

    /// <summary>Sets the scales to their configured start.</summary>
    public override void ResetParameters()
    {
        foreach (var scale in _scales.Values)
        {
            WeightInitialization.Fill(scale.Value, _options.LayerScale);
        }
    }

    private TensorLayer? Make(BlockPart part) => part switch
    {
        BlockPart.FirstNorm or BlockPart.SecondNorm => new LayerNormalization(_options.Width, _options.Epsilon),
        BlockPart.Query => new Dense(_options.Width, _options.Width, _options.HasQueryBias),
        BlockPart.Key => new Dense(_options.Width, _options.Width, _options.HasKeyBias),
        BlockPart.Value => new Dense(_options.Width, _options.Width, _options.HasValueBias),
        BlockPart.Output => new Dense(_options.Width, _options.Width, _options.HasOutputBias),
        BlockPart.Widen => new Dense(_options.Width, _options.IsGated ? 2 * _options.HiddenWidth : _options.HiddenWidth, _options.HasPerceptronBias),
        BlockPart.Gate when _options.HasOwnGate => new Dense(_options.Width, _options.HiddenWidth, _options.HasPerceptronBias),
        BlockPart.Narrow => new Dense(_options.HiddenWidth, _options.Width, _options.HasPerceptronBias),
        _ => null,
    };

    private Tensor Part(BlockPart part, Tensor input) => _layers[part].Forward(input);

    private Tensor Branch(Tensor x, BlockPart scale) =>
        StochasticDepth.Apply(_scales.TryGetValue(scale, out var slot) ? slot.Value.Times(x) : x, _dropPath, training);

    private Tensor Inner(Tensor input)
    {
        if (_options.HasOwnGate)
        {
            return _activation(Part(BlockPart.Gate, input)).Times(Part(BlockPart.Widen, input));
        }

        var x = Part(BlockPart.Widen, input);                                                   // [B, N, I or 2 I]
        if (!_options.IsGated)
        {
            return _activation(x);
        }

        var halves = x.Chunk(2, -1);                                                            // 2 x [B, N, I]
        return _activation(halves[0]).Times(halves[1]);
    }
}
