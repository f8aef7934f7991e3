using static TorchSharp.torch;

namespace Vizsla.Models;

/// <summary>What a network saw on its way: hidden states; attention and the last plane where they are asked for.</summary>
/// <remarks>Source: transformers <c>output_hidden_states</c>, <c>output_attentions</c>. The trace owns its tensors; gradients flow through them.</remarks>
public sealed class NetworkTrace : IDisposable
{
    private readonly List<Tensor> _hiddenStates = [];
    private readonly List<Tensor> _attentions = [];

    /// <summary>Makes an empty trace for one call.</summary>
    /// <param name="withAttentions">Whether attention is kept too, which takes the slower way of computing it.</param>
    /// <param name="withPlane">Whether the plane that is pooled at the end is kept too, by the networks that have one.</param>
    public NetworkTrace(bool withAttentions = false, bool withPlane = false) => (WithAttentions, WithPlane) = (withAttentions, withPlane);

    /// <summary>Whether attention is kept.</summary>
    public bool WithAttentions { get; }

    /// <summary>Whether the last plane is kept.</summary>
    public bool WithPlane { get; }

    /// <summary>The hidden states from the embeddings to the last layer, in transformers' shapes.</summary>
    public IReadOnlyList<Tensor> HiddenStates => _hiddenStates;

    /// <summary>The attention of each layer, float [B, H, N, N], rows summing to one.</summary>
    public IReadOnlyList<Tensor> Attentions => _attentions;

    /// <summary>
    /// The plane that is pooled at the end, the very tensor that the scores are computed from: float [B, C, H, W], of a Swin the tokens of its last stage,
    /// float [B, N, D]. Null where it was not asked for or the network has none.
    /// </summary>
    public Tensor? Plane { get; private set; }

    /// <summary>Rows and columns of <see cref="Plane"/>.</summary>
    internal (int Rows, int Columns) PlaneSize { get; private set; }

    /// <summary>How tokens lie on the picture, for the networks whose tokens all attend to one another; null for others.</summary>
    internal TokenMap? Tokens { get; set; }

    /// <summary>Disposes everything it kept.</summary>
    public void Dispose()
    {
        _hiddenStates.ForEach(t => t.Dispose());
        _attentions.ForEach(t => t.Dispose());
        Plane?.Dispose();
        Plane = null;
        _hiddenStates.Clear();
        _attentions.Clear();
    }

    internal void AddHiddenState(Tensor state) => _hiddenStates.Add(state.alias().DetachFromDisposeScope());

    /// <param name="probabilities">Float [B, H, N, N].</param>
    internal void AddAttention(Tensor probabilities) => _attentions.Add(probabilities.alias().DetachFromDisposeScope());

    /// <summary>Takes a plane over from the scope that made it, so that the scores' gradient with respect to it can be asked for.</summary>
    internal void KeepPlane(Tensor plane) => KeepPlane(plane, ((int)plane.shape[2], (int)plane.shape[3]));

    /// <summary>The same for a plane whose places are tokens.</summary>
    internal void KeepPlane(Tensor plane, (long Rows, long Columns) size)
    {
        if (WithPlane)
        {
            Plane?.Dispose();
            Plane = plane.DetachFromDisposeScope();
            PlaneSize = ((int)size.Rows, (int)size.Columns);
        }
    }
}
