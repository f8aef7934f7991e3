using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Vizsla.Transforms;

/// <summary>Convolution of a whole plane with a large kernel, with the sums of <see cref="Convolution"/> in their order.</summary>
/// <remarks>
/// Four rows of the result are summed at once: each source vector is read once for four of them, which a large kernel is held up by otherwise.
/// Where a row of the result does not reach a source row its weights are 0, which changes no sum.
/// </remarks>
internal static class PlaneConvolution
{
    private const int RowCount = 4;

    private static readonly int Block = 4 * Vector512<float>.Count;

    /// <summary>Computes rows of the result.</summary>
    /// <param name="source">The plane with its padding on all sides.</param>
    /// <param name="sourceWidth">Floats of a padded row.</param>
    /// <param name="weights">The kernel of <see cref="Pad"/>.</param>
    /// <param name="kernelWidth">Columns of the kernel.</param>
    /// <param name="kernelHeight">Rows of the kernel.</param>
    /// <param name="from">First row of the result.</param>
    /// <param name="to">The row behind its last.</param>
    /// <param name="result">The plane without padding; only the rows asked for are written.</param>
    public static void Rows(
        ReadOnlySpan<float> source, int sourceWidth, ReadOnlySpan<float> weights, int kernelWidth, int kernelHeight, int from, int to, Span<float> result)
    {
        var width = sourceWidth - kernelWidth + 1;
        if (!Vector512.IsHardwareAccelerated || width < Block || to - from < RowCount)
        {
            var kernel = weights.Slice((RowCount - 1) * kernelWidth, kernelHeight * kernelWidth);
            for (var row = from; row < to; row++)
            {
                Convolution.Row(source[(row * sourceWidth)..], sourceWidth, 0, kernel, kernelWidth, 1, result.Slice(row * width, width));
            }

            return;
        }

        // The last blocks reach back over sums that are there already, rather than leave some over.
        for (var y = from; y < to; y += RowCount)
        {
            var row = Math.Min(y, to - RowCount);
            for (var x = 0; x < width; x += Block)
            {
                var column = Math.Min(x, width - Block);
                Sum(
                    source.Slice((row * sourceWidth) + column, ((kernelHeight + RowCount - 2) * sourceWidth) + kernelWidth - 1 + Block), sourceWidth,
                    weights, kernelWidth, result.Slice((row * width) + column, ((RowCount - 1) * width) + Block), width);
            }
        }
    }

    /// <summary>A kernel with rows of zeros before and behind it.</summary>
    /// <param name="kernel">Row by row.</param>
    /// <param name="kernelWidth">Columns of the kernel.</param>
    public static float[] Pad(ReadOnlySpan<float> kernel, int kernelWidth)
    {
        var padded = new float[kernel.Length + (2 * (RowCount - 1) * kernelWidth)];
        kernel.CopyTo(padded.AsSpan((RowCount - 1) * kernelWidth));
        return padded;
    }

    // A block of four rows and four vectors: sixteen sums, more than hide the latency of a fused multiply-add. Optimized from its first call,
    // as all kernels are that a moved slider would otherwise show in their slow form.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum(ReadOnlySpan<float> source, int sourceWidth, ReadOnlySpan<float> weights, int kernelWidth, Span<float> result, int width)
    {
        var lanes = (nuint)Vector512<float>.Count;
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector512<float> b0 = default, b1 = default, b2 = default, b3 = default;
        Vector512<float> c0 = default, c1 = default, c2 = default, c3 = default;
        Vector512<float> d0 = default, d1 = default, d2 = default, d3 = default;
        ref var line = ref MemoryMarshal.GetReference(source);
        ref var lastWeight = ref MemoryMarshal.GetReference(weights);
        var sourceRows = (weights.Length / kernelWidth) - (RowCount - 1);
        for (var row = 0; row < sourceRows; row++)
        {
            ref var at = ref line;
            for (var column = 0; column < kernelWidth; column++)
            {
                var v0 = Vector512.LoadUnsafe(ref at);
                var v1 = Vector512.LoadUnsafe(ref at, lanes);
                var v2 = Vector512.LoadUnsafe(ref at, 2 * lanes);
                var v3 = Vector512.LoadUnsafe(ref at, 3 * lanes);
                var weight = Vector512.Create(Unsafe.Add(ref lastWeight, 3 * kernelWidth));
                a0 = Vector512.FusedMultiplyAdd(weight, v0, a0);
                a1 = Vector512.FusedMultiplyAdd(weight, v1, a1);
                a2 = Vector512.FusedMultiplyAdd(weight, v2, a2);
                a3 = Vector512.FusedMultiplyAdd(weight, v3, a3);
                weight = Vector512.Create(Unsafe.Add(ref lastWeight, 2 * kernelWidth));
                b0 = Vector512.FusedMultiplyAdd(weight, v0, b0);
                b1 = Vector512.FusedMultiplyAdd(weight, v1, b1);
                b2 = Vector512.FusedMultiplyAdd(weight, v2, b2);
                b3 = Vector512.FusedMultiplyAdd(weight, v3, b3);
                weight = Vector512.Create(Unsafe.Add(ref lastWeight, kernelWidth));
                c0 = Vector512.FusedMultiplyAdd(weight, v0, c0);
                c1 = Vector512.FusedMultiplyAdd(weight, v1, c1);
                c2 = Vector512.FusedMultiplyAdd(weight, v2, c2);
                c3 = Vector512.FusedMultiplyAdd(weight, v3, c3);
                weight = Vector512.Create(lastWeight);
                d0 = Vector512.FusedMultiplyAdd(weight, v0, d0);
                d1 = Vector512.FusedMultiplyAdd(weight, v1, d1);
                d2 = Vector512.FusedMultiplyAdd(weight, v2, d2);
                d3 = Vector512.FusedMultiplyAdd(weight, v3, d3);
                at = ref Unsafe.Add(ref at, 1);
                lastWeight = ref Unsafe.Add(ref lastWeight, 1);
            }

            line = ref Unsafe.Add(ref line, sourceWidth);
        }

        Store(a0, a1, a2, a3, result);
        Store(b0, b1, b2, b3, result[width..]);
        Store(c0, c1, c2, c3, result[(2 * width)..]);
        Store(d0, d1, d2, d3, result[(3 * width)..]);
    }

    private static void Store(Vector512<float> first, Vector512<float> second, Vector512<float> third, Vector512<float> fourth, Span<float> target)
    {
        var lanes = Vector512<float>.Count;
        first.CopyTo(target);
        second.CopyTo(target[lanes..]);
        third.CopyTo(target[(2 * lanes)..]);
        fourth.CopyTo(target[(3 * lanes)..]);
    }
}
