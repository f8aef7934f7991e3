using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Convolution units that are folded as long as this lives.</summary>
internal sealed class Folding : IDisposable
{
    private readonly IReadOnlyList<IFoldable> _units;

    /// <param name="units">The units; folded at once.</param>
    public Folding(IReadOnlyList<IFoldable> units)
    {
        _units = units;
        foreach (var unit in units)
        {
            unit.Fold();
        }
    }

    public void Dispose()
    {
        foreach (var unit in _units)
        {
            unit.Unfold();
        }
    }

    /// <summary>One convolution that does the work of a convolution and the batch norm behind it, from the running statistics.</summary>
    /// <returns>Weight and bias in the caller's scope.</returns>
    public static (Tensor Weight, Tensor Bias) Joined(Tensor weight, Tensor? bias, BatchNormalization norm)
    {
        var scale = norm.Weight.Over(norm.RunningVariance.Plus(norm.Epsilon).Sqrt());
        var shifted = bias is null ? norm.RunningMean.Times(-1) : bias.Minus(norm.RunningMean);
        return (weight.Times(scale.Reshape(-1, 1, 1, 1)), shifted.Times(scale).Plus(norm.Bias));
    }
}
