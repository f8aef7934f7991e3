using System.Runtime.CompilerServices;

namespace Vizsla.Transforms;

/// <summary>One of Pillow's 256 hues: how the channels of its colors follow from saturation and value.</summary>
internal readonly struct HueDirection
{
    // The share of the saturation that the middle channel loses: rising in even sixths of the circle, falling in odd ones, where Pillow rounds the product to float.
    private readonly double _loss;
    private readonly bool _roundsToFloat;

    /// <summary>The share of the saturation that the middle channel loses.</summary>
    public double Loss => _loss;

    /// <summary>Bits to shift (value, middle, smallest) by to get red, green and blue, a byte each; the highest bit says that the product is rounded to float.</summary>
    public int Layout => _red | (_green << 8) | (_blue << 16) | (_roundsToFloat ? int.MinValue : 0);

    // Bits to shift (value, middle, smallest) by, to get red, green and blue.
    private readonly byte _red;
    private readonly byte _green;
    private readonly byte _blue;

    private HueDirection(double loss, bool roundsToFloat, int red, int green, int blue)
    {
        (_loss, _roundsToFloat) = (loss, roundsToFloat);
        (_red, _green, _blue) = ((byte)(8 * red), (byte)(8 * green), (byte)(8 * blue));
    }

    /// <summary>The direction of a hue.</summary>
    /// <param name="hue">0 to 255 for a whole turn.</param>
    public static HueDirection Of(byte hue)
    {
        const int Value = 0, Middle = 1, Smallest = 2;
        var sixths = hue * 6.0 / 255.0;
        var sector = (int)sixths;
        var fraction = (float)(sixths - sector);
        return (sector % 6) switch
        {
            0 => new(1.0 - fraction, false, Value, Middle, Smallest),
            1 => new(fraction, true, Middle, Value, Smallest),
            2 => new(1.0 - fraction, false, Smallest, Value, Middle),
            3 => new(fraction, true, Smallest, Middle, Value),
            4 => new(1.0 - fraction, false, Middle, Smallest, Value),
            _ => new(fraction, true, Value, Smallest, Middle),
        };
    }

    /// <summary>Pillow's RGB of this hue.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public (byte Red, byte Green, byte Blue) ToRgb(byte saturation, byte value)
    {
        double strength = (float)(saturation / 255.0);
        var lost = strength * _loss;
        lost = _roundsToFloat ? (float)lost : lost;
        var levels = value | (Round(value * (1.0 - lost)) << 8) | (Round(value * (1.0 - strength)) << 16);
        return ((byte)(levels >> _red), (byte)(levels >> _green), (byte)(levels >> _blue));
    }

    // C's round() of numbers that are never just below a half, which the test of every color shows.
    private static int Round(double level) => (int)(level + 0.5);
}
