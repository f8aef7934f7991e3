using static TorchSharp.torch;

namespace Vizsla.Training.Optimizers;

/// <summary>What an optimizer remembers of one parameter.</summary>
public sealed class ParameterState : IDisposable
{
    private readonly SortedDictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>Steps that this parameter has taken.</summary>
    public long Step { get; set; }

    /// <summary>The tensors under torch's names, such as <c>exp_avg</c>.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => _tensors;

    /// <summary>A tensor of this name, made of zeros at first; the state owns it.</summary>
    /// <param name="name">torch's name of the tensor.</param>
    /// <param name="parameter">Gives shape, type and device.</param>
    public Tensor Zeros(string name, Tensor parameter) => GetOrAdd(name, () => zeros_like(parameter));

    /// <summary>A tensor of this name, made by <paramref name="make"/> at first; the state owns it.</summary>
    /// <param name="name">torch's name of the tensor.</param>
    /// <param name="make">Makes the first value.</param>
    public Tensor GetOrAdd(string name, Func<Tensor> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        if (!_tensors.TryGetValue(name, out var tensor))
        {
            _tensors.Add(name, tensor = make().DetachFromDisposeScope());
        }

        return tensor;
    }

    /// <summary>Gives a tensor to the state, which owns it from here on.</summary>
    /// <param name="name">torch's name of the tensor.</param>
    /// <param name="tensor">The tensor.</param>
    public void Add(string name, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        _tensors.Add(name, tensor.DetachFromDisposeScope());
    }

    /// <summary>Disposes the tensors.</summary>
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
        {
            tensor.Dispose();
        }

        _tensors.Clear();
    }
}
