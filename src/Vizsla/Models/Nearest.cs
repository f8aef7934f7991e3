namespace Vizsla.Models;

/// <summary>Finds what a misspelled name was meant to be.</summary>
internal static class Nearest
{
    /// <summary>" Did you mean 'x'?" for the nearest of the known names, or nothing when none is near.</summary>
    public static string Hint(string name, IEnumerable<string> known)
    {
        var near = Names(name, known, 1);
        return near.Count == 0 ? "" : $" Did you mean '{near[0]}'?";
    }

    /// <summary>The names within a third of the length in edits, or that contain it, nearest first.</summary>
    public static IReadOnlyList<string> Names(string name, IEnumerable<string> known, int count) =>
        [.. known
            .Select(k => (Name: k, Distance: Distance(name, k)))
            .Where(k => k.Distance <= Math.Max(2, name.Length / 3) || (name.Length >= 4 && k.Name.Contains(name, StringComparison.OrdinalIgnoreCase)))
            .OrderBy(k => k.Distance).ThenBy(k => k.Name, StringComparer.Ordinal)
            .Take(count)
            .Select(k => k.Name)];

    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = diagonal + (char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
