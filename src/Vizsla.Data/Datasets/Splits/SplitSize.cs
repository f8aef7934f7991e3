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
