using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Vizsla.Transforms;

/// <summary>Turns hues eight pixels at a time on AVX2, through the same tables and with the same roundings as one by one.</summary>
internal static class HueVectors
{
    private const int LevelCount = 256;

    /// <summary>Whether the processor can gather from tables.</summary>
    public static bool IsSupported => Avx2.IsSupported;

    /// <summary>Changes as many pixels as fill vectors.</summary>
    /// <param name="source">Pixels.</param>
    /// <param name="target">Receives the pixels.</param>
    /// <param name="hues">Hue by sector, range and distance below the largest channel; four bytes longer than used.</param>
    /// <param name="saturations">Saturation by largest channel and range; four bytes longer than used.</param>
    /// <param name="sectors">Sector by the bits red &lt; green, green &lt; blue, red &lt; blue.</param>
    /// <param name="directions">What becomes of each hue.</param>
    /// <returns>Number of bytes changed.</returns>
    public static unsafe int Apply(
        ReadOnlySpan<byte> source, Span<byte> target, byte[] hues, byte[] saturations, int[] sectors, ReadOnlySpan<HueDirection> directions)
    {
        var losses = stackalloc double[LevelCount];
        var layouts = stackalloc int[LevelCount];
        for (var hue = 0; hue < LevelCount; hue++)
        {
            losses[hue] = directions[hue].Loss;
            layouts[hue] = directions[hue].Layout;
        }

        var sectorByOrder = Vector256.Create<int>(sectors);
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target);
        var i = 0;
        fixed (byte* hueTable = hues, saturationTable = saturations)
        {
            for (; i + PixelVectors.Reach <= source.Length; i += PixelVectors.Length)
            {
                var (red, green, blue) = PixelVectors.Load(ref from, i);
                var max = Vector256.Max(red, Vector256.Max(green, blue));
                var min = Vector256.Min(red, Vector256.Min(green, blue));
                var range = max - min;
                var belowMax = max + max + min - red - green - blue;
                var order = Vector256.ShiftRightLogical(red - green, 31)
                    | Vector256.ShiftLeft(Vector256.ShiftRightLogical(green - blue, 31), 1)
                    | Vector256.ShiftLeft(Vector256.ShiftRightLogical(red - blue, 31), 2);
                var sector = Vector256.ShuffleNative(sectorByOrder, order);
                var hueAt = Vector256.ShiftLeft(Vector256.ShiftLeft(sector, 8) + range, 8) + belowMax;
                var hue = Avx2.GatherVector256((int*)hueTable, hueAt, 1) & Vector256.Create(0xFF);
                var saturation = Avx2.GatherVector256((int*)saturationTable, Vector256.ShiftLeft(max, 8) + range, 1) & Vector256.Create(0xFF);
                var layout = Avx2.GatherVector256(layouts, hue, 4);

                var strength = Vector256.ConvertToSingle(saturation) / Vector256.Create(255f);
                var (middleLow, smallestLow) = Levels(max.GetLower(), Vector256.WidenLower(strength), hue.GetLower(), layout.GetLower(), losses);
                var (middleHigh, smallestHigh) = Levels(max.GetUpper(), Vector256.WidenUpper(strength), hue.GetUpper(), layout.GetUpper(), losses);
                var levels = max
                    | Vector256.ShiftLeft(Vector256.Create(middleLow, middleHigh), 8)
                    | Vector256.ShiftLeft(Vector256.Create(smallestLow, smallestHigh), 16);
                Store(levels, layout, ref to, i);
            }
        }

        return i;
    }

    // The middle and the smallest channel of four pixels.
    private static unsafe (Vector128<int> Middle, Vector128<int> Smallest) Levels(
        Vector128<int> value, Vector256<double> strength, Vector128<int> hue, Vector128<int> layout, double* losses)
    {
        var lost = strength * Avx2.GatherVector256(losses, hue, 8);
        var rounded = Avx.ConvertToVector256Double(Avx.ConvertToVector128Single(lost));
        var roundsToFloat = Avx2.ConvertToVector256Int64(Vector128.ShiftRightArithmetic(layout, 31)).AsDouble();
        lost = Vector256.ConditionalSelect(roundsToFloat, rounded, lost);
        var values = Avx.ConvertToVector256Double(value);
        return (Round(values * (Vector256<double>.One - lost)), Round(values * (Vector256<double>.One - strength)));
    }

    private static Vector128<int> Round(Vector256<double> levels) =>
        Avx.ConvertToVector128Int32WithTruncation(levels + Vector256.Create(0.5));

    private static void Store(Vector256<int> levels, Vector256<int> layout, ref byte target, int at)
    {
        var low = Vector256.Create(0xFF);
        PixelVectors.Store(
            Avx2.ShiftRightLogicalVariable(levels, (layout & low).AsUInt32()) & low,
            Avx2.ShiftRightLogicalVariable(levels, (Vector256.ShiftRightLogical(layout, 8) & low).AsUInt32()) & low,
            Avx2.ShiftRightLogicalVariable(levels, (Vector256.ShiftRightLogical(layout, 16) & low).AsUInt32()) & low,
            ref target,
            at);
    }
}
