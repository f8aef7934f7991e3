using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Vizsla.Imaging;

/// <summary>The two passes of a resize over rows of RGB bytes.</summary>
/// <remarks>
/// A weight of 22 binary places does not fit the 16 bits that vector instructions multiply and add in one go, so it is split in a lower and an upper part, each summed by itself;
/// whole numbers wrap, so the sum of the parts is Pillow's sum to the last bit.
/// </remarks>
internal static unsafe class ResampleKernels
{
    /// <summary>Bytes that <see cref="Horizontal"/> may read behind the last pixel that counts.</summary>
    public const int Overrun = 16;

    private const int Half = 1 << (ResampleWeights.PrecisionBits - 1);

    /// <summary>Resizes rows across.</summary>
    /// <param name="source">First row.</param>
    /// <param name="sourceStride">Distance between rows.</param>
    /// <param name="target">First row of the result.</param>
    /// <param name="targetStride">Distance between its rows.</param>
    /// <param name="rows">Number of rows; behind the last one the overrun can be read.</param>
    /// <param name="weights">The weights of the columns.</param>
    public static void Horizontal(byte* source, nint sourceStride, byte* target, nint targetStride, int rows, ResampleWeights weights)
    {
        var y = 0;
        if (Avx2.IsSupported)
        {
            for (; y + 4 <= rows; y += 4)
            {
                FourRows(source + y * sourceStride, sourceStride, target + y * targetStride, targetStride, weights);
            }
        }

        for (; y < rows; y++)
        {
            OneRow(source + y * sourceStride, target + y * targetStride, weights);
        }
    }

    /// <summary>Makes one row out of several.</summary>
    /// <param name="source">The first row that counts.</param>
    /// <param name="stride">Distance between rows.</param>
    /// <param name="target">The row of the result.</param>
    /// <param name="length">Bytes of a row.</param>
    /// <param name="weights">The weights of the rows.</param>
    /// <param name="y">Number of the result's row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Vertical(byte* source, nint stride, byte* target, int length, ResampleWeights weights, int y)
    {
        var x = 0;
        if (Avx2.IsSupported && length >= Vector256<byte>.Count)
        {
            for (; x < length; x += Vector256<byte>.Count)
            {
                // The last block reaches back over what is done already.
                var at = Math.Min(x, length - Vector256<byte>.Count);
                Block(source + at, stride, target + at, weights, y);
            }

            return;
        }

        var row = weights.Values.AsSpan(y * weights.Stride, weights.Count[y]);
        for (; x < length; x++)
        {
            var sum = Half;
            for (var i = 0; i < row.Length; i++)
            {
                sum += source[i * stride + x] * row[i];
            }

            target[x] = Clip(sum);
        }
    }

    private static void OneRow(byte* source, byte* target, ResampleWeights weights)
    {
        for (var x = 0; x < weights.Length; x++, target += 3)
        {
            int red = Half, green = Half, blue = Half;
            var pixel = source + 3 * weights.First[x];
            foreach (var weight in weights.Values.AsSpan(x * weights.Stride, weights.Count[x]))
            {
                red += pixel[0] * weight;
                green += pixel[1] * weight;
                blue += pixel[2] * weight;
                pixel += 3;
            }

            (target[0], target[1], target[2]) = (Clip(red), Clip(green), Clip(blue));
        }
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> ResampleWeights.PrecisionBits, 0, 255);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(byte* source, nint sourceStride, byte* target, nint targetStride, ResampleWeights weights)
    {
        fixed (short* lows = weights.Low, highs = weights.High)
        fixed (int* firsts = weights.First, counts = weights.Count)
        {
            var pixels = PixelPairs();
            var pairs = WeightPairs();
            for (var x = 0; x < weights.Length; x++)
            {
                var pixel = source + 3 * firsts[x];
                var low = lows + x * weights.Stride;
                var high = highs + x * weights.Stride;
                Vector256<int> low0 = default, low1 = default, low2 = default, low3 = default;
                Vector256<int> high0 = default, high1 = default, high2 = default, high3 = default;
                for (var i = 0; i < counts[x]; i += ResampleWeights.Group, pixel += 3 * ResampleWeights.Group)
                {
                    // Four pixels: in the lower half two values of red, of green, of blue, in the upper half the next two.
                    var lowWeights = Avx2.Shuffle(Vector256.Create(*(long*)(low + i)).AsByte(), pairs).AsInt16();
                    var highWeights = Avx2.Shuffle(Vector256.Create(*(long*)(high + i)).AsByte(), pairs).AsInt16();
                    var row0 = Load(pixel, pixels);
                    var row1 = Load(pixel + sourceStride, pixels);
                    var row2 = Load(pixel + 2 * sourceStride, pixels);
                    var row3 = Load(pixel + 3 * sourceStride, pixels);
                    low0 += Avx2.MultiplyAddAdjacent(row0, lowWeights);
                    low1 += Avx2.MultiplyAddAdjacent(row1, lowWeights);
                    low2 += Avx2.MultiplyAddAdjacent(row2, lowWeights);
                    low3 += Avx2.MultiplyAddAdjacent(row3, lowWeights);
                    high0 += Avx2.MultiplyAddAdjacent(row0, highWeights);
                    high1 += Avx2.MultiplyAddAdjacent(row1, highWeights);
                    high2 += Avx2.MultiplyAddAdjacent(row2, highWeights);
                    high3 += Avx2.MultiplyAddAdjacent(row3, highWeights);
                }

                var upper = Sse2.PackSignedSaturate(Sum(low0, high0), Sum(low1, high1));
                var lower = Sse2.PackSignedSaturate(Sum(low2, high2), Sum(low3, high3));
                var bytes = Sse2.PackUnsignedSaturate(upper, lower).AsUInt32();
                if (x < weights.Length - 1)
                {
                    // The fourth byte is overwritten by the next pixel.
                    *(uint*)target = bytes.GetElement(0);
                    *(uint*)(target + targetStride) = bytes.GetElement(1);
                    *(uint*)(target + 2 * targetStride) = bytes.GetElement(2);
                    *(uint*)(target + 3 * targetStride) = bytes.GetElement(3);
                    target += 3;
                }
                else
                {
                    for (var row = 0; row < 4; row++)
                    {
                        var last = bytes.GetElement(row);
                        var at = target + row * targetStride;
                        (at[0], at[1], at[2]) = ((byte)last, (byte)(last >> 8), (byte)(last >> 16));
                    }
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Load(byte* pixel, Vector256<byte> order) => Avx2.Shuffle(Avx2.BroadcastVector128ToVector256(pixel), order).AsInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Sum(Vector256<int> low, Vector256<int> high)
    {
        var sum = low + (high << ResampleWeights.LowBits);
        return (sum.GetLower() + sum.GetUpper() + Vector128.Create(Half)) >> ResampleWeights.PrecisionBits;
    }

    private static Vector256<byte> PixelPairs()
    {
        const byte No = 0x80;
        return Vector256.Create(
            0, No, 3, No, 1, No, 4, No, 2, No, 5, No, No, No, No, No,
            6, No, 9, No, 7, No, 10, No, 8, No, 11, No, No, No, No, No);
    }

    private static Vector256<byte> WeightPairs() =>
        Vector256.Create(0x03020100, 0x03020100, 0x03020100, 0x03020100, 0x07060504, 0x07060504, 0x07060504, 0x07060504).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block(byte* source, nint stride, byte* target, ResampleWeights weights, int y)
    {
        Vector256<int> low0 = default, low1 = default, low2 = default, low3 = default;
        Vector256<int> high0 = default, high1 = default, high2 = default, high3 = default;
        var count = weights.Count[y];
        fixed (short* lows = &weights.Low[y * weights.Stride], highs = &weights.High[y * weights.Stride])
        {
            for (var i = 0; i < count; i += 2, source += 2 * stride)
            {
                // Two rows at a time; beyond the last one the same row again, with the weight zero.
                var above = Vector256.Load(source);
                var below = i + 1 < count ? Vector256.Load(source + stride) : above;
                var lowWeights = Vector256.Create(*(int*)(lows + i)).AsInt16();
                var highWeights = Vector256.Create(*(int*)(highs + i)).AsInt16();
                var left = Avx2.UnpackLow(above, below);
                var right = Avx2.UnpackHigh(above, below);
                Add(Avx2.UnpackLow(left, Vector256<byte>.Zero), lowWeights, highWeights, ref low0, ref high0);
                Add(Avx2.UnpackHigh(left, Vector256<byte>.Zero), lowWeights, highWeights, ref low1, ref high1);
                Add(Avx2.UnpackLow(right, Vector256<byte>.Zero), lowWeights, highWeights, ref low2, ref high2);
                Add(Avx2.UnpackHigh(right, Vector256<byte>.Zero), lowWeights, highWeights, ref low3, ref high3);
            }
        }

        Avx2.PackUnsignedSaturate(
            Avx2.PackSignedSaturate(Descale(low0, high0), Descale(low1, high1)),
            Avx2.PackSignedSaturate(Descale(low2, high2), Descale(low3, high3))).Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(Vector256<byte> pairs, Vector256<short> lowWeights, Vector256<short> highWeights, ref Vector256<int> low, ref Vector256<int> high)
    {
        low += Avx2.MultiplyAddAdjacent(pairs.AsInt16(), lowWeights);
        high += Avx2.MultiplyAddAdjacent(pairs.AsInt16(), highWeights);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Descale(Vector256<int> low, Vector256<int> high) =>
        (low + (high << ResampleWeights.LowBits) + Vector256.Create(Half)) >> ResampleWeights.PrecisionBits;
}
