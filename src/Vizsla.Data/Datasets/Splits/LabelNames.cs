using Vizsla.Primitives;
using static Vizsla.Datasets.Splits.PreparationProblems;

namespace Vizsla.Datasets.Splits;

/// <summary>Labels on their way to classes: blanks go, forms of one name meet, and what looks like a missing value is said.</summary>
internal sealed class LabelNames
{
    private static readonly HashSet<string> s_missing = new(["", "nan", "none", "null", "na", "n/a", "<na>", "nat", "undefined"], StringComparer.OrdinalIgnoreCase);

    private readonly Dictionary<string, string> _byForm = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _missing = new(StringComparer.Ordinal);
    private readonly HashSet<string> _merged = new(StringComparer.Ordinal);

    /// <summary>Rows that had blanks around a value.</summary>
    public int BlankCount { get; set; }

    /// <summary>Whether a label reads like a missing value.</summary>
    /// <param name="label">The label.</param>
    public static bool LooksMissing(string label) => s_missing.Contains(label.Trim());

    /// <summary>The name of a class: the first seen of those that differ only in Unicode form.</summary>
    /// <param name="label">A label without blanks around it.</param>
    public string Of(string label)
    {
        var form = CanonicalForm.Decompose(label);
        if (!_byForm.TryGetValue(form, out var name))
        {
            _byForm.Add(form, name = label);
        }
        else if (name != label)
        {
            _merged.Add(name);
        }

        if (LooksMissing(name))
        {
            _missing[name] = _missing.GetValueOrDefault(name) + 1;
        }

        return name;
    }

    /// <summary>What was done and what looks wrong, one sentence each.</summary>
    public IReadOnlyList<string> Notes()
    {
        var notes = new List<string>();
        if (BlankCount > 0)
        {
            notes.Add($"Blanks around labels or ids were removed in {Plural(BlankCount, "place", "places")}.");
        }

        if (_merged.Count > 0)
        {
            notes.Add($"{Plural(_merged.Count, "class is", "classes are")} written in several Unicode forms, which were taken as one: {string.Join(", ", _merged.Order(CodePointComparer.Instance).Select(m => $"'{m}'"))}.");
        }

        notes.AddRange(_missing.Select(m => $"The label '{m.Key}' of {Plural(m.Value, "photo", "photos")} looks like a missing value and became a class; leave those rows out if it is one."));
        return notes;
    }
}
