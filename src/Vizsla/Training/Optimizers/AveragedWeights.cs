using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Training.Optimizers;

/// <summary>A second set of weights beside those that train, made of them as they go.</summary>
internal abstract class AveragedWeights : IDisposable
{
    private readonly List<(string Name, Tensor Weight, Tensor Average)> _pairs;

    /// <param name="weights">What is averaged, by name, on its device; the first average.</param>
    protected AveragedWeights(IReadOnlyList<(string Name, Tensor Value)> weights) =>
        _pairs = [.. weights.Select(s => (s.Name, s.Value, s.Value.Copy().DetachFromDisposeScope()))];

    /// <summary>The average under the names of the weights; stays this object's.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Tensors => [.. _pairs.Select(p => (p.Name, p.Average))];

    /// <summary>Takes in the weights as they are.</summary>
    public virtual void Update()
    {
        using var noGradient = no_grad();
        foreach (var (name, weight, average) in _pairs)
        {
            Take(name, weight, average);
        }
    }

    /// <summary>Puts the average instead of the weights until the result is disposed.</summary>
    public IDisposable Lend()
    {
        Swap();
        return new Loan(this);
    }

    /// <summary>Makes the average the weights for good.</summary>
    public void Settle()
    {
        using var noGradient = no_grad();
        foreach (var (_, weight, average) in _pairs)
        {
            weight.copy_(average);
        }
    }

    public void Dispose()
    {
        foreach (var (_, _, average) in _pairs)
        {
            average.Dispose();
        }
    }

    /// <summary>Takes one weight into its average.</summary>
    protected abstract void Take(string name, Tensor weight, Tensor average);

    private void Swap()
    {
        using var noGradient = no_grad();
        foreach (var (_, value, average) in _pairs)
        {
            using var weight = value.Copy();
            value.copy_(average);
            average.copy_(weight);
        }
    }

    private sealed class Loan(AveragedWeights average) : IDisposable
    {
        public void Dispose() => average.Swap();
    }
}
