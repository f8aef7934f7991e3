using System.Globalization;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Checks;

/// <summary>What is wrong with the classes of a dataset.</summary>
internal static class ClassFindings
{
    /// <summary>Classes that are one class to a person: their names differ in case, blanks, Unicode form or punctuation alone; and names that stand for no class.</summary>
    public static IEnumerable<DatasetFinding> OfNames(DatasetDict dataset)
    {
        var counts = dataset.Values.Where(HasClasses).SelectMany(s => s.ClassCounts()).GroupBy(c => c.Key).ToDictionary(g => g.Key, g => g.Sum(c => c.Value));
        foreach (var same in counts.GroupBy(c => Letters(c.Key)).Where(g => g.Key.Length > 0 && g.Skip(1).Any()))
        {
            var names = string.Join(", ", same.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Select(c => $"'{c.Key}' ({c.Value})"));
            var isCase = same.Select(c => c.Key.ToUpperInvariant()).Distinct().Count() == 1;
            var isForm = same.Select(c => CanonicalForm.Decompose(c.Key).ToUpperInvariant()).Select(WithoutBlanks).Distinct().Count() == 1;
            yield return isCase
                ? new(FindingKind.Case, IsError: true, $"classes that differ only in case, with their pictures: {names}", [])
                : new(FindingKind.Alike, IsError: isForm, $"classes that differ only in {(isForm ? "blanks, case or Unicode form" : "punctuation, blanks or case")}, with their pictures: {names}", []);
        }

        foreach (var (name, count) in counts.Where(c => LooksMissing(c.Key)))
        {
            yield return new(FindingKind.Missing, IsError: false, $"a class '{name}', which reads like a missing value, with {count} pictures", []);
        }
    }

    /// <summary>Photos that lie in the folder and are in no row.</summary>
    public static IEnumerable<DatasetFinding> OfLeftOut(DatasetDict dataset) =>
        dataset.LeftOut.Select(left => new DatasetFinding(FindingKind.LeftOut, IsError: false, left.Sentence, []));

    private static bool LooksMissing(string name) => name.Trim().ToUpperInvariant() is "NAN" or "NONE" or "NULL" or "NA" or "N/A" or "<NA>" or "NAT" or "UNDEFINED" or "";

    private static string Letters(string name) => string.Concat(CanonicalForm.Decompose(name).ToUpperInvariant().Where(c => !char.IsPunctuation(c) && !char.IsWhiteSpace(c) && !char.IsSymbol(c)));

    private static string WithoutBlanks(string name) => string.Concat(name.Where(c => !char.IsWhiteSpace(c)));

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
