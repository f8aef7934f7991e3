namespace Vizsla.Imaging;

/// <summary>EXIF orientation.</summary>
/// <remarks>Source: Pillow <c>ImageOps.exif_transpose</c>. Parity: exact.</remarks>
internal static class Orientation
{
    /// <summary>Turns and mirrors a stored picture upright.</summary>
    /// <param name="image">The picture; not disposed.</param>
    /// <param name="orientation">1 to 8; any other number is taken as 1.</param>
    /// <returns>A picture of its own; the caller owns it.</returns>
    public static Image Apply(Image image, int orientation)
    {
        if (orientation is < 2 or > 8)
        {
            return image.Clone();
        }

        var swapped = orientation >= 5;
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
