using static Vizsla.Datasets.Splits.PreparationProblems;

namespace Vizsla.Datasets.Splits;

/// <summary>Cuts rows into train, validation and test.</summary>
internal static class PreparationSplit
{
    private const string WithoutStratifying = "Add pictures, or split without regard to classes (stratify false).";

    /// <summary>The test split of all rows, then the validation split of the rest, with the same seed.</summary>
    /// <returns>Rows per split, in the order of the split: train, validation, test; empty splits are left out.</returns>
    /// <exception cref="DatasetException">A class or a split is too small, or a size is outside.</exception>
    public static IReadOnlyList<(string Split, IReadOnlyList<PreparationRow> Rows)> Cut(IReadOnlyList<PreparationRow> rows, PreparationOptions options)
    {
        if (rows.All(r => r.Split is not null))
        {
            return [.. SplitNames.All.Select(s => (s, (IReadOnlyList<PreparationRow>)[.. rows.Where(r => r.Split == s)])).Where(s => s.Item2.Count > 0)];
        }

        // Copies follow the first of them. Without copies these are all rows, so the split is the plain one.
        var copies = rows.Where(r => r.CopyOf is not null).ToLookup(r => r.CopyOf);
        return [.. CutSingles([.. rows.Where(r => r.CopyOf is null)], options).Select(s => (s.Split, (IReadOnlyList<PreparationRow>)[.. s.Rows.SelectMany(r => copies[r.Path].Prepend(r))]))];
    }

    private static IReadOnlyList<(string Split, IReadOnlyList<PreparationRow> Rows)> CutSingles(IReadOnlyList<PreparationRow> rows, PreparationOptions options)
    {
        var (rest, test) = Part(SplitNames.Test, rows, options.TestSize, options);
        var (train, validation) = Part(SplitNames.Validation, rest, options.ValidationSize, options);
        return [.. new[] { (SplitNames.Train, train), (SplitNames.Validation, validation), (SplitNames.Test, test) }.Where(s => s.Item2.Count > 0)];
    }

    private static (IReadOnlyList<PreparationRow> Remaining, IReadOnlyList<PreparationRow> Taken) Part(string split, IReadOnlyList<PreparationRow> rows, SplitSize? size, PreparationOptions options)
    {
        if (size is not { } given)
        {
            return (rows, []);
        }

        if (!given.IsInside(rows.Count))
        {
            throw new DatasetException($"The {split} split of {given} does not fit {Plural(rows.Count, "picture", "pictures")}: --{split}_size takes a fraction between 0 and 1, or a number of pictures from 1 to {rows.Count - 1}; 0 makes no {split} split.");
        }

        if (options.Stratify)
        {
            RequireLargeClasses(split, rows, given);
        }

        var (rest, part) = options.Stratify
            ? StratifiedSplit.Split([.. rows.Select(r => r.Label)], given, options.Seed)
            : ShuffleSplit.Split(rows.Count, given, options.Seed);
        return ([.. rest.Select(r => rows[r])], [.. part.Select(r => rows[r])]);
    }

    private static void RequireLargeClasses(string split, IReadOnlyList<PreparationRow> rows, SplitSize size)
    {
        const int Least = 2;
        var counts = rows.CountBy(r => r.Label).ToList();
        var problems = new PreparationProblems();
        problems.Add(
            n => $"Cannot stratify the {split} split: {Plural(n, "class has", "classes have")} fewer than {Least} of its {rows.Count} pictures, and each needs at least {Least}. {WithoutStratifying}",
            [.. counts.Where(c => c.Value < Least).OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"'{c.Key}' has {c.Value}")]);
        problems.ThrowIfAny();
        var (train, part) = SplitSizes.Resolve(rows.Count, size, null);
        if (Math.Min(train, part) < counts.Count)
        {
            var small = part <= train ? $"a {split} split of {size} is {Plural(part, "picture", "pictures")}" : $"a {split} split of {size} leaves {Plural(train, "picture", "pictures")}";
            throw new DatasetException($"Cannot stratify: {small}, fewer than the {counts.Count} classes, and each class needs one. Choose another {split}_size (at least {counts.Count} pictures), or split without regard to classes (stratify false).");
        }
    }
}
