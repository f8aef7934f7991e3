namespace Vizsla.Imaging.Png;

/// <summary>Undoes the filters of rows.</summary>
internal static class RowFilter
{
    /// <summary>Turns filtered bytes into those that were filtered.</summary>
    /// <param name="type">0 none, 1 left, 2 above, 3 mean of both, 4 Paeth.</param>
    /// <param name="row">The filtered bytes; changed in place.</param>
    /// <param name="above">The row above, or empty for the first.</param>
    /// <param name="pixel">Bytes of a pixel, at least 1.</param>
    /// <exception cref="ImageFormatException">There is no such filter.</exception>
    public static void Undo(byte type, Span<byte> row, ReadOnlySpan<byte> above, int pixel)
    {
        switch (type)
        {
            case 0:
                break;
            case 1:
                for (var i = pixel; i < row.Length; i++)
                {
                    row[i] += row[i - pixel];
                }

                break;
            case 2:
                for (var i = 0; i < above.Length; i++)
                {
                    row[i] += above[i];
                }

                break;
            case 3:
                for (var i = 0; i < row.Length; i++)
                {
                    row[i] += (byte)((Left(row, i, pixel) + Above(above, i)) / 2);
                }

                break;
            case 4:
                for (var i = 0; i < row.Length; i++)
                {
                    row[i] += Paeth(Left(row, i, pixel), Above(above, i), i < pixel ? 0 : Above(above, i - pixel));
                }

                break;
            default:
                throw new ImageFormatException($"it is damaged: a PNG with a row filter {type}");
        }
    }

    private static int Left(ReadOnlySpan<byte> row, int i, int pixel) => i < pixel ? 0 : row[i - pixel];

    private static int Above(ReadOnlySpan<byte> above, int i) => above.IsEmpty ? 0 : above[i];

    private static byte Paeth(int left, int above, int corner)
    {
        var (toLeft, toAbove, toCorner) = (Math.Abs(above - corner), Math.Abs(left - corner), Math.Abs(left + above - 2 * corner));
        return (byte)(toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner);
    }
}
