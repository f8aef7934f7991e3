using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Brightness, contrast, saturation and sharpness as Pillow's <c>ImageEnhance</c> changes them: a blend with a poorer picture.</summary>
/// <remarks>Source: Pillow <c>ImageEnhance</c>, <c>Blend.c</c>, <c>Filter.c</c>. Parity: exact.</remarks>
internal static class Enhance
{
    private const float Side = 1f / 13f;
    private const float Middle = 5f / 13f;

    /// <summary>Blends with black.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="factor">0 is black, 1 the picture itself.</param>
    public static Image Brightness(Image image, double factor) => BlendWithLevel(image, 0, (float)factor);

    /// <summary>Blends with the mean gray.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="factor">0 is gray, 1 the picture itself.</param>
    public static Image Contrast(Image image, double factor)
    {
        var mean = (int)(((double)LuminanceSum(image.Pixels) / ((long)image.Width * image.Height)) + 0.5);
        return BlendWithLevel(image, mean, (float)factor);
    }

    /// <summary>Blends each pixel with its gray.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="factor">0 is gray, 1 the picture itself.</param>
    public static Image Saturation(Image image, double factor)
    {
        var result = new Image(image.Width, image.Height);
        var source = image.Pixels;
        var target = result.Pixels;
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target);
        var share = (float)factor;
        var i = 0;
        for (; i + PixelVectors.Reach <= source.Length; i += PixelVectors.Length)
        {
            var (red, green, blue) = PixelVectors.Load(ref from, i);
            var gray = Vector256.ConvertToSingle(Luminance(red, green, blue));
            PixelVectors.Store(Blend(gray, red, share), Blend(gray, green, share), Blend(gray, blue, share), ref to, i);
        }

        for (; i < source.Length; i += 3)
        {
            var gray = Luminance(source[i], source[i + 1], source[i + 2]);
            target[i] = Blend(gray, source[i], share);
            target[i + 1] = Blend(gray, source[i + 1], share);
            target[i + 2] = Blend(gray, source[i + 2], share);
        }

        return result;
    }

    /// <summary>The gray of each pixel in all three channels.</summary>
    public static Image Grayscale(Image image) => Saturation(image, 0);

    /// <summary>Blends each pixel with the mean of its neighborhood, in which it counts five times; border pixels stay.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="factor">0 is smooth, 1 the picture itself, 2 sharper.</param>
    public static Image Sharpness(Image image, double factor)
    {
        var result = image.Clone();
        if (image.Width < 3 || image.Height < 3)
        {
            return result;
        }

        var length = 3 * image.Width;
        var buffer = PixelPool<float>.Shared.Rent(4 * length);
        var sums = buffer.AsSpan(3 * length, length - 6);
        for (var y = 0; y < image.Height; y++)
        {
            ByteFloats.Widen(image.Row(y), buffer.AsSpan(y % 3 * length, length));
            if (y >= 2)
            {
                Sharpen(
                    buffer.AsSpan((y - 2) % 3 * length, length), buffer.AsSpan((y - 1) % 3 * length, length), buffer.AsSpan(y % 3 * length, length), (float)factor, sums);
                ByteFloats.Truncate(sums, result.Row(y - 1)[3..^3]);
            }
        }

        PixelPool<float>.Shared.Return(buffer);
        return result;
    }

    // Pillow adds up the row below, the row, the row above, each from left to right, and truncates after adding a half.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sharpen(ReadOnlySpan<float> above, ReadOnlySpan<float> row, ReadOnlySpan<float> below, float factor, Span<float> sums)
    {
        ref var up = ref MemoryMarshal.GetReference(above);
        ref var here = ref MemoryMarshal.GetReference(row);
        ref var down = ref MemoryMarshal.GetReference(below);
        ref var sum = ref MemoryMarshal.GetReference(sums);
        var (side, middle) = (Vector256.Create(Side), Vector256.Create(Middle));
        nuint i = 0;
        for (; i + (nuint)Vector256<float>.Count <= (nuint)sums.Length; i += (nuint)Vector256<float>.Count)
        {
            var level = Vector256.LoadUnsafe(ref here, i + 3);
            var smooth = Vector256.Create(0.5f) + ((Vector256.LoadUnsafe(ref down, i) * side) + (Vector256.LoadUnsafe(ref down, i + 3) * side) + (Vector256.LoadUnsafe(ref down, i + 6) * side));
            smooth += (Vector256.LoadUnsafe(ref here, i) * side) + (level * middle) + (Vector256.LoadUnsafe(ref here, i + 6) * side);
            smooth += (Vector256.LoadUnsafe(ref up, i) * side) + (Vector256.LoadUnsafe(ref up, i + 3) * side) + (Vector256.LoadUnsafe(ref up, i + 6) * side);
            smooth = Vector256.Truncate(smooth);
            (smooth + ((level - smooth) * factor)).StoreUnsafe(ref sum, i);
        }

        for (var j = (int)i; j < sums.Length; j++)
        {
            var smooth = 0.5f + ((below[j] * Side) + (below[j + 3] * Side) + (below[j + 6] * Side));
            smooth += (row[j] * Side) + (row[j + 3] * Middle) + (row[j + 6] * Side);
            smooth += (above[j] * Side) + (above[j + 3] * Side) + (above[j + 6] * Side);
            smooth = MathF.Truncate(smooth);
            sums[j] = smooth + ((row[j + 3] - smooth) * factor);
        }
    }

    private static long LuminanceSum(ReadOnlySpan<byte> pixels)
    {
        ref var from = ref MemoryMarshal.GetReference(pixels);
        var sum = 0L;
        var i = 0;
        while (i + PixelVectors.Reach <= pixels.Length)
        {
            // Eight lanes hold 2^31 / 255 grays each before they must be emptied.
            var lanes = Vector256<int>.Zero;
            var end = Math.Min(pixels.Length - PixelVectors.Reach, i + (1 << 24));
            for (; i <= end; i += PixelVectors.Length)
            {
                var (red, green, blue) = PixelVectors.Load(ref from, i);
                lanes += Luminance(red, green, blue);
            }

            var (low, high) = Vector256.Widen(lanes);
            sum += Vector256.Sum(low + high);
        }

        for (; i < pixels.Length; i += 3)
        {
            sum += Luminance(pixels[i], pixels[i + 1], pixels[i + 2]);
        }

        return sum;
    }

    // Pillow's gray of a color: convert("L").
    private static byte Luminance(byte red, byte green, byte blue) => (byte)(((19595 * red) + (38470 * green) + (7471 * blue) + 0x8000) >> 16);

    private static Vector256<int> Luminance(Vector256<int> red, Vector256<int> green, Vector256<int> blue) =>
        Vector256.ShiftRightLogical((red * 19595) + (green * 38470) + (blue * 7471) + Vector256.Create(0x8000), 16);

    private static Image BlendWithLevel(Image image, int level, float factor)
    {
        Span<byte> table = stackalloc byte[256];
        for (var i = 0; i < table.Length; i++)
        {
            table[i] = Blend(level, i, factor);
        }

        return Levels.ApplyToAll(image, table);
    }

    // Pillow truncates; a factor outside 0 to 1 also clips.
    private static byte Blend(int poorer, int level, float factor) => (byte)Math.Clamp(poorer + (factor * (level - poorer)), 0f, 255f);

    private static Vector256<int> Blend(Vector256<float> poorer, Vector256<int> level, float factor)
    {
        var blend = poorer + ((Vector256.ConvertToSingle(level) - poorer) * factor);
        return Vector256.ConvertToInt32(Vector256.Clamp(blend, Vector256<float>.Zero, Vector256.Create(255f)));
    }
}
