using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Mirrors pictures.</summary>
internal static class Flip
{
    /// <summary>Left to right.</summary>
    public static Image Horizontal(Image image)
    {
        var result = new Image(image.Width, image.Height);
        for (var y = 0; y < image.Height; y++)
        {
            ReverseRow(image.Row(y), result.Row(y));
        }

        return result;
    }

    /// <summary>Upside down.</summary>
    public static Image Vertical(Image image)
    {
        var result = new Image(image.Width, image.Height);
        for (var y = 0; y < image.Height; y++)
        {
            image.Row(y).CopyTo(result.Row(image.Height - 1 - y));
        }

        return result;
    }

    /// <summary>Half a turn.</summary>
    public static Image Both(Image image)
    {
        var result = new Image(image.Width, image.Height);
        ReverseRow(image.Pixels, result.Pixels);
        return result;
    }

    /// <summary>A quarter of a turn counter-clockwise; width and height change places.</summary>
    public static Image QuarterTurn(Image image)
    {
        var result = new Image(image.Height, image.Width);
        for (var y = 0; y < image.Height; y++)
        {
            var row = image.Row(y);
            for (var x = 0; x < image.Width; x++)
            {
                row.Slice(3 * x, 3).CopyTo(result.Row(image.Width - 1 - x)[(3 * y)..]);
            }
        }

        return result;
    }

    private static void ReverseRow(ReadOnlySpan<byte> source, Span<byte> target)
    {
        for (int from = 0, to = target.Length - 3; to >= 0; from += 3, to -= 3)
        {
            target[to] = source[from];
            target[to + 1] = source[from + 1];
            target[to + 2] = source[from + 2];
        }
    }
}
