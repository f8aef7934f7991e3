namespace Vizsla.Imaging.Png;

/// <summary>From the stored samples of a row to RGB.</summary>
/// <remarks>Source: Pillow's modes of PNG and <c>convert("RGB")</c>: alpha is dropped, of 16 bits the upper 8 are taken, but 16-bit gray is cut off at 255. Parity: exact.</remarks>
internal static class RowPixels
{
    /// <summary>Expands a row.</summary>
    /// <param name="header">The picture's header.</param>
    /// <param name="row">The stored bytes.</param>
    /// <param name="target">The first pixel's red.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="step">Distance between pixels in the target.</param>
    public static void Expand(PngHeader header, ReadOnlySpan<byte> row, Span<byte> target, int width, int step)
    {
        var (sample, pixel) = (header.Depth / 8, header.PixelBits / 8);
        for (int x = 0, at = 0; x < width; x++, at += step)
        {
            byte red, green, blue;
            switch (header.Color)
            {
                case 2 or 6:
                    var color = row.Slice(x * pixel, pixel);
                    (red, green, blue) = (color[0], color[sample], color[2 * sample]);
                    break;
                case 3:
                    var entry = header.Palette.AsSpan(3 * Packed(row, x, header.Depth), 3);
                    (red, green, blue) = (entry[0], entry[1], entry[2]);
                    break;
                default:
                    red = green = blue = Gray(header, row, x, pixel);
                    break;
            }

            (target[at], target[at + 1], target[at + 2]) = (red, green, blue);
        }
    }

    private static byte Gray(PngHeader header, ReadOnlySpan<byte> row, int x, int pixel) => header.Depth switch
    {
        16 when header.Color == 0 => row[x * pixel] == 0 ? row[x * pixel + 1] : byte.MaxValue,
        8 or 16 => row[x * pixel],
        var depth => (byte)(Packed(row, x, depth) * (255 / ((1 << depth) - 1))),
    };

    private static int Packed(ReadOnlySpan<byte> row, int x, int depth)
    {
        var bit = x * depth;
        return row[bit / 8] >> (8 - depth - bit % 8) & ((1 << depth) - 1);
    }
}
