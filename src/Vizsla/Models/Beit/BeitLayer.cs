using Vizsla.Models.Layers;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Beit;

// Shapes: B batch, N tokens, D width, H heads, I inner width of the perceptron.

/// <summary>One block of a BEiT: attention with a relative bias and a perceptron, each after a layer norm, scaled per channel, beside a shortcut.</summary>
/// <remarks>Source: transformers <c>BeitLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class BeitLayer : Layer
{
    private readonly ParameterSlot? _attentionScale;
    private readonly ParameterSlot? _perceptronScale;
    private readonly Dense _query;
    private readonly Dense _key;
    private readonly Dense _value;
    private readonly RelativePositionBias? _bias;
    private readonly Dense _mixed;
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly LayerNormalization _before;
    private readonly LayerNormalization _after;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly BeitOptions _options;
    private readonly double _dropPath;

    public BeitLayer(BeitOptions options, double dropPath)
        : base(nameof(BeitLayer))
    {
        _options = options;
        _dropPath = dropPath;
        _activation = Activation.Named(options.Activation);
        var width = options.Width;
        if (options.LayerScale > 0)
        {
            _attentionScale = AddParameter("lambda_1", width);
            _perceptronScale = AddParameter("lambda_2", width);
        }

        _query = Add("attention.attention.query", new Dense(width, width));
        _key = Add("attention.attention.key", new Dense(width, width, hasBias: false));
        _value = Add("attention.attention.value", new Dense(width, width));
        _bias = options.HasRelativeBias
            ? Add("attention.attention.relative_position_bias", new RelativePositionBias(options.Grid, options.HeadCount))
            : null;
        _mixed = Add("attention.output.dense", new Dense(width, width));
        _widen = Add("intermediate.dense", new Dense(width, options.HiddenWidth));
        _narrow = Add("output.dense", new Dense(options.HiddenWidth, width));
        _before = Add("layernorm_before", new LayerNormalization(width, options.Epsilon));
        _after = Add("layernorm_after", new LayerNormalization(width, options.Epsilon));
    }

    /// <summary>Not used: the block needs the grid too.</summary>
    public override Tensor forward(Tensor input) => throw new NotSupportedException();

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="grid">Patches from top to bottom and from left to right.</param>
    /// <param name="shared">The bias that all blocks share, float [1, H, N, N]; null where there is none.</param>
    /// <param name="trace">Takes the block's attention; null keeps none.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, (long Rows, long Columns) grid, Tensor? shared, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var own = _bias?.For(grid.Rows, grid.Columns);                                          // [1, H, N, N]
        var bias = own is not null && shared is not null ? own.Plus(shared) : own ?? shared;
        var x = _before.forward(tokens);                                                        // [B, N, D]
        var mixed = Attention.Mix(
            _query.forward(x), _key.forward(x), _value.forward(x), _options.HeadCount, bias,
            training ? _options.AttentionDropout : 0, trace);                                   // [B, N, D]
        var attended = Branch(_mixed.forward(mixed), _attentionScale).Plus(tokens);                 // [B, N, D]
        var inner = _activation(_widen.forward(_after.forward(attended)));                      // [B, N, I]
        return Branch(_narrow.forward(inner), _perceptronScale).Plus(attended).MoveToOuterDisposeScope();
    }

    /// <summary>Sets the scales to their configured start.</summary>
    public override void ResetParameters()
    {
        Drawing.Fill(_attentionScale?.Value, _options.LayerScale);
        Drawing.Fill(_perceptronScale?.Value, _options.LayerScale);
    }

    private Tensor Branch(Tensor x, ParameterSlot? scale)
    {
        var kept = Dropout.Apply(x, _options.HiddenDropout, training);
        return StochasticDepth.Apply(scale is { } slot ? slot.Value * kept : kept, _dropPath, training);
    }
}
