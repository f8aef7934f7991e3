using Vizsla.Native;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Training.Optimizers;

/// <summary>A moving average of the weights beside those that train.</summary>
/// <remarks>Buffers such as the statistics of batch norms are averaged too, counters are copied. Source: timm <c>ModelEmaV3</c>.</remarks>
internal sealed class WeightAverage : IDisposable
{
    private readonly double _decay;
    private readonly List<(string Name, Tensor Weight, Tensor Average)> _pairs;

    /// <param name="weights">What is averaged, by name, on its device; the first average.</param>
    /// <param name="decay">Share of the average that stays at each step.</param>
    public WeightAverage(IReadOnlyList<(string Name, Tensor Value)> weights, double decay)
    {
        _decay = decay;
        _pairs = [.. weights.Select(s => (s.Name, s.Value, s.Value.Copy().DetachFromDisposeScope()))];
    }

    /// <summary>Takes in the weights as they are.</summary>
    public void Update()
    {
        using var noGradient = no_grad();
        foreach (var (_, value, average) in _pairs)
        {
            if (average.is_floating_point())
            {
                average.mul_(Kept(_decay)).add_(value, Kept(1 - _decay));
            }
            else
            {
                average.copy_(value);
            }
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
        foreach (var (_, value, average) in _pairs)
        {
            value.copy_(average);
        }
    }

    /// <summary>The average under the names of the weights; stays this object's.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Tensors => [.. _pairs.Select(p => (p.Name, p.Average))];

    public void Dispose()
    {
        foreach (var (_, _, average) in _pairs)
        {
            average.Dispose();
        }
    }

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

    private sealed class Loan(WeightAverage average) : IDisposable
    {
        public void Dispose() => average.Swap();
    }
}
