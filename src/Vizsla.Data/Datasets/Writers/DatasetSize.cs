using System.Globalization;
using System.Text;
using Vizsla.Datasets.Readers;

namespace Vizsla.Datasets.Writers;

/// <summary>Sizes of datasets as cards and shards count them.</summary>
internal static class DatasetSize
{
    private const int OffsetBytes = 4;
    private const int NumberBytes = 8;

    private static readonly (string Unit, long Bytes)[] s_units =
    [
        ("TIB", 1L << 40), ("GIB", 1L << 30), ("MIB", 1L << 20), ("KIB", 1L << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000),
    ];

    /// <summary>Bytes of the rows as Arrow holds them with pictures inside and without the pictures' paths.</summary>
    /// <remarks>Source: datasets <c>_estimate_nbytes</c>. Parity: exact up to 1,000 pictures on disk; beyond, Python extrapolates from the first thousand and this counts all.</remarks>
    public static long Estimate(ImageDataset dataset)
    {
        var total = 0L;
        foreach (var (name, feature) in dataset.Features)
        {
            var missing = 0;
            for (var row = 0; row < dataset.Count; row++)
            {
                var value = dataset.Value(row, name);
                total += Cell(value, feature);
                missing += value is null or ImageSource { Bytes: null } ? 1 : 0;
            }

            // Arrow keeps a bit for each row where any is missing; the bytes of pictures on disk are.
            total += missing > 0 ? (dataset.Count + 7) / 8 : 0;
        }

        return total;
    }

    /// <summary>Reads <c>500MB</c>, <c>1GiB</c>, <c>12KB</c> or a plain number of bytes.</summary>
    /// <exception cref="ArgumentException">The text is none.</exception>
    /// <remarks>Source: datasets <c>convert_file_size_to_int</c>.</remarks>
    public static long Parse(string text)
    {
        var upper = text.ToUpperInvariant();
        var (unit, bytes) = s_units.FirstOrDefault(u => upper.EndsWith(u.Unit, StringComparison.Ordinal), ("", 1));
        return long.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? checked(number * bytes)
            : throw new ArgumentException($"A size is a whole number with a unit such as '500MB' or '1GiB', got '{text}'.", nameof(text));
    }

    private static long Cell(object? value, Feature feature) => (value, feature) switch
    {
        (ImageSource source, _) => OffsetBytes + (source.Bytes?.Length ?? (source.Path is null ? 0 : Math.Max(0, RealFile.Length(source.Path)))),
        (null, ImageFeature) => OffsetBytes,
        (string text, ValueFeature { DType: "large_string" }) => NumberBytes + Encoding.UTF8.GetByteCount(text),
        (string text, _) => OffsetBytes + Encoding.UTF8.GetByteCount(text),
        (byte[] bytes, _) => OffsetBytes + bytes.Length,
        (IReadOnlyList<object?> items, ListFeature list) => OffsetBytes + items.Sum(i => Cell(i, list.Element)),
        (IReadOnlyDictionary<string, object?> fields, StructFeature named) => named.Fields.Sum(f => Cell(fields.GetValueOrDefault(f.Key), f.Value)),
        _ => NumberBytes,
    };
}
