namespace Vizsla.Hub.Cards;

/// <summary>What pages check of a card's Markdown before it is rendered.</summary>
internal static class CardText
{
    /// <summary>Characters of the longest card that is rendered.</summary>
    public const int Longest = 1024 * 1024;

    // Renderers look back from each of these to all before it in its paragraph.
    private const string Delimiters = "*_~^+=|`<";
    private const int CostOfBracket = 4;
    private const long MostCost = 4_000_000;

    /// <summary>Whether a text is rendered in little time. One that is not is shown as it is.</summary>
    /// <remarks>Emphasis and links cost the square of their number in a paragraph; some kilobytes of <c>[a](b</c> took seconds.</remarks>
    public static bool IsCheap(string text)
    {
        if (text.Length > Longest)
        {
            return false;
        }

        var (cost, marks) = (0L, 0L);
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.IsWhiteSpace())
            {
                (cost, marks) = (cost + (marks * marks), 0);
                continue;
            }

            foreach (var c in line)
            {
                marks += c == '[' ? CostOfBracket : Delimiters.Contains(c, StringComparison.Ordinal) ? 1 : 0;
            }
        }

        return cost + (marks * marks) <= MostCost;
    }
}
