using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>What each layer of a network would make and multiply; the layers hand out zeros meanwhile, so that measuring costs next to nothing.</summary>
internal sealed class LayerMeter : IDisposable
{
    [ThreadStatic]
    private static LayerMeter? _current;

    private readonly Dictionary<Layer, LayerNote> _notes = new(ReferenceEqualityComparer.Instance);

    /// <summary>Starts to count on this thread what is multiplied outside the layers, until it is disposed.</summary>
    public LayerMeter() => _current = this;

    /// <summary>What counts on this thread; null where nothing is measured.</summary>
    public static LayerMeter? Current => _current;

    /// <summary>Multiplications outside the layers: those of attention, and of convolutions whose weights are not a layer's own.</summary>
    public long Products { get; private set; }

    /// <summary>Shape of what the last of them made; null where there was none.</summary>
    public long[]? ProductShape { get; private set; }

    /// <summary>Counts a product of matrices, or a convolution.</summary>
    /// <param name="product">What it makes.</param>
    /// <param name="length">What each of its values is summed over.</param>
    public void Count(Tensor product, long length)
    {
        Products += product.numel() * length;
        ProductShape = product.shape;
    }

    public void Dispose() => _current = null;

    /// <summary>What was noted of a layer; null for one that did nothing.</summary>
    public LayerNote? NoteOf(Layer layer) => _notes.GetValueOrDefault(layer);

    /// <summary>Notes a layer's work and gives zeros of the shape of its result.</summary>
    /// <param name="layer">The layer; one that works twice multiplies twice.</param>
    /// <param name="input">What it works on.</param>
    /// <param name="shape">Shape of its result.</param>
    /// <param name="productsPerValue">Multiplications for each value of the result.</param>
    /// <returns>Zeros; the caller owns them.</returns>
    public Tensor StandIn(Layer layer, Tensor input, long[] shape, long productsPerValue)
    {
        var products = productsPerValue * shape.Aggregate(1L, (count, length) => count * length);
        _notes[layer] = new(input.shape, shape, products + (NoteOf(layer)?.Products ?? 0));
        return zeros(shape);
    }
}

/// <summary>What a layer made.</summary>
/// <param name="InputShape">Shape of what it last worked on.</param>
/// <param name="Shape">Shape of its result.</param>
/// <param name="Products">Multiplications it took.</param>
internal sealed record LayerNote(long[] InputShape, long[] Shape, long Products);
