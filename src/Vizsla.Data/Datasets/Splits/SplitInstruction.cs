using System.Globalization;
using System.Text.RegularExpressions;

namespace Vizsla.Datasets.Splits;

/// <summary>Which rows of which splits: <c>train</c>, <c>train[:10%]</c>, <c>test+train[1:3]</c>.</summary>
/// <remarks>Source: <c>datasets.ReadInstruction</c>. Parity: exact, texts of the errors included; percentages round half to even.</remarks>
public sealed partial class SplitInstruction
{
    private const int Hundred = 100;
    private readonly Part[] _parts;

    private SplitInstruction(Part[] parts) => _parts = parts;

    private enum Rounding
    {
        Closest,
        WholePercents,
    }

    /// <summary>Reads an instruction.</summary>
    /// <param name="text">Parts joined by <c>+</c>, each a split with an optional slice and an optional <c>(pct1_dropremainder)</c>.</param>
    /// <exception cref="DatasetException">It is not spelled as one.</exception>
    public static SplitInstruction Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Part[] parts = [.. Plus().Split(text).Select(ParsePart)];
        if (parts.Where(p => p.IsPercent).Select(p => p.Rounding).Distinct().Count() > 1)
        {
            throw new DatasetException("It is forbidden to sum ReadInstruction instances with different rounding values.");
        }

        return new(parts);
    }

    /// <summary>The slices in numbers of rows.</summary>
    /// <param name="sizes">Rows of each split that exists.</param>
    /// <returns>Split, first row, row after the last; an empty slice may have its end before its start.</returns>
    /// <exception cref="DatasetException">A split does not exist, or is too small for whole percents.</exception>
    public IReadOnlyList<(string Split, int From, int To)> Resolve(IEnumerable<KeyValuePair<string, int>> sizes)
    {
        var known = sizes.ToList();
        return [.. _parts.Select(part => Resolve(part, known))];
    }

    private static (string Split, int From, int To) Resolve(Part part, List<KeyValuePair<string, int>> sizes)
    {
        var at = sizes.FindIndex(s => s.Key == part.Split);
        if (at < 0)
        {
            throw new DatasetException($"Unknown split \"{part.Split}\". Should be one of [{string.Join(", ", sizes.Select(s => $"'{s.Key}'"))}].");
        }

        var count = sizes[at].Value;
        return (part.Split, Bound(part, part.From, 0, count), Bound(part, part.To, count, count));
    }

    private static int Bound(Part part, long? given, int otherwise, int count)
    {
        if (given is not { } value)
        {
            return otherwise;
        }

        var row = part.IsPercent ? Percent(part.Rounding, value, count) : value;
        return (int)Math.Min(row < 0 ? Math.Max(count + row, 0) : row, count);
    }

    private static long Percent(Rounding rounding, long percent, int count)
    {
        if (rounding == Rounding.Closest)
        {
            return (long)Math.Round(percent * count / (double)Hundred, MidpointRounding.ToEven);
        }

        return count >= Hundred
            ? percent * (count / Hundred)
            : throw new DatasetException("Using \"pct1_dropremainder\" rounding on a split with less than 100 elements is forbidden: it always results in an empty dataset.");
    }

    private static Part ParsePart(string text)
    {
        var match = PartPattern().Match(text);
        if (!match.Success || !Number(match.Groups["from"], out var from) || !Number(match.Groups["to"], out var to))
        {
            throw new DatasetException($"Unrecognized instruction format: {text}");
        }

        var isPercent = match.Groups["from_pct"].Success || match.Groups["to_pct"].Success;
        var rounding = match.Groups["rounding"].Success ? match.Groups["rounding"].Value : null;
        if (rounding is not (null or "closest" or "pct1_dropremainder"))
        {
            throw new DatasetException("rounding must be either closest or pct1_dropremainder");
        }

        if (!isPercent && rounding is not null)
        {
            throw new DatasetException("It is forbidden to specify rounding if not using percent slicing.");
        }

        return !isPercent || (Math.Abs(from ?? 0) <= Hundred && Math.Abs(to ?? 0) <= Hundred)
            ? new(match.Groups["split"].Value, from, to, isPercent, rounding == "pct1_dropremainder" ? Rounding.WholePercents : Rounding.Closest)
            : throw new DatasetException("Percent slice boundaries must be > -100 and < 100.");
    }

    private static bool Number(Group group, out long? value)
    {
        var isNumber = long.TryParse(group.Value.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number);
        value = group.Length > 0 ? number : null;
        return value is null || isNumber;
    }

    [GeneratedRegex(@"\s*\+\s*")]
    private static partial Regex Plus();

    [GeneratedRegex(@"^(?<split>\w+(\.\w+)*)(\[((?<from>-?[0-9_]+)(?<from_pct>%)?)?:((?<to>-?[0-9_]+)(?<to_pct>%)?)?\])?(\((?<rounding>[^\)]*)\))?$")]
    private static partial Regex PartPattern();

    private sealed record Part(string Split, long? From, long? To, bool IsPercent, Rounding Rounding);
}
