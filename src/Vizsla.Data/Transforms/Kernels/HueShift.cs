using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Turns the color circle as torchvision does on Pillow's 8-bit HSV.</summary>
internal static class HueShift
{
    /// <summary>Turns the hue of every pixel.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="turns">-0.5 to 0.5 turns of the color circle.</param>
    public static Image Apply(Image image, double turns)
    {
        var shift = (byte)(int)(turns * 255);
        var result = new Image(image.Width, image.Height);
        var source = image.Pixels;
        var target = result.Pixels;
        for (var i = 0; i < source.Length; i += 3)
        {
            var (hue, saturation, value) = ToHsv(source[i], source[i + 1], source[i + 2]);
            (target[i], target[i + 1], target[i + 2]) = ToRgb((byte)(hue + shift), saturation, value);
        }

        return result;
    }

    /// <summary>Pillow's <c>convert("HSV")</c> of one pixel.</summary>
    internal static (byte Hue, byte Saturation, byte Value) ToHsv(byte red, byte green, byte blue)
    {
        var max = Math.Max(red, Math.Max(green, blue));
        var min = Math.Min(red, Math.Min(green, blue));
        if (max == min)
        {
            return (0, 0, max);
        }

        float range = max - min;
        var saturation = range / max;
        var fromRed = (max - red) / range;
        var fromGreen = (max - green) / range;
        var fromBlue = (max - blue) / range;
        double sixths = red == max ? fromBlue - fromGreen
            : green == max ? (float)(2.0 + fromRed - fromBlue)
            : (float)(4.0 + fromGreen - fromRed);
        var hue = (float)(((sixths / 6.0) + 1.0) % 1.0);
        return ((byte)Math.Clamp((int)(hue * 255.0), 0, 255), (byte)Math.Clamp((int)(saturation * 255.0), 0, 255), max);
    }

    private static (byte Red, byte Green, byte Blue) ToRgb(byte hue, byte saturation, byte value)
    {
        if (saturation == 0)
        {
            return (value, value, value);
        }

        var sixths = hue * 6.0 / 255.0;
        var sector = (int)Math.Floor(sixths);
        var fraction = (float)(sixths - sector);
        var strength = (float)(saturation / 255.0);
        var p = Round(value * (1.0 - strength));
        var q = Round(value * (1.0 - (strength * fraction)));
        var t = Round(value * (1.0 - (strength * (1.0 - fraction))));
        return (sector % 6) switch
        {
            0 => (value, t, p),
            1 => (q, value, p),
            2 => (p, value, t),
            3 => (p, q, value),
            4 => (t, p, value),
            _ => (value, p, q),
        };
    }

    private static byte Round(double level) => (byte)Math.Clamp((int)Math.Round(level, MidpointRounding.AwayFromZero), 0, 255);
}
