using System.Globalization;

namespace Vizsla.Datasets.Splits;

/// <summary>Size of a part: a fraction of all rows or a number of rows.</summary>
/// <remarks>Source: <c>test_size</c> and <c>train_size</c>, where a Python float is a fraction and an int a count: 1.0 and 1 differ.</remarks>
public readonly record struct SplitSize
{
    private SplitSize(double? share, int? rows) => (Share, Rows) = (share, rows);

    /// <summary>The fraction, or null where the size is a number of rows.</summary>
    public double? Share { get; }

    /// <summary>The number of rows, or null where the size is a fraction.</summary>
    public int? Rows { get; }

    /// <summary>A fraction of all rows.</summary>
    /// <param name="share">Above 0 and below 1 to be valid in a split.</param>
    public static SplitSize OfShare(double share) => new(share, null);

    /// <summary>A number of rows.</summary>
    /// <param name="rows">Above 0 and below the number of rows to be valid in a split.</param>
    public static SplitSize OfRows(int rows) => new(null, rows);

    /// <summary>A fraction.</summary>
    /// <param name="share">See <see cref="OfShare"/>.</param>
    public static implicit operator SplitSize(double share) => OfShare(share);

    /// <summary>A number of rows.</summary>
    /// <param name="rows">See <see cref="OfRows"/>.</param>
    public static implicit operator SplitSize(int rows) => OfRows(rows);

    /// <summary>Reads <c>0.2</c> as a fraction and <c>200</c> as a number of rows.</summary>
    /// <param name="text">Digits, with a point or an exponent for a fraction.</param>
    /// <param name="size">The size.</param>
    public static bool TryParse(string? text, out SplitSize size)
    {
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var rows))
        {
            size = OfRows(rows);
            return true;
        }

        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && double.IsFinite(share);
        size = OfShare(share);
        return isNumber;
    }

    /// <summary>As Python prints it: a fraction always with a point or an exponent.</summary>
    public override string ToString() => Share is { } share
        ? share == Math.Floor(share) && Math.Abs(share) < 1e16 ? share.ToString("F1", CultureInfo.InvariantCulture) : share.ToString("R", CultureInfo.InvariantCulture).Replace("E-", "e-", StringComparison.Ordinal)
        : (Rows ?? 0).ToString(CultureInfo.InvariantCulture);

    internal bool IsInside(int count) => Share is { } share ? share > 0 && share < 1 : Rows > 0 && Rows < count;
}

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
