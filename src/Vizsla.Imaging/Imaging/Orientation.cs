namespace Vizsla.Imaging;

/// <summary>EXIF orientation.</summary>
/// <remarks>Source: Pillow <c>ImageOps.exif_transpose</c>. Parity: exact.</remarks>
internal static class Orientation
{
    /// <summary>The orientation as a number from 1 to 8; anything else counts as 1.</summary>
    /// <param name="orientation">The number as stored.</param>
    public static int Valid(int orientation) => orientation is >= 1 and <= 8 ? orientation : 1;

    /// <summary>Whether width and height change places when the picture is turned upright.</summary>
    /// <param name="orientation">The number as stored.</param>
    public static bool SwapsSides(int orientation) => orientation is >= 5 and <= 8;

    /// <summary>Turns and mirrors a stored picture upright.</summary>
    /// <param name="image">The picture; given back as it is where it is upright, disposed otherwise.</param>
    /// <param name="orientation">1 to 8; any other number is taken as 1.</param>
    /// <returns>The upright picture; the caller owns it.</returns>
    public static Image Turn(Image image, int orientation)
    {
        if (Valid(orientation) == 1)
        {
            return image;
        }

        using (image)
        {
            return Turned(image, orientation);
        }
    }

    private static Image Turned(Image image, int orientation)
    {
        var swapped = SwapsSides(orientation);
        var (width, height) = swapped ? (image.Height, image.Width) : (image.Width, image.Height);

        // Where the walk along the result's rows starts in the source, and its steps to the right and down, in pixels.
        var (right, bottom) = (image.Width - 1, (image.Height - 1) * image.Width);
        var (start, stepX, stepY) = orientation switch
        {
            2 => (right, -1, image.Width),
            3 => (bottom + right, -1, -image.Width),
            4 => (bottom, 1, -image.Width),
            5 => (0, image.Width, 1),
            6 => (bottom, -image.Width, 1),
            7 => (bottom + right, -image.Width, -1),
            _ => (right, image.Width, -1),
        };
        var result = new Image(width, height);
        var source = image.Pixels;
        for (var y = 0; y < height; y++)
        {
            var target = result.Row(y);
            var from = 3 * (start + y * stepY);
            for (var x = 0; x < target.Length; x += 3, from += 3 * stepX)
            {
                target[x] = source[from];
                target[x + 1] = source[from + 1];
                target[x + 2] = source[from + 2];
            }
        }

        return result;
    }
}
