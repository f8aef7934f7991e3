using TorchSharp;
using Vizsla.Models.Graphs;
using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

// Shapes: B batch, N tokens, D width, H heads, K = D / H.

/// <summary>Multi-head attention between tokens, after their projections.</summary>
/// <remarks>Source: transformers <c>sdpa_attention_forward</c>, <c>eager_attention_forward</c>. Parity: 1e-5.</remarks>
internal static class Attention
{
    // The probabilities of a layer are kept for its gradient; above this the fused operator, which keeps none, is the better choice.
    private const long MostKeptBytes = 64L << 20;

    /// <summary>Mixes values by the likeness of queries and keys.</summary>
    /// <param name="query">Float [B, N, D].</param>
    /// <param name="key">Float [B, N', D]; N' may differ from N.</param>
    /// <param name="value">Float [B, N', D].</param>
    /// <param name="heads">Number of heads; divides D.</param>
    /// <param name="bias">Added to the scores, float [1 or B, H, N, N]; null adds nothing.</param>
    /// <param name="dropout">Share of the probabilities set to zero; 0 outside training.</param>
    /// <param name="trace">Takes the probabilities where it asks for attention.</param>
    /// <param name="isExplicit">Whether three plain products are taken whatever is faster, as a family has it whose keys are nearly alike: the fused operator's gradient rounds more.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public static Tensor Mix(
        Tensor query, Tensor key, Tensor value, int heads, Tensor? bias = null, double dropout = 0, NetworkTrace? trace = null, bool isExplicit = false)
    {
        using var scope = NewDisposeScope();
        var q = Split(query, heads);                                                            // [B, H, N, K]
        var k = Split(key, heads);                                                              // [B, H, N, K]
        var v = Split(value, heads);                                                            // [B, H, N, K]
        var mixed = isExplicit || trace is { WithAttentions: true } || GraphRecorder.Current is not null || LayerMeter.Current is not null || (dropout == 0 && IsFasterExplicit(q))
            ? Explicit(q, k, v, bias, dropout, trace)
            : nn.functional.scaled_dot_product_attention(q, k, v, bias, dropout);               // [B, H, N, K]
        return mixed.Transpose(1, 2).Flatten(2).MoveToOuterDisposeScope();                      // [B, N, D]
    }

    /// <summary>Mixes values by the angle between queries and keys.</summary>
    /// <param name="query">Float [B, N, D].</param>
    /// <param name="key">Float [B, N, D].</param>
    /// <param name="value">Float [B, N, D].</param>
    /// <param name="heads">Number of heads; divides D.</param>
    /// <param name="logScale">Logarithm of what each head multiplies the cosines by, at most 100; float [H, 1, 1].</param>
    /// <param name="bias">Added to the scores, float [1 or B, H, N, N].</param>
    /// <param name="dropout">Share of the probabilities set to zero; 0 outside training.</param>
    /// <param name="trace">Takes the probabilities where it asks for attention.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    /// <remarks>Source: transformers <c>Swinv2SelfAttention</c>, timm <c>swin_transformer_v2.WindowAttention</c>. Parity: 1e-5.</remarks>
    public static Tensor MixByAngle(Tensor query, Tensor key, Tensor value, int heads, Tensor logScale, Tensor bias, double dropout, NetworkTrace? trace)
    {
        const double LargestScale = 100;
        using var scope = NewDisposeScope();
        var (q, k) = (Direction(Split(query, heads)), Direction(Split(key, heads)));            // [B, H, N, K]
        var scale = logScale.Clamp(double.NegativeInfinity, Math.Log(LargestScale)).Exp();      // [H, 1, 1]
        var probabilities = q.MatMul(k.Transpose(2, 3)).Times(scale).Plus(bias).Softmax(-1);    // [B, H, N, N]
        trace?.AddAttention(probabilities);
        var dropped = dropout > 0 ? nn.functional.dropout(probabilities, dropout) : probabilities;
        return dropped.MatMul(Split(value, heads)).Transpose(1, 2).Flatten(2).MoveToOuterDisposeScope();
    }

    /// <summary>The same direction along the last axis with length 1.</summary>
    public static Tensor Direction(Tensor x)
    {
        const double SmallestLength = 1e-12;
        return x.Over(x.Norm([-1], keepsAxes: true).Clamp(SmallestLength, double.PositiveInfinity));
    }

    /// <summary>Whether three plain products are faster than libtorch's fused operator: in bfloat16 on a CPU, where its gradient runs at a sixth of their rate.</summary>
    private static bool IsFasterExplicit(Tensor q) =>
        q.dtype == ScalarType.BFloat16 && q.device_type == DeviceType.CPU
        && q.shape[0] * q.shape[1] * q.shape[2] * q.shape[2] * sizeof(short) <= MostKeptBytes;

    private static Tensor Explicit(Tensor q, Tensor k, Tensor v, Tensor? bias, double dropout, NetworkTrace? trace)
    {
        var scores = q.Times(1 / Math.Sqrt(q.shape[3])).MatMul(k.Transpose(2, 3));                // [B, H, N, N]
        var probabilities = (bias is null ? scores : scores.Plus(bias)).Softmax(-1);             // [B, H, N, N]
        trace?.AddAttention(probabilities);
        return (dropout > 0 ? nn.functional.dropout(probabilities, dropout) : probabilities).MatMul(v); // [B, H, N, K]
    }

    private static Tensor Split(Tensor tokens, int heads) => tokens.Unflatten(2, heads, -1).Transpose(1, 2);
}
