using static TorchSharp.torch;

namespace Vizsla.Models;

/// <summary>What a network saw on its way: hidden states, and attention where it is asked for.</summary>
/// <remarks>Source: transformers <c>output_hidden_states</c>, <c>output_attentions</c>. The trace owns its tensors; gradients flow through them.</remarks>
public sealed class NetworkTrace : IDisposable
{
    private readonly List<Tensor> _hiddenStates = [];
    private readonly List<Tensor> _attentions = [];

    /// <summary>Makes an empty trace for one call.</summary>
    /// <param name="withAttentions">Whether attention is kept too, which takes the slower way of computing it.</param>
    public NetworkTrace(bool withAttentions = false) => WithAttentions = withAttentions;

    /// <summary>Whether attention is kept.</summary>
    public bool WithAttentions { get; }

    /// <summary>The hidden states from the embeddings to the last layer, in transformers' shapes.</summary>
    public IReadOnlyList<Tensor> HiddenStates => _hiddenStates;

    /// <summary>The attention of each layer, float [B, H, N, N], rows summing to one.</summary>
    public IReadOnlyList<Tensor> Attentions => _attentions;

    /// <summary>Multiplications of queries with keys and of attention with values, where attention is kept.</summary>
    internal long AttentionProducts { get; private set; }

    /// <summary>Disposes everything it kept.</summary>
    public void Dispose()
    {
        _hiddenStates.ForEach(t => t.Dispose());
        _attentions.ForEach(t => t.Dispose());
        _hiddenStates.Clear();
        _attentions.Clear();
    }

    internal void AddHiddenState(Tensor state) => _hiddenStates.Add(state.alias().DetachFromDisposeScope());

    /// <param name="probabilities">Float [B, H, N, N].</param>
    /// <param name="headWidth">Width of a query, key or value.</param>
    internal void AddAttention(Tensor probabilities, long headWidth)
    {
        _attentions.Add(probabilities.alias().DetachFromDisposeScope());
        AttentionProducts += 2 * probabilities.numel() * headWidth;
    }
}
