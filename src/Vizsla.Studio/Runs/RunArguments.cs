using System.Globalization;
using System.Text.RegularExpressions;

namespace Vizsla.Studio.Runs;

/// <summary>What runs were asked for, as a person reads it.</summary>
internal static partial class RunArguments
{
    private const double SmallestPlain = 1e-4;
    private const double LargestPlain = 1e15;
    private const string Absent = "–";

    // These differ between any two runs and tell nothing about what was tried.
    private static readonly string[] OfItself = ["output_dir", "logging_dir", "run_name", "hub_model_id", "overwrite_output_dir", "resume_from_checkpoint"];

    /// <summary>The arguments in which runs differ, by name, with the value of each run in the order of the runs.</summary>
    public static IReadOnlyList<(string Name, IReadOnlyList<string> Values)> Differences(IReadOnlyList<RunSnapshot> runs) =>
        [.. runs.SelectMany(r => r.Arguments.Keys).Distinct(StringComparer.Ordinal).Where(IsTold).Order(StringComparer.Ordinal)
            .Select(name => (name, (IReadOnlyList<string>)[.. runs.Select(r => Of(r, name))]))
            .Where(row => row.Item2.Distinct(StringComparer.Ordinal).Count() > 1)];

    /// <summary>An argument of a run as it is read; a dash where it has none.</summary>
    public static string Of(RunSnapshot run, string name) => run.Arguments.TryGetValue(name, out var value) ? Readable(value) : Absent;

    /// <summary>A value without the marks of its file format: <c>500</c> for <c>500.0</c>, <c>backbone</c> for <c>["backbone"]</c>.</summary>
    public static string Readable(string value)
    {
        if (value.Length == 0 || value is "null" or "[]" or "{}")
        {
            return Absent;
        }

        if (double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            return number == 0 ? "0"
                : Math.Abs(number) is >= SmallestPlain and < LargestPlain ? number.ToString("0.##########", CultureInfo.InvariantCulture)
                : number.ToString("0.######e-0", CultureInfo.InvariantCulture);
        }

        return value[0] == '[' && value[^1] == ']' ? value[1..^1].Replace("\"", "", StringComparison.Ordinal) : Blanks().Replace(value, " ");
    }

    /// <summary>Whether an argument says what was tried.</summary>
    public static bool IsTold(string name) => !name.EndsWith("fingerprint", StringComparison.Ordinal) && !OfItself.Contains(name);

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
