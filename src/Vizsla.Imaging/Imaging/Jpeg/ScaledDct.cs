using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Vizsla.Imaging.Jpeg;

/// <summary>From coefficients to samples at another scale: blocks of 1 to 14 samples a side instead of 8.</summary>
/// <remarks>
/// Each pass of libjpeg's methods is a sum of inputs times whole numbers, rounded once; the numbers that its steps add up to stand here as tables.
/// Source: libjpeg-turbo <c>jidctint.c</c> (3, 5, 6, 7, 10, 12, 14) and <c>jidctred.c</c> (1, 2, 4). Parity: exact but for damaged files.
/// </remarks>
internal static unsafe class ScaledDct
{
    private const int LargestSize = 16;
    private const int FirstShift = 11;
    private const int SecondShift = 18;

    /// <summary>Transforms the blocks of a row.</summary>
    /// <param name="coefficients">64 for each block, natural order; one block more may be read.</param>
    /// <param name="blocks">Number of blocks.</param>
    /// <param name="quantization">64 steps, natural order.</param>
    /// <param name="samples">Top left sample of the first block; room for an even number of blocks and 16 samples beyond them.</param>
    /// <param name="stride">Distance between rows of samples.</param>
    /// <param name="size">Samples along a side of a block: 1, 2, 3, 4, 5, 6, 7, 10, 12 or 14.</param>
    public static void Transform(short* coefficients, int blocks, short* quantization, byte* samples, nint stride, int size)
    {
        if (size == 1)
        {
            for (var i = 0; i < blocks; i++)
            {
                var level = (short)(coefficients[64 * i] * quantization[0]);
                samples[i] = (byte)(Math.Clamp((level + 4) >> 3, -128, 127) + 128);
            }
        }
        else if (Avx2.IsSupported)
        {
            for (var i = 0; i < blocks; i += 2, coefficients += 128, samples += 2 * size)
            {
                TransformPair(coefficients, quantization, samples, stride, size);
            }
        }
        else
        {
            for (var i = 0; i < blocks; i++, coefficients += 64, samples += size)
            {
                TransformOne(coefficients, quantization, samples, stride, size);
            }
        }
    }

    /// <summary>Transforms one block without vector instructions.</summary>
    /// <param name="coefficients">64, natural order.</param>
    /// <param name="quantization">64 steps, natural order.</param>
    /// <param name="samples">Top left sample.</param>
    /// <param name="stride">Distance between rows of samples.</param>
    /// <param name="size">Samples along a side of the block: 2, 3, 4, 5, 6, 7, 10, 12 or 14.</param>
    public static void TransformOne(short* coefficients, short* quantization, byte* samples, nint stride, int size)
    {
        var work = stackalloc short[8 * LargestSize];
        var line = stackalloc short[LargestSize];
        for (var x = 0; x < 8; x++)
        {
            for (var y = 0; y < 8; y++)
            {
                line[y] = (short)(coefficients[8 * y + x] * quantization[8 * y + x]);
            }

            Pass(line, work + x, 8, size, FirstShift + Reduction(size));
        }

        for (var y = 0; y < size; y++, samples += stride)
        {
            Pass(work + 8 * y, line, 1, size, SecondShift + Reduction(size));
            for (var x = 0; x < size; x++)
            {
                samples[x] = (byte)(Math.Clamp((int)line[x], -128, 127) + 128);
            }
        }
    }

    // The methods of jidctred.c keep one or two binary places more.
    private static int Reduction(int size) => size switch { 2 => 2, 4 => 1, _ => 0 };

    // Outputs n and size - 1 - n are the sum and the difference of what the even and the odd inputs give.
    private static void Pass(short* input, short* output, int step, int size, int shift)
    {
        var weights = Weights(size);
        int in0 = input[0], in1 = input[1], in2 = size == 2 ? in0 : input[2], in3 = input[3], in4 = input[4], in5 = input[5], in6 = input[6], in7 = input[7];
        var round = 1 << (shift - 1);
        for (var n = 0; 2 * n < size; n++, weights += 8)
        {
            var even = in0 * weights[0] + in2 * weights[1] + in4 * weights[2] + in6 * weights[3] + round;
            var odd = in1 * weights[4] + in3 * weights[5] + in5 * weights[6] + in7 * weights[7];
            output[n * step] = Saturate((even + odd) >> shift);
            output[(size - 1 - n) * step] = Saturate((even - odd) >> shift);
        }
    }

    private static short Saturate(int value) => (short)Math.Clamp(value, short.MinValue, short.MaxValue);

    // Two neighboring blocks at once, one in each half of the registers. Rows and columns beyond the size hold anything and lead nowhere.
    [SkipLocalsInit]
    private static void TransformPair(short* coefficients, short* quantization, byte* samples, nint stride, int size)
    {
        var input = stackalloc Vector256<short>[8];
        var rows = stackalloc Vector256<short>[LargestSize];
        var columns = stackalloc Vector256<short>[LargestSize];
        for (var y = 0; y < 8; y++)
        {
            input[y] = InverseDct.Load(coefficients, quantization, y);
        }

        Pass(input, rows, size, FirstShift + Reduction(size));
        for (var top = 0; top < size; top += 8)
        {
            Transpose(rows + top);
            Pass(rows + top, columns, size, SecondShift + Reduction(size));
            Transpose(columns);
            if (size > 8)
            {
                Transpose(columns + 8);
            }

            for (var y = top; y < Math.Min(size, top + 8); y++)
            {
                // In each half the samples of one block, those beyond its size without meaning: the next block covers them.
                var bytes = Avx2.PackSignedSaturate(columns[y - top], columns[y - top + 8]).AsByte() ^ Vector256.Create((byte)0x80);
                bytes.GetLower().Store(samples + y * stride);
                bytes.GetUpper().Store(samples + y * stride + size);
            }
        }
    }

    private static void Transpose(Vector256<short>* rows) =>
        InverseDct.Transpose(ref rows[0], ref rows[1], ref rows[2], ref rows[3], ref rows[4], ref rows[5], ref rows[6], ref rows[7]);

    private static void Pass(Vector256<short>* input, Vector256<short>* output, int size, int shift)
    {
        var pairs = (int*)Weights(size);
        var in2 = size == 2 ? input[0] : input[2];
        var (even0Low, even0High) = (Avx2.UnpackLow(input[0], in2), Avx2.UnpackHigh(input[0], in2));
        var (even4Low, even4High) = (Avx2.UnpackLow(input[4], input[6]), Avx2.UnpackHigh(input[4], input[6]));
        var (odd1Low, odd1High) = (Avx2.UnpackLow(input[1], input[3]), Avx2.UnpackHigh(input[1], input[3]));
        var (odd5Low, odd5High) = (Avx2.UnpackLow(input[5], input[7]), Avx2.UnpackHigh(input[5], input[7]));
        var round = Vector256.Create(1 << (shift - 1));
        var count = Vector128.CreateScalar(shift);
        for (var n = 0; 2 * n < size; n++, pairs += 4)
        {
            var (weights0, weights4) = (Vector256.Create(pairs[0]).AsInt16(), Vector256.Create(pairs[1]).AsInt16());
            var (weights1, weights5) = (Vector256.Create(pairs[2]).AsInt16(), Vector256.Create(pairs[3]).AsInt16());
            var evenLow = Avx2.MultiplyAddAdjacent(even0Low, weights0) + Avx2.MultiplyAddAdjacent(even4Low, weights4) + round;
            var evenHigh = Avx2.MultiplyAddAdjacent(even0High, weights0) + Avx2.MultiplyAddAdjacent(even4High, weights4) + round;
            var oddLow = Avx2.MultiplyAddAdjacent(odd1Low, weights1) + Avx2.MultiplyAddAdjacent(odd5Low, weights5);
            var oddHigh = Avx2.MultiplyAddAdjacent(odd1High, weights1) + Avx2.MultiplyAddAdjacent(odd5High, weights5);
            output[n] = Descale(evenLow + oddLow, evenHigh + oddHigh, count);
            output[size - 1 - n] = Descale(evenLow - oddLow, evenHigh - oddHigh, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Descale(Vector256<int> low, Vector256<int> high, Vector128<int> count) =>
        Avx2.PackSignedSaturate(Avx2.ShiftRightArithmetic(low, count), Avx2.ShiftRightArithmetic(high, count));

    private static short* Weights(int size) => (short*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(size switch
    {
        2 => Weights2,
        3 => Weights3,
        4 => Weights4,
        5 => Weights5,
        6 => Weights6,
        7 => Weights7,
        10 => Weights10,
        12 => Weights12,
        _ => Weights14,
    }));

    // For each output of the first half the weights of inputs 0, 2, 4, 6, then of 1, 3, 5, 7, in 1/8192.
    // Of 2 samples the weight of input 0 does not fit 16 bits; it counts twice, in the place of input 2, which does not count.
    private static ReadOnlySpan<short> Weights2 => [16384, 16384, 0, 0, 29692, -10426, 6967, -5906];

    private static ReadOnlySpan<short> Weights3 => [8192, 5793, 0, 0, 10033, 0, 0, 0, 8192, -11586, 0, 0, 0, 0, 0, 0];

    private static ReadOnlySpan<short> Weights4 => [16384, 15137, 0, -6270, 20995, 7373, -4926, -4176, 16384, -15137, 0, 6270, 8697, -17799, 11893, -1730];

    private static ReadOnlySpan<short> Weights5 =>
    [
        8192, 9372, 3580, 0, 11019, 6810, 0, 0,
        8192, -3580, -9372, 0, 6810, -11018, 0, 0,
        8192, -11584, 11584, 0, 0, 0, 0, 0,
    ];

    private static ReadOnlySpan<short> Weights6 =>
    [
        8192, 10033, 5793, 0, 11190, 8192, 2998, 0,
        8192, 0, -11586, 0, 8192, -8192, -8192, 0,
        8192, -10033, 5793, 0, 2998, -8192, 11190, 0,
    ];

    private static ReadOnlySpan<short> Weights7 =>
    [
        8192, 10438, 7223, 2578, 11295, 9058, 5027, 0,
        8192, 2578, -10438, -7223, 9058, -5027, -11295, 0,
        8192, -7223, -2578, 10438, 5027, -11295, 9058, 0,
        8192, -11585, 11585, -11585, 0, 0, 0, 0,
    ];

    private static ReadOnlySpan<short> Weights10 =>
    [
        8192, 11019, 9373, 6810, 11443, 10322, 8192, 5260,
        8192, 6810, -3580, -11018, 10323, 1812, -8192, -11442,
        8192, 0, -11586, 0, 8192, -8192, -8192, 8192,
        8192, -6810, -3580, 11018, 5260, -11442, 8192, 1812,
        8192, -11019, 9373, -6810, 1812, -5260, 8192, -10322,
    ];

    private static ReadOnlySpan<short> Weights12 =>
    [
        8192, 11190, 10033, 8192, 11487, 10703, 9192, 7053,
        8192, 8192, 0, -8192, 10703, 4433, -4433, -10703,
        8192, 2998, -10033, -8192, 9192, -4433, -11485, -1512,
        8192, -2998, -10033, 8192, 7053, -10703, -1512, 11486,
        8192, -8192, 0, 8192, 4433, -10704, 10704, -4433,
        8192, -11190, 10033, -8192, 1513, -4433, 7053, -9191,
    ];

    private static ReadOnlySpan<short> Weights14 =>
    [
        8192, 11295, 10438, 9058, 11513, 10935, 9810, 8192,
        8192, 9058, 2578, -5026, 10935, 6164, -1297, -8192,
        8192, 5027, -7223, -11295, 9810, -1297, -10934, -8192,
        8192, 0, -11586, 0, 8192, -8192, -8192, 8192,
        8192, -5027, -7223, 11295, 6164, -11512, 3826, 8192,
        8192, -9058, 2578, 5026, 3826, -9809, 11512, -8192,
        8192, -11295, 10438, -9058, 1297, -3826, 6164, -8192,
    ];
}
