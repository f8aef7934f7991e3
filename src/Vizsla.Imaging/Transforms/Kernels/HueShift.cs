using System.Runtime.CompilerServices;
using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Turns the color circle as torchvision does on Pillow's 8-bit HSV.</summary>
/// <remarks>Source: torchvision <c>adjust_hue</c> on Pillow's <c>rgb2hsv</c> and <c>hsv2rgb</c>. Parity: exact, tried on every color.</remarks>
internal static class HueShift
{
    private const int LevelCount = 256;

    /// <summary>Turns the hue of every pixel.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="turns">-0.5 to 0.5 turns of the color circle.</param>
    public static Image Apply(Image image, double turns)
    {
        var shift = (byte)(int)(turns * 255);
        Span<HueDirection> directions = stackalloc HueDirection[LevelCount];
        for (var hue = 0; hue < LevelCount; hue++)
        {
            directions[hue] = HueDirection.Of((byte)(hue + shift));
        }

        var result = new Image(image.Width, image.Height);
        var source = image.Pixels;
        var target = result.Pixels;
        var done = HueVectors.IsSupported ? HueVectors.Apply(source, target, Tables.Hues, Tables.Saturations, Tables.SectorByOrder, directions) : 0;
        for (var i = done; i < source.Length; i += 3)
        {
            var (hue, saturation, value) = ToHsv(source[i], source[i + 1], source[i + 2]);
            (target[i], target[i + 1], target[i + 2]) = directions[hue].ToRgb(saturation, value);
        }

        return result;
    }

    /// <summary>Pillow's <c>convert("HSV")</c> of one pixel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (byte Hue, byte Saturation, byte Value) ToHsv(int red, int green, int blue)
    {
        var max = Math.Max(red, Math.Max(green, blue));
        var min = Math.Min(red, Math.Min(green, blue));
        var range = max - min;
        var belowMax = max - (red + green + blue - max - min);

        // Bit by bit: red < green, green < blue, red < blue.
        var order = ((red - green) >>> 31) | (((green - blue) >>> 31) << 1) | (((red - blue) >>> 31) << 2);
        var hue = Tables.Hues[(((Tables.SectorByOrder[order] * LevelCount) + range) * LevelCount) + belowMax];
        return (hue, Tables.Saturations[(max * LevelCount) + range], (byte)max);
    }

    /// <summary>Pillow's results for the few numbers that hue and saturation depend on.</summary>
    private static class Tables
    {
        private const int SectorCount = 6;

        /// <summary>Which channel is largest and which smallest: red and blue, red and green, green and blue, green and red, blue and red, blue and green.</summary>
        public static readonly int[] SectorByOrder = [0, 2, 1, 0, 0, 3, 5, 4];

        // Four bytes more than are used: vectors read four at a time.
        private const int Spare = 4;

        /// <summary>Hue by sector, distance of largest and smallest, and distance of largest and middle channel.</summary>
        public static readonly byte[] Hues = BuildHues();

        /// <summary>Saturation by largest channel and distance of largest and smallest.</summary>
        public static readonly byte[] Saturations = BuildSaturations();

        private static byte[] BuildHues()
        {
            var hues = new byte[(SectorCount * LevelCount * LevelCount) + Spare];
            for (var sector = 0; sector < SectorCount; sector++)
            {
                for (var range = 1; range < LevelCount; range++)
                {
                    for (var belowMax = 0; belowMax <= range; belowMax++)
                    {
                        hues[(((sector * LevelCount) + range) * LevelCount) + belowMax] = Hue(sector, belowMax / (float)range);
                    }
                }
            }

            return hues;
        }

        // The smallest channel's own share is exactly 1. Pillow keeps float, computes in double, and truncates.
        private static byte Hue(int sector, float share)
        {
            var sixths = sector switch
            {
                0 => 1f - share,
                1 => share - 1f,
                2 => (float)(2.0 + share - 1.0),
                3 => (float)(2.0 + 1.0 - share),
                4 => (float)(4.0 + share - 1.0),
                _ => (float)(4.0 + 1.0 - share),
            };
            return (byte)((float)(((sixths / 6.0) + 1.0) % 1.0) * 255.0);
        }

        private static byte[] BuildSaturations()
        {
            var saturations = new byte[(LevelCount * LevelCount) + Spare];
            for (var max = 1; max < LevelCount; max++)
            {
                for (var range = 0; range <= max; range++)
                {
                    saturations[(max * LevelCount) + range] = (byte)((float)range / max * 255.0);
                }
            }

            return saturations;
        }
    }
}
