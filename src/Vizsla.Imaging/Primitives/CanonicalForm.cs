using System.Globalization;
using System.Text;

namespace Vizsla.Primitives;

/// <summary>Unicode's canonical decomposition (NFD), by which an é of one character and an e with an accent behind it are one name.</summary>
/// <remarks>
/// Source: Unicode Standard Annex 15. <see cref="string.Normalize()"/> leaves texts as they are where globalization is invariant, which the command line is, and a name must not depend on that.
/// </remarks>
internal static class CanonicalForm
{
    private const int HangulFirst = 0xAC00;
    private const int HangulCount = 11172;
    private const int HangulVowels = 21;
    private const int HangulTails = 28;
    private static readonly Lazy<(Dictionary<int, int[]> Parts, Dictionary<int, int> Classes)> s_data = new(ReadData);

    /// <summary>The decomposed text: equal for texts that a reader cannot tell apart.</summary>
    /// <param name="text">Any text.</param>
    public static string Decompose(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text;
        }

        var (parts, classes) = s_data.Value;
        var points = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value - HangulFirst is >= 0 and < HangulCount and var syllable)
            {
                points.AddRange([0x1100 + syllable / (HangulVowels * HangulTails), 0x1161 + syllable % (HangulVowels * HangulTails) / HangulTails]);
                if (syllable % HangulTails is > 0 and var tail)
                {
                    points.Add(0x11A7 + tail);
                }
            }
            else if (parts.TryGetValue(rune.Value, out var decomposed))
            {
                points.AddRange(decomposed);
            }
            else
            {
                points.Add(rune.Value);
            }
        }

        Order(points, classes);
        var result = new StringBuilder(points.Count);
        points.ForEach(p => result.Append(new Rune(p).ToString()));
        return result.ToString();
    }

    // Marks behind a letter stand in the order of their classes; those of one class keep theirs.
    private static void Order(List<int> points, Dictionary<int, int> classes)
    {
        for (var i = 1; i < points.Count; i++)
        {
            var mark = classes.GetValueOrDefault(points[i]);
            for (var at = i; mark > 0 && at > 0 && classes.GetValueOrDefault(points[at - 1]) > mark; at--)
            {
                (points[at], points[at - 1]) = (points[at - 1], points[at]);
            }
        }
    }

    private static (Dictionary<int, int[]> Parts, Dictionary<int, int> Classes) ReadData()
    {
        using var stream = typeof(CanonicalForm).Assembly.GetManifestResourceStream("Vizsla.Primitives.CanonicalForms.txt")!;
        using var reader = new StreamReader(stream);
        var (parts, classes) = (new Dictionary<int, int[]>(), new Dictionary<int, int>());
        while (reader.ReadLine() is { } line)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0 || words[0] == "#")
            {
                continue;
            }

            if (words[0].Contains('=', StringComparison.Ordinal))
            {
                foreach (var sides in words.Select(w => w.Split('=')))
                {
                    parts.Add(Hex(sides[0]), [.. sides[1].Split('+').Select(Hex)]);
                }

                continue;
            }

            foreach (var range in words[1..].Select(w => w.Split('-')))
            {
                for (var point = Hex(range[0]); point <= Hex(range[^1]); point++)
                {
                    classes.Add(point, int.Parse(words[0], CultureInfo.InvariantCulture));
                }
            }
        }

        return (parts, classes);
    }

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
