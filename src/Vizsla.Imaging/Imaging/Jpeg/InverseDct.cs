using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Vizsla.Imaging.Jpeg;

/// <summary>From coefficients to samples: the accurate integer method.</summary>
/// <remarks>
/// Source: libjpeg-turbo <c>jidctint</c> as its SIMD code computes it (sums of two inputs wrap at 16 bits, each pass saturates), which differs from its C code only for damaged files.
/// Parity: exact.
/// </remarks>
internal static unsafe class InverseDct
{
    private const int ConstantBits = 13;
    private const int FirstPassBits = 2;
    private const int FirstShift = ConstantBits - FirstPassBits;
    private const int SecondShift = ConstantBits + FirstPassBits + 3;

    /// <summary>Transforms the blocks of a row.</summary>
    /// <param name="coefficients">64 for each block, natural order; one block more may be read.</param>
    /// <param name="blocks">Number of blocks.</param>
    /// <param name="quantization">64 steps, natural order.</param>
    /// <param name="samples">Top left sample of the first block; room for an even number of blocks.</param>
    /// <param name="stride">Distance between rows of samples.</param>
    public static void Transform(short* coefficients, int blocks, short* quantization, byte* samples, nint stride)
    {
        if (Avx2.IsSupported)
        {
            for (var i = 0; i < blocks; i += 2, coefficients += 128, samples += 16)
            {
                TransformPair(coefficients, quantization, samples, stride);
            }
        }
        else
        {
            for (var i = 0; i < blocks; i++, coefficients += 64, samples += 8)
            {
                TransformOne(coefficients, quantization, samples, stride);
            }
        }
    }

    /// <summary>Transforms one block without vector instructions.</summary>
    /// <param name="coefficients">64, natural order.</param>
    /// <param name="quantization">64 steps, natural order.</param>
    /// <param name="samples">Top left sample.</param>
    /// <param name="stride">Distance between rows of samples.</param>
    public static void TransformOne(short* coefficients, short* quantization, byte* samples, nint stride)
    {
        var work = stackalloc short[64];
        var column = stackalloc short[8];
        var flat = true;
        for (var i = 8; i < 64; i++)
        {
            flat &= coefficients[i] == 0;
        }

        for (var x = 0; x < 8; x++)
        {
            for (var y = 0; y < 8; y++)
            {
                column[y] = (short)(coefficients[8 * y + x] * quantization[8 * y + x]);
            }

            if (flat)
            {
                for (var y = 0; y < 8; y++)
                {
                    work[8 * y + x] = (short)(column[0] << FirstPassBits);
                }
            }
            else
            {
                Pass(column, work + x, 8, FirstShift);
            }
        }

        for (var y = 0; y < 8; y++, samples += stride)
        {
            Pass(work + 8 * y, column, 1, SecondShift);
            for (var x = 0; x < 8; x++)
            {
                samples[x] = (byte)(Math.Clamp((int)column[x], -128, 127) + 128);
            }
        }
    }

    private static void Pass(short* input, short* output, int step, int shift)
    {
        int in0 = input[0], in1 = input[1], in2 = input[2], in3 = input[3], in4 = input[4], in5 = input[5], in6 = input[6], in7 = input[7];
        var even2 = in2 * 4433 - in6 * 10704;
        var even3 = in2 * 10703 + in6 * 4433;
        var even0 = (short)(in0 + in4) << ConstantBits;
        var even1 = (short)(in0 - in4) << ConstantBits;
        var (sum0, sum3, sum1, sum2) = (even0 + even3, even0 - even3, even1 + even2, even1 - even2);

        int z3 = (short)(in7 + in3), z4 = (short)(in5 + in1);
        var (z3Scaled, z4Scaled) = (z3 * -6436 + z4 * 9633, z3 * 9633 + z4 * 6437);
        var odd0 = in7 * -4927 + in1 * -7373 + z3Scaled;
        var odd3 = in7 * -7373 + in1 * 4926 + z4Scaled;
        var odd1 = in5 * -4176 + in3 * -20995 + z4Scaled;
        var odd2 = in5 * -20995 + in3 * 4177 + z3Scaled;

        output[0] = Descale(sum0 + odd3, shift);
        output[7 * step] = Descale(sum0 - odd3, shift);
        output[step] = Descale(sum1 + odd2, shift);
        output[6 * step] = Descale(sum1 - odd2, shift);
        output[2 * step] = Descale(sum2 + odd1, shift);
        output[5 * step] = Descale(sum2 - odd1, shift);
        output[3 * step] = Descale(sum3 + odd0, shift);
        output[4 * step] = Descale(sum3 - odd0, shift);
    }

    private static short Descale(int value, int shift) =>
        (short)Math.Clamp((value + (1 << (shift - 1))) >> shift, short.MinValue, short.MaxValue);

    // Two neighboring blocks at once, one in each half of the registers; no instruction mixes the halves.
    private static void TransformPair(short* coefficients, short* quantization, byte* samples, nint stride)
    {
        var r0 = Load(coefficients, quantization, 0);
        var r1 = Load(coefficients, quantization, 1);
        var r2 = Load(coefficients, quantization, 2);
        var r3 = Load(coefficients, quantization, 3);
        var r4 = Load(coefficients, quantization, 4);
        var r5 = Load(coefficients, quantization, 5);
        var r6 = Load(coefficients, quantization, 6);
        var r7 = Load(coefficients, quantization, 7);
        var below = r1 | r2 | r3 | r4 | r5 | r6 | r7;
        var first = Avx2.ShiftLeftLogical(r0, FirstPassBits);
        var (flatLeft, flatRight) = (below.GetLower() == Vector128<short>.Zero, below.GetUpper() == Vector128<short>.Zero);
        if (flatLeft && flatRight)
        {
            (r0, r1, r2, r3, r4, r5, r6, r7) = (first, first, first, first, first, first, first, first);
        }
        else
        {
            Pass(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7, FirstShift);
            if (flatLeft || flatRight)
            {
                // Where only the first row is not zero, the columns are that row as it is; in a damaged file it wraps and does not saturate.
                var flat = flatLeft ? Vector256.Create(Vector128<short>.AllBitsSet, Vector128<short>.Zero) : Vector256.Create(Vector128<short>.Zero, Vector128<short>.AllBitsSet);
                r0 = Vector256.ConditionalSelect(flat, first, r0);
                r1 = Vector256.ConditionalSelect(flat, first, r1);
                r2 = Vector256.ConditionalSelect(flat, first, r2);
                r3 = Vector256.ConditionalSelect(flat, first, r3);
                r4 = Vector256.ConditionalSelect(flat, first, r4);
                r5 = Vector256.ConditionalSelect(flat, first, r5);
                r6 = Vector256.ConditionalSelect(flat, first, r6);
                r7 = Vector256.ConditionalSelect(flat, first, r7);
            }
        }

        Transpose(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
        Pass(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7, SecondShift);
        Transpose(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
        Store(r0, r1, samples, stride);
        Store(r2, r3, samples + 2 * stride, stride);
        Store(r4, r5, samples + 4 * stride, stride);
        Store(r6, r7, samples + 6 * stride, stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<short> Load(short* coefficients, short* quantization, int row)
    {
        var both = Vector256.Create(Vector128.Load(coefficients + 8 * row), Vector128.Load(coefficients + 64 + 8 * row));
        var step = Vector128.Load(quantization + 8 * row);
        return Avx2.MultiplyLow(both, Vector256.Create(step, step));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<short> upper, Vector256<short> lower, byte* samples, nint stride)
    {
        // In each half the eight samples of the upper row, then of the lower.
        var bytes = (Avx2.PackSignedSaturate(upper, lower).AsByte() ^ Vector256.Create((byte)0x80)).AsInt64();
        bytes = Avx2.Permute4x64(bytes, 0b11_01_10_00);
        bytes.GetLower().AsByte().Store(samples);
        bytes.GetUpper().AsByte().Store(samples + stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pass(
        ref Vector256<short> in0,
        ref Vector256<short> in1,
        ref Vector256<short> in2,
        ref Vector256<short> in3,
        ref Vector256<short> in4,
        ref Vector256<short> in5,
        ref Vector256<short> in6,
        ref Vector256<short> in7,
        [ConstantExpected] byte shift)
    {
        var (low26, high26) = (Avx2.UnpackLow(in2, in6), Avx2.UnpackHigh(in2, in6));
        var (even2Low, even2High) = (Weigh(low26, 4433, -10704), Weigh(high26, 4433, -10704));
        var (even3Low, even3High) = (Weigh(low26, 10703, 4433), Weigh(high26, 10703, 4433));
        var sum04 = Avx2.Add(in0, in4);
        var difference04 = Avx2.Subtract(in0, in4);
        var (even0Low, even0High) = (Widen(sum04, low: true), Widen(sum04, low: false));
        var (even1Low, even1High) = (Widen(difference04, low: true), Widen(difference04, low: false));

        var z3 = Avx2.Add(in7, in3);
        var z4 = Avx2.Add(in5, in1);
        var (lowZ, highZ) = (Avx2.UnpackLow(z3, z4), Avx2.UnpackHigh(z3, z4));
        var (z3Low, z3High) = (Weigh(lowZ, -6436, 9633), Weigh(highZ, -6436, 9633));
        var (z4Low, z4High) = (Weigh(lowZ, 9633, 6437), Weigh(highZ, 9633, 6437));
        var (low71, high71) = (Avx2.UnpackLow(in7, in1), Avx2.UnpackHigh(in7, in1));
        var (low53, high53) = (Avx2.UnpackLow(in5, in3), Avx2.UnpackHigh(in5, in3));
        var (odd0Low, odd0High) = (Weigh(low71, -4927, -7373) + z3Low, Weigh(high71, -4927, -7373) + z3High);
        var (odd3Low, odd3High) = (Weigh(low71, -7373, 4926) + z4Low, Weigh(high71, -7373, 4926) + z4High);
        var (odd1Low, odd1High) = (Weigh(low53, -4176, -20995) + z4Low, Weigh(high53, -4176, -20995) + z4High);
        var (odd2Low, odd2High) = (Weigh(low53, -20995, 4177) + z3Low, Weigh(high53, -20995, 4177) + z3High);

        var round = Vector256.Create(1 << (shift - 1));
        var (sum0Low, sum0High) = (even0Low + even3Low + round, even0High + even3High + round);
        in0 = Descale(sum0Low + odd3Low, sum0High + odd3High, shift);
        in7 = Descale(sum0Low - odd3Low, sum0High - odd3High, shift);
        var (sum1Low, sum1High) = (even1Low + even2Low + round, even1High + even2High + round);
        in1 = Descale(sum1Low + odd2Low, sum1High + odd2High, shift);
        in6 = Descale(sum1Low - odd2Low, sum1High - odd2High, shift);
        var (sum2Low, sum2High) = (even1Low - even2Low + round, even1High - even2High + round);
        in2 = Descale(sum2Low + odd1Low, sum2High + odd1High, shift);
        in5 = Descale(sum2Low - odd1Low, sum2High - odd1High, shift);
        var (sum3Low, sum3High) = (even0Low - even3Low + round, even0High - even3High + round);
        in3 = Descale(sum3Low + odd0Low, sum3High + odd0High, shift);
        in4 = Descale(sum3Low - odd0Low, sum3High - odd0High, shift);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Weigh(Vector256<short> pairs, short first, short second) =>
        Avx2.MultiplyAddAdjacent(pairs, Vector256.Create((ushort)first | second << 16).AsInt16());

    // The numbers times 2 to the power of 13: placed in the upper half of 32 bits, then shifted down with their sign.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Widen(Vector256<short> values, bool low) => Avx2.ShiftRightArithmetic(
        (low ? Avx2.UnpackLow(Vector256<short>.Zero, values) : Avx2.UnpackHigh(Vector256<short>.Zero, values)).AsInt32(), 16 - ConstantBits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Descale(Vector256<int> low, Vector256<int> high, [ConstantExpected] byte shift) =>
        Avx2.PackSignedSaturate(Avx2.ShiftRightArithmetic(low, shift), Avx2.ShiftRightArithmetic(high, shift));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Transpose(
        ref Vector256<short> r0,
        ref Vector256<short> r1,
        ref Vector256<short> r2,
        ref Vector256<short> r3,
        ref Vector256<short> r4,
        ref Vector256<short> r5,
        ref Vector256<short> r6,
        ref Vector256<short> r7)
    {
        var (a0, a1) = (Avx2.UnpackLow(r0, r1).AsInt32(), Avx2.UnpackHigh(r0, r1).AsInt32());
        var (a2, a3) = (Avx2.UnpackLow(r2, r3).AsInt32(), Avx2.UnpackHigh(r2, r3).AsInt32());
        var (a4, a5) = (Avx2.UnpackLow(r4, r5).AsInt32(), Avx2.UnpackHigh(r4, r5).AsInt32());
        var (a6, a7) = (Avx2.UnpackLow(r6, r7).AsInt32(), Avx2.UnpackHigh(r6, r7).AsInt32());
        var (b0, b1) = (Avx2.UnpackLow(a0, a2).AsInt64(), Avx2.UnpackHigh(a0, a2).AsInt64());
        var (b2, b3) = (Avx2.UnpackLow(a1, a3).AsInt64(), Avx2.UnpackHigh(a1, a3).AsInt64());
        var (b4, b5) = (Avx2.UnpackLow(a4, a6).AsInt64(), Avx2.UnpackHigh(a4, a6).AsInt64());
        var (b6, b7) = (Avx2.UnpackLow(a5, a7).AsInt64(), Avx2.UnpackHigh(a5, a7).AsInt64());
        (r0, r1) = (Avx2.UnpackLow(b0, b4).AsInt16(), Avx2.UnpackHigh(b0, b4).AsInt16());
        (r2, r3) = (Avx2.UnpackLow(b1, b5).AsInt16(), Avx2.UnpackHigh(b1, b5).AsInt16());
        (r4, r5) = (Avx2.UnpackLow(b2, b6).AsInt16(), Avx2.UnpackHigh(b2, b6).AsInt16());
        (r6, r7) = (Avx2.UnpackLow(b3, b7).AsInt16(), Avx2.UnpackHigh(b3, b7).AsInt16());
    }
}
