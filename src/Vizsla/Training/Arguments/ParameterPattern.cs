using System.Text.RegularExpressions;

namespace Vizsla.Training.Arguments;

/// <summary>Regular expressions that are searched in parameter names.</summary>
internal static class ParameterPattern
{
    // Names are short and expressions the user's own: a second means a mistake.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static bool Matches(string pattern, string name) => Regex.IsMatch(name, pattern, RegexOptions.CultureInvariant, Patience);

    /// <summary>What is wrong with an expression; null where nothing is.</summary>
    public static string? Problem(string pattern)
    {
        try
        {
            _ = new Regex(pattern, RegexOptions.CultureInvariant, Patience);
            return null;
        }
        catch (ArgumentException e)
        {
            return $"'{pattern}' is not a regular expression of parameter names: {e.Message}";
        }
    }
}
