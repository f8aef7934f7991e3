using Vizsla.Models.Layers;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Vit;

// Shapes: B batch, N tokens, D width, I inner width of the perceptron.

/// <summary>One block of a Vision Transformer: attention and perceptron, each after a layer norm and beside a shortcut.</summary>
/// <remarks>Source: transformers <c>ViTLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class VitLayer : Layer
{
    private readonly Dense _query;
    private readonly Dense _key;
    private readonly Dense _value;
    private readonly Dense _mixed;
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly LayerNormalization _before;
    private readonly LayerNormalization _after;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly VitOptions _options;

    public VitLayer(VitOptions options)
        : base(nameof(VitLayer))
    {
        _options = options;
        _activation = Activation.Named(options.Activation);
        _query = Add("attention.attention.query", new Dense(options.Width, options.Width, options.HasQueryBias));
        _key = Add("attention.attention.key", new Dense(options.Width, options.Width, options.HasQueryBias));
        _value = Add("attention.attention.value", new Dense(options.Width, options.Width, options.HasQueryBias));
        _mixed = Add("attention.output.dense", new Dense(options.Width, options.Width));
        _widen = Add("intermediate.dense", new Dense(options.Width, options.HiddenWidth));
        _narrow = Add("output.dense", new Dense(options.HiddenWidth, options.Width));
        _before = Add("layernorm_before", new LayerNormalization(options.Width, options.Epsilon));
        _after = Add("layernorm_after", new LayerNormalization(options.Width, options.Epsilon));
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
        var attended = Dropout.Apply(_mixed.forward(mixed), _options.HiddenDropout, training).Plus(tokens); // [B, N, D]
        var inner = _activation(_widen.forward(_after.forward(attended)));                      // [B, N, I]
        var narrowed = Dropout.Apply(_narrow.forward(inner), _options.HiddenDropout, training); // [B, N, D]
        return narrowed.Plus(attended).MoveToOuterDisposeScope();                                 // [B, N, D]
    }
}
