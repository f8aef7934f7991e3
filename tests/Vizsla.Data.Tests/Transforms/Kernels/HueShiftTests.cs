using Vizsla.Imaging;
using Vizsla.Transforms;

namespace Vizsla.Tests.Transforms.Kernels;

public sealed class HueShiftTests
{
    [Theory]
    [InlineData(0.0)]
    [InlineData(0.1)]
    [InlineData(-0.37)]
    public void Every_color_turns_as_by_Pillows_formula(double turns)
    {
        using var image = new Image(4096, 4096);
        var pixels = image.Pixels;
        for (int i = 0, color = 0; i < pixels.Length; i += 3, color++)
        {
            (pixels[i], pixels[i + 1], pixels[i + 2]) = ((byte)color, (byte)(color >> 8), (byte)(color >> 16));
        }

        using var turned = HueShift.Apply(image, turns);

        var differences = 0;
        var shift = (byte)(int)(turns * 255);
        for (var i = 0; i < pixels.Length; i += 3)
        {
            var (hue, saturation, value) = PillowHsv(pixels[i], pixels[i + 1], pixels[i + 2]);
            var expected = PillowRgb((byte)(hue + shift), saturation, value);
            differences += expected == (turned.Pixels[i], turned.Pixels[i + 1], turned.Pixels[i + 2]) ? 0 : 1;
        }

        Assert.Equal(0, differences);
    }

    [Fact]
    public void Colors_one_by_one_turn_as_many_at_a_time()
    {
        using var row = new Image(1, 3, [200, 100, 50, 10, 200, 30, 17, 34, 230]);

        using var turned = HueShift.Apply(row, 0.1);

        Assert.Equal([200, 188, 50, 10, 200, 140, 122, 17, 230], turned.Pixels.ToArray());
    }

    // Pillow's Convert.c, line by line: float variables, double arithmetic.
    private static (byte Hue, byte Saturation, byte Value) PillowHsv(byte red, byte green, byte blue)
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
        var hue = red == max ? fromBlue - fromGreen
            : green == max ? (float)(2.0 + fromRed - fromBlue)
            : (float)(4.0 + fromGreen - fromRed);
        hue = (float)(((hue / 6.0) + 1.0) % 1.0);
        return ((byte)(hue * 255.0), (byte)(saturation * 255.0), max);
    }

    private static (byte Red, byte Green, byte Blue) PillowRgb(byte hue, byte saturation, byte value)
    {
        if (saturation == 0)
        {
            return (value, value, value);
        }

        var sector = (int)Math.Floor(hue * 6.0 / 255.0);
        var fraction = (float)((hue * 6.0 / 255.0) - sector);
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

    private static byte Round(double level) => (byte)Math.Round(level, MidpointRounding.AwayFromZero);
}
