using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Vizsla.Imaging.Jpeg;

/// <summary>From the channels of a row to RGB.</summary>
/// <remarks>Source: libjpeg <c>jdcolor.c</c>; Pillow <c>libImaging/Convert.c</c> (<c>cmyk2rgb</c>). Parity: exact.</remarks>
internal static unsafe class ColorConversion
{
    // The weights in 1/65536: 1.402, 1.772, and of green -0.34414 and -0.71414.
    private const int RedOfCr = 91881;
    private const int BlueOfCb = 116130;
    private const int GreenOfCb = -22554;
    private const int GreenOfCr = -46802;
    private const int Half = 1 << 15;

    /// <summary>Pixels that <see cref="YCbCr"/> may read and write beyond the width.</summary>
    public const int Slack = 32;

    /// <summary>Luminance and chrominance to RGB.</summary>
    /// <param name="y">Luminance.</param>
    /// <param name="cb">Blue difference.</param>
    /// <param name="cr">Red difference.</param>
    /// <param name="rgb">Three bytes a pixel; with <paramref name="overrun"/> also for the slack beyond.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="overrun">Whether bytes beyond the row may be overwritten.</param>
    public static void YCbCr(byte* y, byte* cb, byte* cr, byte* rgb, int width, bool overrun)
    {
        var x = 0;
        if (Avx2.IsSupported)
        {
            for (; overrun ? x < width : x + Vector256<byte>.Count <= width; x += Vector256<byte>.Count)
            {
                Convert(Vector256.Load(y + x), Vector256.Load(cb + x), Vector256.Load(cr + x), rgb + 3 * x);
            }
        }

        for (; x < width; x++)
        {
            var (blue, red) = (cb[x] - 128, cr[x] - 128);
            rgb[3 * x] = Clamp(y[x] + ((RedOfCr * red + Half) >> 16));
            rgb[3 * x + 1] = Clamp(y[x] + ((GreenOfCb * blue + GreenOfCr * red + Half) >> 16));
            rgb[3 * x + 2] = Clamp(y[x] + ((BlueOfCb * blue + Half) >> 16));
        }
    }

    /// <summary>One channel to RGB.</summary>
    /// <param name="gray">Luminance.</param>
    /// <param name="rgb">Three bytes a pixel.</param>
    /// <param name="width">Pixels.</param>
    public static void Gray(byte* gray, byte* rgb, int width)
    {
        for (var x = 0; x < width; x++)
        {
            rgb[3 * x] = rgb[3 * x + 1] = rgb[3 * x + 2] = gray[x];
        }
    }

    /// <summary>Three channels that are red, green and blue already.</summary>
    /// <param name="red">Red.</param>
    /// <param name="green">Green.</param>
    /// <param name="blue">Blue.</param>
    /// <param name="rgb">Three bytes a pixel.</param>
    /// <param name="width">Pixels.</param>
    public static void Interleave(byte* red, byte* green, byte* blue, byte* rgb, int width)
    {
        for (var x = 0; x < width; x++)
        {
            (rgb[3 * x], rgb[3 * x + 1], rgb[3 * x + 2]) = (red[x], green[x], blue[x]);
        }
    }

    /// <summary>Four inks to RGB. The file holds them inverted, as Adobe writes them and Pillow assumes.</summary>
    /// <param name="cyan">Cyan.</param>
    /// <param name="magenta">Magenta.</param>
    /// <param name="yellow">Yellow.</param>
    /// <param name="black">Black.</param>
    /// <param name="rgb">Three bytes a pixel.</param>
    /// <param name="width">Pixels.</param>
    public static void Cmyk(byte* cyan, byte* magenta, byte* yellow, byte* black, byte* rgb, int width)
    {
        for (var x = 0; x < width; x++)
        {
            rgb[3 * x] = Ink(cyan[x], black[x]);
            rgb[3 * x + 1] = Ink(magenta[x], black[x]);
            rgb[3 * x + 2] = Ink(yellow[x], black[x]);
        }
    }

    /// <summary>Three inks as luminance and chrominance, and black, to RGB.</summary>
    /// <param name="y">Luminance.</param>
    /// <param name="cb">Blue difference.</param>
    /// <param name="cr">Red difference.</param>
    /// <param name="black">Black.</param>
    /// <param name="rgb">Three bytes a pixel.</param>
    /// <param name="width">Pixels.</param>
    public static void Ycck(byte* y, byte* cb, byte* cr, byte* black, byte* rgb, int width)
    {
        YCbCr(y, cb, cr, rgb, width, overrun: false);
        for (var x = 0; x < 3 * width; x++)
        {
            rgb[x] = Ink((byte)(255 - rgb[x]), black[x / 3]);
        }
    }

    // Stored inks are inverted: 255 is none.
    private static byte Ink(byte ink, byte black)
    {
        var light = (255 - ink) * black + 128;
        return (byte)Math.Max(black - ((light + (light >> 8)) >> 8), 0);
    }

    private static byte Clamp(int value) => (byte)Math.Clamp(value, 0, 255);

    private static void Convert(Vector256<byte> y, Vector256<byte> cb, Vector256<byte> cr, byte* rgb)
    {
        Convert(y, cb, cr, low: true, out var redLow, out var greenLow, out var blueLow);
        Convert(y, cb, cr, low: false, out var redHigh, out var greenHigh, out var blueHigh);
        var red = Avx2.PackUnsignedSaturate(redLow, redHigh);
        var green = Avx2.PackUnsignedSaturate(greenLow, greenHigh);
        var blue = Avx2.PackUnsignedSaturate(blueLow, blueHigh);

        // Each half holds 16 pixels of one color; three shuffles put them at their places among the 48 bytes.
        var first = Place(red, green, blue, 0);
        var second = Place(red, green, blue, 16);
        var third = Place(red, green, blue, 32);
        first.GetLower().Store(rgb);
        second.GetLower().Store(rgb + 16);
        third.GetLower().Store(rgb + 32);
        first.GetUpper().Store(rgb + 48);
        second.GetUpper().Store(rgb + 64);
        third.GetUpper().Store(rgb + 80);
    }

    // 16 bits suffice: the whole part of a weight is added as it is, and of the rest MultiplyHigh gives twice the value, rounded afterwards.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Convert(
        Vector256<byte> y, Vector256<byte> cb, Vector256<byte> cr, bool low, out Vector256<short> red, out Vector256<short> green, out Vector256<short> blue)
    {
        var luminance = Widen(y, low);
        var b = Widen(cb, low) - Vector256.Create((short)128);
        var r = Widen(cr, low) - Vector256.Create((short)128);
        var one = Vector256<short>.One;
        red = luminance + r + Avx2.ShiftRightArithmetic(Avx2.MultiplyHigh(r + r, Vector256.Create((short)(RedOfCr - 65536))) + one, 1);
        blue = luminance + b + b + Avx2.ShiftRightArithmetic(Avx2.MultiplyHigh(b + b, Vector256.Create((short)(BlueOfCb - 131072))) + one, 1);
        var weights = Vector256.Create((GreenOfCb & 0xFFFF) | (GreenOfCr + 65536) << 16).AsInt16();
        var half = Vector256.Create(Half);
        var first = Avx2.ShiftRightArithmetic(Avx2.MultiplyAddAdjacent(Avx2.UnpackLow(b, r), weights) + half, 16);
        var second = Avx2.ShiftRightArithmetic(Avx2.MultiplyAddAdjacent(Avx2.UnpackHigh(b, r), weights) + half, 16);
        green = luminance + Avx2.PackSignedSaturate(first, second) - r;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Widen(Vector256<byte> values, bool low) =>
        (low ? Avx2.UnpackLow(values, Vector256<byte>.Zero) : Avx2.UnpackHigh(values, Vector256<byte>.Zero)).AsInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Place(Vector256<byte> red, Vector256<byte> green, Vector256<byte> blue, int at) =>
        Avx2.Shuffle(red, Mask(0, at)) | Avx2.Shuffle(green, Mask(1, at)) | Avx2.Shuffle(blue, Mask(2, at));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Mask(int color, int at)
    {
        var half = Vector128.Load((byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(Places)) + 48 * color + at);
        return Vector256.Create(half, half);
    }

    // For each color and each of the 48 bytes the pixel it comes from, or 0x80 where another color stands.
    private static ReadOnlySpan<byte> Places =>
    [
        0, 0x80, 0x80, 1, 0x80, 0x80, 2, 0x80, 0x80, 3, 0x80, 0x80, 4, 0x80, 0x80, 5, 0x80, 0x80, 6, 0x80, 0x80, 7, 0x80, 0x80,
        8, 0x80, 0x80, 9, 0x80, 0x80, 10, 0x80, 0x80, 11, 0x80, 0x80, 12, 0x80, 0x80, 13, 0x80, 0x80, 14, 0x80, 0x80, 15, 0x80, 0x80,
        0x80, 0, 0x80, 0x80, 1, 0x80, 0x80, 2, 0x80, 0x80, 3, 0x80, 0x80, 4, 0x80, 0x80, 5, 0x80, 0x80, 6, 0x80, 0x80, 7, 0x80,
        0x80, 8, 0x80, 0x80, 9, 0x80, 0x80, 10, 0x80, 0x80, 11, 0x80, 0x80, 12, 0x80, 0x80, 13, 0x80, 0x80, 14, 0x80, 0x80, 15, 0x80,
        0x80, 0x80, 0, 0x80, 0x80, 1, 0x80, 0x80, 2, 0x80, 0x80, 3, 0x80, 0x80, 4, 0x80, 0x80, 5, 0x80, 0x80, 6, 0x80, 0x80, 7,
        0x80, 0x80, 8, 0x80, 0x80, 9, 0x80, 0x80, 10, 0x80, 0x80, 11, 0x80, 0x80, 12, 0x80, 0x80, 13, 0x80, 0x80, 14, 0x80, 0x80, 15,
    ];
}
