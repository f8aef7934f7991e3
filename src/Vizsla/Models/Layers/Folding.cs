namespace Vizsla.Models.Layers;

/// <summary>Convolution units that are folded as long as this lives.</summary>
internal sealed class Folding : IDisposable
{
    private readonly IReadOnlyList<ConvolutionUnit> _units;

    /// <param name="units">The units; folded at once.</param>
    public Folding(IReadOnlyList<ConvolutionUnit> units)
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
}
