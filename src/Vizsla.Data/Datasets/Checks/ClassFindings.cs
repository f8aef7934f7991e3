using System.Globalization;

namespace Vizsla.Datasets.Checks;

/// <summary>What is wrong with the classes of a dataset.</summary>
internal static class ClassFindings
{
    /// <summary>Classes that are one class to a person: their names differ in case alone.</summary>
    public static IEnumerable<DatasetFinding> SameButForCase(DatasetDict dataset)
    {
        var counts = dataset.Values.Where(HasClasses).SelectMany(s => s.ClassCounts()).GroupBy(c => c.Key).ToDictionary(g => g.Key, g => g.Sum(c => c.Value));
        foreach (var same in counts.GroupBy(c => c.Key.Normalize().ToUpperInvariant()).Where(g => g.Skip(1).Any()))
        {
            var names = string.Join(", ", same.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Select(c => $"'{c.Key}' ({c.Value})"));
            yield return new(FindingKind.Case, IsError: true, $"classes that differ only in case, with their pictures: {names}", []);
        }
    }

    /// <summary>Splits whose largest class is many times the smallest, or that lack a class.</summary>
    /// <param name="dataset">The splits.</param>
    /// <param name="most">How many times is too many.</param>
    public static IEnumerable<DatasetFinding> OutOfBalance(DatasetDict dataset, double most)
    {
        foreach (var (split, rows) in dataset.Where(s => HasClasses(s.Value)))
        {
            var counts = rows.ClassCounts();
            string[] empty = [.. counts.Where(c => c.Value == 0).Select(c => $"'{c.Key}'")];
            if (empty.Length > 0)
            {
                yield return new(FindingKind.Imbalance, IsError: false, $"{split} has no picture of {string.Join(", ", empty)}", []);
            }

            var filled = counts.Where(c => c.Value > 0).ToList();
            if (filled.Count < 2)
            {
                continue;
            }

            var (smallest, largest) = (filled.MinBy(c => c.Value), filled.MaxBy(c => c.Value));
            var ratio = (double)largest.Value / smallest.Value;
            if (ratio > most)
            {
                yield return new(FindingKind.Imbalance, IsError: false, string.Create(
                    CultureInfo.InvariantCulture,
                    $"{split} has {largest.Value} pictures of '{largest.Key}' and {smallest.Value} of '{smallest.Key}', {ratio:0.#} times as many"), []);
            }
        }
    }

    private static bool HasClasses(ImageDataset rows) => rows.Features.ClassLabel is not null;
}
