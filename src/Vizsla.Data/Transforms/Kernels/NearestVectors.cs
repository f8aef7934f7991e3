using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Fetches eight pixels at a time along a slanted line of a picture.</summary>
internal static class NearestVectors
{
    private const int Count = 8;

    /// <summary>Whether the processor can gather pixels.</summary>
    public static bool IsSupported => Avx2.IsSupported;

    /// <summary>Fills a part of a row, as far as whole groups go.</summary>
    /// <param name="image">The source.</param>
    /// <param name="source">First byte of the source.</param>
    /// <param name="target">First byte of the row.</param>
    /// <param name="first">First column of the part.</param>
    /// <param name="last">Column behind the part; the sources of all columns lie inside the picture.</param>
    /// <param name="x">Source column of column 0, and the step from column to column, in 1/65536.</param>
    /// <param name="y">Source row of column 0, and the step from column to column, in 1/65536.</param>
    /// <returns>The first column that is not filled.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe int Sample(Image image, ref byte source, ref byte target, int first, int last, (int Start, int Step) x, (int Start, int Step) y)
    {
        var lanes = Vector256<int>.Indices + Vector256.Create(first);
        var (fromX, fromY) = (Vector256.Create(x.Start) + (lanes * x.Step), Vector256.Create(y.Start) + (lanes * y.Step));
        var (stepX, stepY) = (Vector256.Create(Count * x.Step), Vector256.Create(Count * y.Step));
        var (rowLength, end) = (Vector256.Create(3 * image.Width), Vector256.Create((3 * image.Width * image.Height) - 4));
        var column = first;
        fixed (byte* pixels = &source, row = &target)
        {
            for (; column + Count <= last; column += Count)
            {
                var place = ((fromY >> 16) * rowLength) + (3 * (fromX >> 16));
                if (Vector256.GreaterThanAny(place, end))
                {
                    // Four bytes are read for a pixel of three: not beyond the picture.
                    break;
                }

                PixelVectors.StoreExactly(Avx2.GatherVector256((int*)pixels, place, 1), row + (3 * column));
                fromX += stepX;
                fromY += stepY;
            }
        }

        return column;
    }
}
