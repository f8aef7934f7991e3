namespace Vizsla.Hub.Cards;

/// <summary>The styles in which YAML can write a string.</summary>
/// <param name="AllowsPlain">Without quotes.</param>
/// <param name="AllowsSingleQuotes">In single quotes, without escapes.</param>
/// <param name="IsMultiline">Holds line breaks.</param>
/// <remarks>Source: PyYAML <c>analyze_scalar</c>, for block context.</remarks>
internal readonly record struct ScalarShape(bool AllowsPlain, bool AllowsSingleQuotes, bool IsMultiline)
{
    public static ScalarShape Of(string text, bool allowUnicode)
    {
        if (text.Length == 0)
        {
            return new(true, true, false);
        }

        var indicators = text.StartsWith("---", StringComparison.Ordinal) || text.StartsWith("...", StringComparison.Ordinal);
        var (breaks, special, breakThenSpace, spaceThenBreak) = (false, false, false, false);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            indicators |= IsIndicator(text, i);
            breaks |= IsBreak(c);
            special |= c != '\n' && c is not (>= ' ' and <= '~') && !(allowUnicode && IsPrintable(text, i));
            breakThenSpace |= c == ' ' && i > 0 && IsBreak(text[i - 1]);
            spaceThenBreak |= IsBreak(c) && i > 0 && text[i - 1] == ' ';
        }

        var blankEnds = IsBlank(text[0]) || IsBlank(text[^1]);
        return new(
            !indicators && !breaks && !special && !breakThenSpace && !spaceThenBreak && !blankEnds,
            !special && !breakThenSpace && !spaceThenBreak,
            breaks);
    }

    private static bool IsIndicator(string text, int i)
    {
        var spaceFollows = i + 1 >= text.Length || IsSpaceLike(text[i + 1]);
        return i == 0
            ? ",#[]{}&*!|>'\"%@`".Contains(text[0], StringComparison.Ordinal) || (text[0] is '?' or ':' or '-' && spaceFollows)
            : (text[i] == ':' && spaceFollows) || (text[i] == '#' && IsSpaceLike(text[i - 1]));
    }

    private static bool IsPrintable(string text, int i) => text[i] switch
    {
        '\u0085' => true,
        '\uFEFF' => false,
        (>= '\u00A0' and <= '\uD7FF') or (>= '\uE000' and <= '\uFFFD') => true,
        var c => char.IsSurrogate(c) && (char.IsSurrogatePair(text, i) || (i > 0 && char.IsSurrogatePair(text, i - 1))),
    };

    /// <summary>Whether YAML 1.1 ends a line here.</summary>
    public static bool IsBreak(char c) => c is '\n' or '\u0085' or '\u2028' or '\u2029';

    private static bool IsBlank(char c) => c == ' ' || IsBreak(c);

    private static bool IsSpaceLike(char c) => c is '\0' or ' ' or '\t' or '\r' || IsBreak(c);
}
