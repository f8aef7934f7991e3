using System.Globalization;
using System.Text.RegularExpressions;

namespace Vizsla.Models.Weights;

/// <summary>Says the names of a stack of equal layers in one line: <c>layer.{0, 1, 2}.weight</c>.</summary>
/// <remarks>Source: transformers 5 <c>utils/loading_report.py</c>, <c>update_key_name</c>.</remarks>
internal static partial class KeyPattern
{
    private const int MostListed = 10;

    /// <summary>Merges names that differ only in their numbers, in order of their first appearance; the last details of a group stand for all.</summary>
    public static IEnumerable<(string Key, string Details)> Merge(IEnumerable<(string Name, string Details)> names)
    {
        foreach (var group in names.GroupBy(n => Number().Replace(n.Name, "*")))
        {
            var numbers = group.Select(n => Number().Matches(n.Name).Select(m => long.Parse(m.Value, CultureInfo.InvariantCulture)).ToArray()).ToList();
            var position = 0;
            var key = Number().Replace(group.First().Name, _ =>
            {
                var at = position++;
                return Listed([.. numbers.Select(n => n[at]).Distinct().Order()]);
            });
            yield return (key, group.Last().Details);
        }
    }

    private static string Listed(long[] values) => values.Length switch
    {
        1 => values[0].ToString(CultureInfo.InvariantCulture),
        > MostListed => string.Create(CultureInfo.InvariantCulture, $"{{{values[0]}...{values[^1]}}}"),
        _ => $"{{{string.Join(", ", values)}}}",
    };

    [GeneratedRegex(@"(?<=\.)(\d{1,18})(?=\.|$)")]
    private static partial Regex Number();
}
