using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Vizsla.Transforms;

/// <summary>Sums of weighted floats in one fixed order, so that every machine rounds alike.</summary>
internal static class Convolution
{
    // As many sums at once as hide the latency of a fused multiply-add.
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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(
        ReadOnlySpan<float> rows, int rowLength, int firstRow, ReadOnlySpan<float> weights, int kernelWidth, int step, Span<float> result)
    {
        var lanes = Vector512<float>.Count;
        var kernelHeight = weights.Length / kernelWidth;
        ref var source = ref MemoryMarshal.GetReference(rows);
        ref var target = ref MemoryMarshal.GetReference(result);
        var x = 0;
        var block = Unroll * lanes;
        while (x < result.Length && block <= result.Length)
        {
            // The last block reaches back over sums that are there already, rather than leave some over.
            x = Math.Min(x, result.Length - block);
            Vector512<float> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            for (int row = 0, weight = 0; row < kernelHeight; row++)
            {
                ref var from = ref Unsafe.Add(ref source, (((firstRow + row) % kernelHeight) * rowLength) + x);
                for (var column = 0; column < kernelWidth; column++, weight++)
                {
                    var factor = Vector512.Create(weights[weight]);
                    sum0 = Vector512.FusedMultiplyAdd(factor, Vector512.LoadUnsafe(ref from), sum0);
                    sum1 = Vector512.FusedMultiplyAdd(factor, Vector512.LoadUnsafe(ref from, (nuint)(1 * lanes)), sum1);
                    sum2 = Vector512.FusedMultiplyAdd(factor, Vector512.LoadUnsafe(ref from, (nuint)(2 * lanes)), sum2);
                    sum3 = Vector512.FusedMultiplyAdd(factor, Vector512.LoadUnsafe(ref from, (nuint)(3 * lanes)), sum3);
                    from = ref Unsafe.Add(ref from, step);
                }
            }

            sum0.StoreUnsafe(ref target, (nuint)x);
            sum1.StoreUnsafe(ref target, (nuint)(x + (1 * lanes)));
            sum2.StoreUnsafe(ref target, (nuint)(x + (2 * lanes)));
            sum3.StoreUnsafe(ref target, (nuint)(x + (3 * lanes)));
            x += block;
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
