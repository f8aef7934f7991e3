using Vizsla.Models;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Tests.Training;

/// <summary>A copy of all weights of a network.</summary>
internal sealed class Weights : IDisposable
{
    private readonly Dictionary<string, Tensor> _tensors;

    private Weights(ClassificationNetwork network) =>
        _tensors = network.State().ToDictionary(s => s.Name, s => s.Value.Copy().DetachFromDisposeScope());

    public IEnumerable<string> Names => _tensors.Keys;

    public Tensor this[string name] => _tensors[name];

    public static Weights Of(ClassificationNetwork network) => new(network);

    /// <summary>The weights of a model, which is disposed.</summary>
    public static Weights Of(ImageClassifier model)
    {
        using (model)
        {
            return new(model.Network);
        }
    }

    /// <summary>Largest difference of a weight.</summary>
    public double Difference(Weights other, string name)
    {
        using var scope = NewDisposeScope();
        return (this[name] - other[name]).abs().max().item<float>();
    }

    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
        {
            tensor.Dispose();
        }
    }
}
