namespace Vizsla.Primitives;

public sealed partial class Rng
{
    /// <summary>The word of the state at the reading position, untempered; the first word where the state is used up.</summary>
    internal uint CurrentWord => _state[_next < StateLength ? _next : 0];
}
