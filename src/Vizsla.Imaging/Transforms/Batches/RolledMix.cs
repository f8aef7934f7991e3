
using Vizsla.Imaging;
namespace Vizsla.Transforms;

/// <summary>Mixes each row of a batch with the row before it; the first with the last.</summary>
internal static class RolledMix
{
    /// <summary>Replaces each row by <paramref name="share"/> of itself and the rest of its neighbor.</summary>
    /// <param name="values">Rows one after the other.</param>
    /// <param name="rowLength">Floats of a row.</param>
    /// <param name="share">0 to 1.</param>
    public static void Apply(Span<float> values, int rowLength, double share)
    {
        var (own, other) = ((float)share, (float)(1 - share));
        WithNeighbors(values, rowLength, (row, neighbor) =>
        {
            for (var i = 0; i < row.Length; i++)
            {
                row[i] = (neighbor[i] * other) + (row[i] * own);
            }
        });
    }

    /// <summary>Calls for each row with the row before it as it was; the first row's neighbor is the last.</summary>
    public static void WithNeighbors(Span<float> values, int rowLength, RowAction change)
    {
        var count = values.Length / rowLength;
        var kept = PixelPool<float>.Shared.Rent(rowLength);
        var last = kept.AsSpan(0, rowLength);
        values[^rowLength..].CopyTo(last);
        for (var i = count - 1; i >= 0; i--)
        {
            change(values.Slice(i * rowLength, rowLength), i == 0 ? last : values.Slice((i - 1) * rowLength, rowLength));
        }

        PixelPool<float>.Shared.Return(kept);
    }

    /// <summary>Changes a row by its neighbor.</summary>
    public delegate void RowAction(Span<float> row, ReadOnlySpan<float> neighbor);
}
