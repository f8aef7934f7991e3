namespace Vizsla.Datasets.Splits;

/// <summary>From asked sizes to numbers of rows.</summary>
/// <remarks>Source: scikit-learn <c>_validate_shuffle_split</c>, which datasets repeats. Parity: exact, texts of the errors included.</remarks>
internal static class SplitSizes
{
    public const double DefaultTestShare = 0.25;

    public static (int Train, int Test) Resolve(int count, SplitSize? test, SplitSize? train)
    {
        if (test is null && train is null)
        {
            test = SplitSize.OfShare(DefaultTestShare);
        }

        RequireInside("test_size", test, count);
        RequireInside("train_size", train, count);
        if (test?.Share + train?.Share > 1)
        {
            throw new DatasetException($"The sum of test_size and train_size = {SplitSize.OfShare((train?.Share + test?.Share) ?? 0)}, should be in the (0, 1) range. Reduce test_size and/or train_size.");
        }

        var testCount = test is { } t ? t.Rows ?? (int)Math.Ceiling((t.Share ?? 0) * count) : (int?)null;
        var trainCount = train is { } r ? r.Rows ?? (int)Math.Floor((r.Share ?? 0) * count) : (int?)null;
        var trainRows = trainCount ?? count - testCount ?? 0;
        var testRows = testCount ?? count - trainRows;
        if (trainRows + testRows > count)
        {
            throw new DatasetException($"The sum of train_size and test_size = {trainRows + testRows}, should be smaller than the number of samples {count}. Reduce test_size and/or train_size.");
        }

        return trainRows > 0
            ? (trainRows, testRows)
            : throw new DatasetException($"With n_samples={count}, test_size={Text(test)} and train_size={Text(train)}, the resulting train set will be empty. Adjust any of the aforementioned parameters.");
    }

    private static void RequireInside(string name, SplitSize? size, int count)
    {
        if (size is { } given && !given.IsInside(count))
        {
            throw new DatasetException($"{name}={given} should be either positive and smaller than the number of samples {count} or a float in the (0, 1) range");
        }
    }

    private static string Text(SplitSize? size) => size?.ToString() ?? "None";
}
