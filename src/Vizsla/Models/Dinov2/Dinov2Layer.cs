using Vizsla.Models.Layers;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Dinov2;

// Shapes: B batch, N tokens, D width, I inner width of the perceptron.

/// <summary>One block of a DINOv2: attention and perceptron, each after a layer norm, scaled per channel, beside a shortcut.</summary>
/// <remarks>Source: transformers <c>Dinov2Layer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class Dinov2Layer : Layer
{
    private readonly Dense _query;
    private readonly Dense _key;
    private readonly Dense _value;
    private readonly Dense _mixed;
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly LayerNormalization _before;
    private readonly LayerNormalization _after;
    private readonly ParameterSlot _attentionScale;
    private readonly ParameterSlot _perceptronScale;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly Dinov2Options _options;

    public Dinov2Layer(Dinov2Options options)
        : base(nameof(Dinov2Layer))
    {
        _options = options;
        _activation = Activation.Named(options.Activation);
        var width = options.Width;
        _before = Add("norm1", new LayerNormalization(width, options.Epsilon));
        _query = Add("attention.attention.query", new Dense(width, width, options.HasQueryBias));
        _key = Add("attention.attention.key", new Dense(width, width, options.HasQueryBias));
        _value = Add("attention.attention.value", new Dense(width, width, options.HasQueryBias));
        _mixed = Add("attention.output.dense", new Dense(width, width));
        _attentionScale = AddParameter("layer_scale1.lambda1", width);
        _after = Add("norm2", new LayerNormalization(width, options.Epsilon));
        _widen = options.IsGated
            ? Add("mlp.weights_in", new Dense(width, 2 * options.GatedWidth))
            : Add("mlp.fc1", new Dense(width, options.HiddenWidth));
        _narrow = options.IsGated
            ? Add("mlp.weights_out", new Dense(options.GatedWidth, width))
            : Add("mlp.fc2", new Dense(options.HiddenWidth, width));
        _perceptronScale = AddParameter("layer_scale2.lambda1", width);
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public override Tensor forward(Tensor tokens) => Forward(tokens, null);

    /// <summary>The same with the block's attention kept in a trace.</summary>
    public Tensor Forward(Tensor tokens, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var x = _before.forward(tokens);                                                        // [B, N, D]
        var mixed = Attention.Mix(
            _query.forward(x), _key.forward(x), _value.forward(x), _options.HeadCount,
            dropout: training ? _options.AttentionDropout : 0, trace: trace);                   // [B, N, D]
        var scaled = _mixed.forward(mixed) * _attentionScale.Value;                             // [B, N, D]
        var attended = StochasticDepth.Apply(scaled, _options.DropPath, training).Plus(tokens);     // [B, N, D]
        var inner = Perceptron(_after.forward(attended)) * _perceptronScale.Value;              // [B, N, D]
        return StochasticDepth.Apply(inner, _options.DropPath, training).Plus(attended).MoveToOuterDisposeScope();
    }

    /// <summary>Sets the scales to their configured start.</summary>
    public override void ResetParameters()
    {
        Drawing.Fill(_attentionScale.Value, _options.LayerScale);
        Drawing.Fill(_perceptronScale.Value, _options.LayerScale);
    }

    private Tensor Perceptron(Tensor x)
    {
        var inner = _widen.forward(x);                                                          // [B, N, I] or [B, N, 2 I]
        if (!_options.IsGated)
        {
            return _narrow.forward(_activation(inner));                                         // [B, N, D]
        }

        var halves = inner.chunk(2, -1);                                                        // 2 x [B, N, I]
        return _narrow.forward(nn.functional.silu(halves[0]) * halves[1]);                      // [B, N, D]
    }
}
