using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm.Vit;

// Shapes: B batch, N tokens, D width, I inner width of the perceptron.

/// <summary>One block of timm's Vision Transformer: attention and perceptron, each after a layer norm and beside a shortcut.</summary>
/// <remarks>Source: timm <c>Block</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class TimmVitBlock : Layer
{
    internal const double Epsilon = 1e-6;
    private const int PerceptronRatio = 4;

    private readonly LayerNormalization _before;
    private readonly Dense _joined;
    private readonly Dense _mixed;
    private readonly LayerNormalization _after;
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly int _heads;
    private readonly double _dropPath;

    public TimmVitBlock(int width, int heads, double dropPath)
        : base(nameof(TimmVitBlock))
    {
        _heads = heads;
        _dropPath = dropPath;
        _before = Add("norm1", new LayerNormalization(width, Epsilon));
        _joined = Add("attn.qkv", new Dense(width, 3 * width));
        _mixed = Add("attn.proj", new Dense(width, width));
        _after = Add("norm2", new LayerNormalization(width, Epsilon));
        _widen = Add("mlp.fc1", new Dense(width, PerceptronRatio * width));
        _narrow = Add("mlp.fc2", new Dense(PerceptronRatio * width, width));
    }

    /// <summary>The block's result, with its attention kept in a trace.</summary>
    public Tensor Forward(Tensor tokens, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var parts = _joined.Forward(_before.Forward(tokens)).chunk(3, -1);                      // 3 x [B, N, D]
        var mixed = _mixed.Forward(Attention.Mix(parts[0], parts[1], parts[2], _heads, trace: trace));
        var attended = tokens.Plus(StochasticDepth.Apply(mixed, _dropPath, training));              // [B, N, D]
        var inner = nn.functional.gelu(_widen.Forward(_after.Forward(attended)));               // [B, N, I]
        return attended.Plus(StochasticDepth.Apply(_narrow.Forward(inner), _dropPath, training)).MoveToOuterDisposeScope();
    }
}
