using Vizsla.Imaging;

namespace Vizsla.Inference;

/// <summary>Where a network looked: one value for each place of its last grid, over the whole of what it saw.</summary>
public sealed class HeatMap
{
    // From cold to hot: dark violet, magenta, orange, light yellow; lightness rises all the way, so that it reads without colours too.
    private static readonly (double Red, double Green, double Blue)[] _ramp = [(48, 18, 120), (160, 30, 130), (242, 96, 60), (255, 236, 120)];

    private readonly float[] _values;

    /// <summary>Makes a map of values, which are copied.</summary>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="values">Row by row from the top; finite.</param>
    /// <exception cref="ArgumentException">The number of values does not fit the size.</exception>
    public HeatMap(int height, int width, ReadOnlySpan<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (values.Length != height * width)
        {
            throw new ArgumentException(Invariant($"A {height}x{width} heat map has {height * width} values, got {values.Length}."), nameof(values));
        }

        (Height, Width, _values) = (height, width, values.ToArray());
    }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>The values as the method gives them, row by row from the top.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>One value.</summary>
    /// <param name="row">Counted from the top.</param>
    /// <param name="column">Counted from the left.</param>
    public float this[int row, int column] => _values[row * Width + column];

    /// <summary>Lays the map over a picture: the hotter a place, the stronger its colour; the coldest stays as it is.</summary>
    /// <param name="picture">The picture as the network saw it; neither changed nor disposed.</param>
    /// <param name="opacity">How much of the picture the hottest place hides, in [0, 1].</param>
    /// <returns>A picture of the same size; the caller owns it.</returns>
    public Image Over(Image picture, double opacity = 0.7)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentOutOfRangeException.ThrowIfNegative(opacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(opacity, 1);
        var scaled = Scaled();
        var result = picture.Clone();
        for (var y = 0; y < picture.Height; y++)
        {
            var (top, bottom, down) = Between(y, picture.Height, Height);
            var row = result.Row(y);
            for (var x = 0; x < picture.Width; x++)
            {
                var (left, right, along) = Between(x, picture.Width, Width);
                var heat = Mix(
                    Mix(scaled[top * Width + left], scaled[top * Width + right], along),
                    Mix(scaled[bottom * Width + left], scaled[bottom * Width + right], along), down);
                Blend(row.Slice(3 * x, 3), heat, opacity * heat);
            }
        }

        return result;
    }

    /// <summary>The values stretched to [0, 1]; all 0 where they are all the same.</summary>
    private double[] Scaled()
    {
        var (lowest, highest) = (_values.Min(), _values.Max());
        return Array.ConvertAll(_values, v => highest > lowest ? (double)(v - lowest) / (highest - lowest) : 0);
    }

    private static void Blend(Span<byte> pixel, double heat, double share)
    {
        var place = heat * (_ramp.Length - 1);
        var index = Math.Min((int)place, _ramp.Length - 2);
        var (from, to, along) = (_ramp[index], _ramp[index + 1], place - index);
        pixel[0] = (byte)Math.Round(Mix(pixel[0], Mix(from.Red, to.Red, along), share));
        pixel[1] = (byte)Math.Round(Mix(pixel[1], Mix(from.Green, to.Green, along), share));
        pixel[2] = (byte)Math.Round(Mix(pixel[2], Mix(from.Blue, to.Blue, along), share));
    }

    /// <summary>The two places of the map beside a pixel's centre, and how far it lies towards the second.</summary>
    private static (int First, int Second, double Along) Between(int pixel, int pixels, int places)
    {
        var place = Math.Clamp((pixel + 0.5) * places / pixels - 0.5, 0, places - 1);
        var first = (int)place;
        return (first, Math.Min(first + 1, places - 1), place - first);
    }

    private static double Mix(double from, double to, double along) => from + (to - from) * along;
}
