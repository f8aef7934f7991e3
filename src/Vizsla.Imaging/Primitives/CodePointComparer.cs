namespace Vizsla.Primitives;

/// <summary>Orders strings by Unicode code point, as Python's <c>sorted</c> does.</summary>
/// <remarks>Ordinal comparison of UTF-16 puts characters beyond U+FFFF (an emoji) before U+E000 to U+FFFF; code points do not.</remarks>
internal sealed class CodePointComparer : IComparer<string>
{
    private CodePointComparer()
    {
    }

    /// <summary>The instance.</summary>
    public static CodePointComparer Instance { get; } = new();

    /// <inheritdoc/>
    public int Compare(string? x, string? y)
    {
        if (x is null || y is null)
        {
            return (x is null ? 0 : 1) - (y is null ? 0 : 1);
        }

        var same = x.AsSpan().CommonPrefixLength(y);
        if (same == x.Length || same == y.Length)
        {
            return x.Length - y.Length;
        }

        return Weight(x[same]) - Weight(y[same]);
    }

    // A surrogate belongs to a code point above every other UTF-16 unit.
    private static int Weight(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}
