using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Vizsla.Transforms;

/// <summary>Sums of weighted floats in one fixed order, so that every machine rounds alike.</summary>
internal static class Convolution
{
    private const int Unroll = 4;

    /// <summary>Computes one row of a two-dimensional convolution: rows from top to bottom, within a row from left to right, one fused multiply-add each.</summary>
    /// <param name="rows">Padded source rows one behind the other; kernel row k is read from row <paramref name="firstRow"/> + k, going round.</param>
    /// <param name="rowLength">Floats of a padded row.</param>
    /// <param name="firstRow">The source row under the first kernel row.</param>
    /// <param name="weights">The kernel, row by row.</param>
    /// <param name="kernelWidth">Columns of the kernel.</param>
    /// <param name="step">Floats from one column to the next: 3 in interleaved pixels, 1 in a plane.</param>
    /// <param name="result">Receives the sums; its length is that of the row without its padding.</param>
    /// <remarks>Source: the order of oneDNN's depthwise convolution behind torch's <c>conv2d</c>. Parity: exact.</remarks>
    public static void Row(
        ReadOnlySpan<float> rows, int rowLength, int firstRow, ReadOnlySpan<float> weights, int kernelWidth, int step, Span<float> result)
    {
        var lanes = Vector256<float>.Count;
        var kernelHeight = weights.Length / kernelWidth;
        ref var source = ref MemoryMarshal.GetReference(rows);
        ref var target = ref MemoryMarshal.GetReference(result);
        var x = 0;
        for (; x + (Unroll * lanes) <= result.Length; x += Unroll * lanes)
        {
            var (sum0, sum1, sum2, sum3) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
            for (int row = 0, weight = 0; row < kernelHeight; row++)
            {
                ref var from = ref Unsafe.Add(ref source, (((firstRow + row) % kernelHeight) * rowLength) + x);
                for (var column = 0; column < kernelWidth; column++, weight++)
                {
                    var factor = Vector256.Create(weights[weight]);
                    sum0 = Vector256.FusedMultiplyAdd(factor, Vector256.LoadUnsafe(ref from), sum0);
                    sum1 = Vector256.FusedMultiplyAdd(factor, Vector256.LoadUnsafe(ref from, (nuint)lanes), sum1);
                    sum2 = Vector256.FusedMultiplyAdd(factor, Vector256.LoadUnsafe(ref from, (nuint)(2 * lanes)), sum2);
                    sum3 = Vector256.FusedMultiplyAdd(factor, Vector256.LoadUnsafe(ref from, (nuint)(3 * lanes)), sum3);
                    from = ref Unsafe.Add(ref from, step);
                }
            }

            sum0.StoreUnsafe(ref target, (nuint)x);
            sum1.StoreUnsafe(ref target, (nuint)(x + lanes));
            sum2.StoreUnsafe(ref target, (nuint)(x + (2 * lanes)));
            sum3.StoreUnsafe(ref target, (nuint)(x + (3 * lanes)));
        }

        for (; x < result.Length; x++)
        {
            var sum = 0f;
            for (int row = 0, weight = 0; row < kernelHeight; row++)
            {
                var from = (((firstRow + row) % kernelHeight) * rowLength) + x;
                for (var column = 0; column < kernelWidth; column++, weight++)
                {
                    sum = MathF.FusedMultiplyAdd(weights[weight], rows[from + (column * step)], sum);
                }
            }

            result[x] = sum;
        }
    }
}
