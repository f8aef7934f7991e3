using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Changes that look at one level at a time: a table of 256 levels, for all channels or for each.</summary>
/// <remarks>Source: Pillow <c>ImageOps</c>, torchvision <c>_functional_pil</c>. Parity: exact.</remarks>
internal static class Levels
{
    private const int Count = 256;

    /// <summary>255 minus each level.</summary>
    public static Image Invert(Image image) => Map(image, static (level, _) => 255 - level, 0);

    /// <summary>Keeps the high bits of each level.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="bits">1 to 8.</param>
    public static Image Posterize(Image image, int bits) => Map(image, static (level, mask) => level & mask, ~((1 << (8 - bits)) - 1));

    /// <summary>Inverts the levels from a threshold on.</summary>
    public static Image Solarize(Image image, double threshold) =>
        Map(image, static (level, from) => level < from ? level : 255 - level, threshold);

    /// <summary>Raises the levels, as shares of 255, to a power.</summary>
    public static Image Gamma(Image image, double gamma, double gain) => Map(
        image,
        static (level, curve) => Math.Clamp((int)((255 + 1 - 1e-3) * curve.Gain * Math.Pow(level / 255.0, curve.Gamma)), 0, 255),
        (Gamma: gamma, Gain: gain));

    /// <summary>Stretches each channel to 0 and 255.</summary>
    public static Image AutoContrast(Image image)
    {
        Span<int> histogram = stackalloc int[3 * Count];
        Histogram(image, histogram);
        Span<byte> tables = stackalloc byte[3 * Count];
        for (var channel = 0; channel < 3; channel++)
        {
            var counts = histogram.Slice(channel * Count, Count);
            var table = tables.Slice(channel * Count, Count);
            var low = Math.Max(counts.IndexOfAnyExcept(0), 0);
            var high = Math.Max(counts.LastIndexOfAnyExcept(0), 0);
            var scale = 255.0 / (high - low);
            var offset = -low * scale;
            for (var level = 0; level < Count; level++)
            {
                table[level] = high <= low ? (byte)level : (byte)Math.Clamp((int)((level * scale) + offset), 0, 255);
            }
        }

        return Apply(image, tables);
    }

    /// <summary>Spreads each channel's levels evenly.</summary>
    public static Image Equalize(Image image)
    {
        Span<int> histogram = stackalloc int[3 * Count];
        Histogram(image, histogram);
        Span<byte> tables = stackalloc byte[3 * Count];
        for (var channel = 0; channel < 3; channel++)
        {
            var counts = histogram.Slice(channel * Count, Count);
            var table = tables.Slice(channel * Count, Count);
            var last = counts[Math.Max(counts.LastIndexOfAnyExcept(0), 0)];
            var step = ((image.Width * image.Height) - last) / 255;
            var sum = step / 2;
            for (var level = 0; level < Count; level++)
            {
                table[level] = step == 0 ? (byte)level : (byte)Math.Min(sum / step, 255);
                sum += counts[level];
            }
        }

        return Apply(image, tables);
    }

    /// <summary>How often each level occurs, channel by channel.</summary>
    public static void Histogram(Image image, Span<int> histogram)
    {
        histogram.Clear();
        ref var counts = ref MemoryMarshal.GetReference(histogram[..(3 * Count)]);
        ref var pixel = ref MemoryMarshal.GetReference(image.Pixels);
        for (var left = image.Width * image.Height; left > 0; left--)
        {
            Unsafe.Add(ref counts, (nint)pixel)++;
            Unsafe.Add(ref counts, Count + (nint)Unsafe.Add(ref pixel, 1))++;
            Unsafe.Add(ref counts, (2 * Count) + (nint)Unsafe.Add(ref pixel, 2))++;
            pixel = ref Unsafe.Add(ref pixel, 3);
        }
    }

    /// <summary>Replaces levels by a table for each channel.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="tables">3 * 256 levels.</param>
    public static Image Apply(Image image, ReadOnlySpan<byte> tables)
    {
        var result = new Image(image.Width, image.Height);
        LevelLookup.Three(image.Pixels, result.Pixels, tables);
        return result;
    }

    /// <summary>Replaces levels by one table for all channels.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="table">256 levels.</param>
    public static Image ApplyToAll(Image image, ReadOnlySpan<byte> table)
    {
        var result = new Image(image.Width, image.Height);
        LevelLookup.One(image.Pixels, result.Pixels, table);
        return result;
    }

    private static Image Map<TState>(Image image, Func<int, TState, int> change, TState state)
    {
        Span<byte> table = stackalloc byte[Count];
        for (var level = 0; level < Count; level++)
        {
            table[level] = (byte)change(level, state);
        }

        return ApplyToAll(image, table);
    }
}

/// <summary>Puts the channels of pictures in another order.</summary>
internal static class Channels
{
    /// <summary>Makes a picture whose channel i is the source's channel order[i].</summary>
    public static Image Permute(Image image, ReadOnlySpan<int> order)
    {
        var result = new Image(image.Width, image.Height);
        var source = image.Pixels;
        var target = result.Pixels;
        var (first, second, third) = (order[0], order[1], order[2]);
        for (var i = 0; i < source.Length; i += 3)
        {
            target[i] = source[i + first];
            target[i + 1] = source[i + second];
            target[i + 2] = source[i + third];
        }

        return result;
    }
}
