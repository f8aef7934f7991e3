using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Cuts pictures out and puts borders around them.</summary>
internal static class Cropping
{
    /// <summary>Cuts a rectangle out; what lies outside the picture is black, as in Pillow's <c>crop</c>.</summary>
    public static Image Crop(Image image, int top, int left, int height, int width)
    {
        var result = Image.OfStep(width, height);
        if (top < 0 || left < 0 || top + height > image.Height || left + width > image.Width)
        {
            result.Pixels.Clear();
        }

        var (firstX, lastX) = (Math.Max(left, 0), Math.Min(left + width, image.Width));
        for (var y = Math.Max(top, 0); y < Math.Min(top + height, image.Height) && firstX < lastX; y++)
        {
            image.Row(y)[(3 * firstX)..(3 * lastX)].CopyTo(result.Row(y - top)[(3 * (firstX - left))..]);
        }

        return result;
    }

    /// <summary>Puts a border around the picture; a negative border cuts instead.</summary>
    public static Image Pad(Image image, Padding padding, FillColor fill, PaddingMode mode)
    {
        var width = image.Width + padding.Left + padding.Right;
        var height = image.Height + padding.Top + padding.Bottom;
        if (width < 1 || height < 1)
        {
            throw new ArgumentException($"Padding {padding} leaves nothing of a {image.Width}x{image.Height} picture.", nameof(padding));
        }

        return mode == PaddingMode.Constant
            ? PadWithColor(image, padding, fill, width, height)
            : PadFromPicture(image, padding, mode, width, height);
    }

    /// <summary>torchvision's center crop: black border where the picture is smaller, and the halves of an odd rest rounded to even.</summary>
    public static Image Center(Image image, int height, int width)
    {
        if (image.Height >= height && image.Width >= width)
        {
            return CropCenter(image, height, width);
        }

        var (missingX, missingY) = (Math.Max(width - image.Width, 0), Math.Max(height - image.Height, 0));
        var padding = new Padding(missingX / 2, missingY / 2, (missingX + 1) / 2, (missingY + 1) / 2);
        using var padded = Pad(image, padding, 0, PaddingMode.Constant);
        return CropCenter(padded, height, width);
    }

    private static Image CropCenter(Image image, int height, int width) =>
        Crop(image, (int)Math.Round((image.Height - height) / 2.0), (int)Math.Round((image.Width - width) / 2.0), height, width);

    private static Image PadWithColor(Image image, Padding padding, FillColor fill, int width, int height)
    {
        var result = Image.OfStep(width, height);
        AffineSampler.Fill(result, fill);
        var (firstX, lastX) = (Math.Max(-padding.Left, 0), image.Width - Math.Max(-padding.Right, 0));
        var (firstY, lastY) = (Math.Max(-padding.Top, 0), image.Height - Math.Max(-padding.Bottom, 0));
        for (var y = firstY; y < lastY; y++)
        {
            image.Row(y)[(3 * firstX)..(3 * lastX)].CopyTo(result.Row(y + padding.Top)[(3 * (firstX + padding.Left))..]);
        }

        return result;
    }

    private static Image PadFromPicture(Image image, Padding padding, PaddingMode mode, int width, int height)
    {
        // Cutting comes first, so that a border mirrors what is left of the picture.
        var (cutX, cutY) = (Math.Max(-padding.Left, 0), Math.Max(-padding.Top, 0));
        var innerWidth = image.Width - cutX - Math.Max(-padding.Right, 0);
        var innerHeight = image.Height - cutY - Math.Max(-padding.Bottom, 0);
        var result = Image.OfStep(width, height);
        var columns = new int[width];
        for (var x = 0; x < width; x++)
        {
            columns[x] = 3 * (cutX + Source(x - Math.Max(padding.Left, 0), innerWidth, mode));
        }

        for (var y = 0; y < height; y++)
        {
            var source = image.Row(cutY + Source(y - Math.Max(padding.Top, 0), innerHeight, mode));
            var target = result.Row(y);
            for (var x = 0; x < width; x++)
            {
                source.Slice(columns[x], 3).CopyTo(target[(3 * x)..]);
            }
        }

        return result;
    }

    // Where a position before the start or beyond the end comes from; wide borders mirror again and again, as numpy.pad does.
    private static int Source(int position, int length, PaddingMode mode)
    {
        if (mode == PaddingMode.Edge || length == 1)
        {
            return Math.Clamp(position, 0, length - 1);
        }

        var period = mode == PaddingMode.Reflect ? 2 * (length - 1) : 2 * length;
        var folded = ((position % period) + period) % period;
        return folded < length ? folded : period - folded - (mode == PaddingMode.Reflect ? 0 : 1);
    }
}
