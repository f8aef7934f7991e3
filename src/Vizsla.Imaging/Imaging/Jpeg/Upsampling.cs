using System.Runtime.Intrinsics;

namespace Vizsla.Imaging.Jpeg;

/// <summary>Widens rows of a coarser channel to the width of the picture.</summary>
/// <remarks>Source: libjpeg <c>jdsample.c</c> (<c>h2v1_fancy_upsample</c>, <c>h2v2_fancy_upsample</c>, <c>h1v2_fancy_upsample</c>, <c>int_upsample</c>). Parity: exact.</remarks>
internal static unsafe class Upsampling
{
    /// <summary>Values that a row buffer needs beyond its width on either side.</summary>
    public const int Slack = 32;

    /// <summary>Doubles a row across with weights 3 and 1.</summary>
    /// <param name="row">Samples, readable for <see cref="Slack"/> beyond the end.</param>
    /// <param name="width">Number of samples.</param>
    /// <param name="sums">Room for the width and the slack on both sides.</param>
    /// <param name="output">Twice the width and the slack.</param>
    public static void DoubleAcross(byte* row, int width, ushort* sums, byte* output)
    {
        var center = sums + Slack;
        for (var x = 0; x < width; x += Vector128<byte>.Count)
        {
            Vector256.WidenLower(Vector128.Load(row + x).ToVector256Unsafe()).Store(center + x);
        }

        Spread(center, width, 1, 2, 2, output);
    }

    /// <summary>Doubles a row across and down with weights 9, 3, 3 and 1.</summary>
    /// <param name="near">The row that the output row lies in.</param>
    /// <param name="far">The row on its other side.</param>
    /// <param name="width">Number of samples.</param>
    /// <param name="sums">Room for the width and the slack on both sides.</param>
    /// <param name="output">Twice the width and the slack.</param>
    public static void DoubleBoth(byte* near, byte* far, int width, ushort* sums, byte* output)
    {
        var center = sums + Slack;
        for (var x = 0; x < width; x += Vector128<byte>.Count)
        {
            var n = Vector256.WidenLower(Vector128.Load(near + x).ToVector256Unsafe());
            var f = Vector256.WidenLower(Vector128.Load(far + x).ToVector256Unsafe());
            (n + n + n + f).Store(center + x);
        }

        Spread(center, width, 8, 7, 4, output);
    }

    /// <summary>Doubles rows down with weights 3 and 1.</summary>
    /// <param name="near">The row that the output row lies in.</param>
    /// <param name="far">The row on its other side.</param>
    /// <param name="width">Number of samples.</param>
    /// <param name="bias">1 where the far row is above, 2 where it is below.</param>
    /// <param name="output">The width and the slack.</param>
    public static void DoubleDown(byte* near, byte* far, int width, int bias, byte* output)
    {
        for (var x = 0; x < width; x++)
        {
            output[x] = (byte)((3 * near[x] + far[x] + bias) >> 2);
        }
    }

    /// <summary>Repeats each sample of a row.</summary>
    /// <param name="row">Samples.</param>
    /// <param name="width">Number of samples.</param>
    /// <param name="times">How often, 1 to 4.</param>
    /// <param name="output">As many times the width.</param>
    public static void Repeat(byte* row, int width, int times, byte* output)
    {
        for (var x = 0; x < width; x++, output += times)
        {
            new Span<byte>(output, times).Fill(row[x]);
        }
    }

    // Each sum becomes two samples: three parts of it and one of its left neighbor, then of its right one; at the ends it is its own neighbor.
    private static void Spread(ushort* sums, int width, ushort leftBias, ushort rightBias, int shift, byte* output)
    {
        sums[-1] = sums[0];
        sums[width] = sums[width - 1];
        var (left, right) = (Vector256.Create(leftBias), Vector256.Create(rightBias));
        for (var x = 0; x < width; x += Vector256<ushort>.Count)
        {
            var sum = Vector256.Load(sums + x);
            var triple = sum + sum + sum;
            var even = (triple + Vector256.Load(sums + x - 1) + left) >>> shift;
            var odd = (triple + Vector256.Load(sums + x + 1) + right) >>> shift;
            (even | (odd << 8)).AsByte().Store(output + 2 * x);
        }
    }
}
