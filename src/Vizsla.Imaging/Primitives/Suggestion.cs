namespace Vizsla.Primitives;

/// <summary>Finds the known name that a mistyped one most likely meant.</summary>
internal static class Suggestion
{
    /// <summary>The known name with the fewest edits, if it is near enough to be meant.</summary>
    /// <param name="typed">What was typed.</param>
    /// <param name="known">The names that exist.</param>
    /// <returns>The nearest name, or null when none is within a third of the letters (at least two edits); '-' and '_' count as the same letter.</returns>
    public static string? Nearest(string typed, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(typed);
        ArgumentNullException.ThrowIfNull(known);
        var limit = Math.Max(2, typed.Length / 3);
        return known
            .Select(name => (Name: name, Edits: Distance(Fold(typed), Fold(name))))
            .Where(candidate => candidate.Edits <= limit)
            .OrderBy(candidate => candidate.Edits)
            .ThenBy(candidate => candidate.Name, StringComparer.Ordinal)
            .Select(candidate => candidate.Name)
            .FirstOrDefault();
    }

    /// <summary>" Did you mean 'x'?" with a leading space, or nothing.</summary>
    /// <param name="typed">What was typed.</param>
    /// <param name="known">The names that exist.</param>
    public static string DidYouMean(string typed, IEnumerable<string> known) =>
        Nearest(typed, known) is { } name ? $" Did you mean '{name}'?" : "";

    private static string Fold(string name) => name.ToUpperInvariant().Replace('-', '_');

    // Optimal string alignment: insertions, deletions, replacements and swaps of neighbours count one each.
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            rows[i, 0] = i;
        }

        for (var j = 0; j <= b.Length; j++)
        {
            rows[0, j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var change = a[i - 1] == b[j - 1] ? 0 : 1;
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + change);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }
}

/// <summary>What an exception says, for a person who called no method.</summary>
internal static class ErrorSentence
{
    /// <summary>The message without the name of a method's parameter, which .NET puts behind it.</summary>
    /// <param name="exception">The exception.</param>
    /// <returns>Its message; of an <see cref="ArgumentException"/> without <c>(Parameter '...')</c>.</returns>
    public static string Of(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception is ArgumentException { ParamName: { } name }
            ? exception.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal)
            : exception.Message;
    }
}
