namespace Vizsla.Models.Layers;

/// <summary>Convolution units that are folded as long as this lives.</summary>
internal sealed class Folding : IDisposable
{
    private readonly IReadOnlyList<ConvolutionUnit> _units;

    private readonly Action _end;

    /// <param name="units">The units; folded at once.</param>
    /// <param name="end">Called when they are unfolded.</param>
    public Folding(IReadOnlyList<ConvolutionUnit> units, Action end)
    {
        _units = units;
        _end = end;
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

        _end();
    }
}
