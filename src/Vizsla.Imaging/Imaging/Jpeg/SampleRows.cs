namespace Vizsla.Imaging.Jpeg;

/// <summary>Puts the planes of a picture together, row by row.</summary>
internal sealed unsafe class SampleRows
{
    private readonly Scratch<byte> _buffers = new();
    private readonly Scratch<ushort> _sums = new();

    /// <summary>Makes the picture.</summary>
    /// <param name="frame">The frame, with samples in its components.</param>
    /// <param name="color">How the channels stand for colors.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">The sampling factors do not divide each other.</exception>
    public Image Assemble(JpegFrame frame, JpegColor color)
    {
        foreach (var component in frame.Components)
        {
            if (frame.Across * frame.Eighths % (component.Across * component.BlockSize) != 0 || frame.Down * frame.Eighths % (component.Down * component.BlockSize) != 0)
            {
                throw new ImageFormatException("it is damaged: a JPEG whose sampling factors do not divide each other");
            }
        }

        var width = 8 * frame.UnitsAcross * frame.Across + 2 * Upsampling.Slack;
        var buffers = _buffers.Take(4L * width);
        var sums = _sums.Take(width + 2 * Upsampling.Slack);
        var channels = stackalloc byte*[4];
        var image = new Image(DecodeOptions.Scaled(frame.Width, frame.Eighths), DecodeOptions.Scaled(frame.Height, frame.Eighths));
        fixed (byte* pixels = image.Pixels)
        {
            for (var y = 0; y < image.Height; y++)
            {
                for (var i = 0; i < frame.Count; i++)
                {
                    channels[i] = Row(frame, frame.Components[i], y, sums, buffers + (long)i * width);
                }

                var overrun = 3L * (image.Height - 1 - y) * image.Width >= 3 * ColorConversion.Slack;
                Convert(color, channels, pixels + 3L * y * image.Width, image.Width, overrun);
            }
        }

        return image;
    }

    // Where bytes behind the row may be overwritten, they belong to rows that come later.
    private static void Convert(JpegColor color, byte** channels, byte* rgb, int width, bool overrun)
    {
        switch (color)
        {
            case JpegColor.Gray:
                ColorConversion.Gray(channels[0], rgb, width);
                break;
            case JpegColor.YCbCr:
                ColorConversion.YCbCr(channels[0], channels[1], channels[2], rgb, width, overrun);
                break;
            case JpegColor.Rgb:
                ColorConversion.Interleave(channels[0], channels[1], channels[2], rgb, width);
                break;
            case JpegColor.Cmyk:
                ColorConversion.Cmyk(channels[0], channels[1], channels[2], channels[3], rgb, width);
                break;
            default:
                ColorConversion.Ycck(channels[0], channels[1], channels[2], channels[3], rgb, width);
                break;
        }
    }

    // A row of a channel at the width of the picture: where it lies, or made in the buffer.
    private static byte* Row(JpegFrame frame, JpegComponent component, int y, ushort* sums, byte* buffer)
    {
        var across = frame.Across * frame.Eighths / (component.Across * component.BlockSize);
        var down = frame.Down * frame.Eighths / (component.Down * component.BlockSize);
        var near = component.Samples + y / down * component.Stride;
        if ((across, down) == (1, 1))
        {
            return near;
        }

        var smooth = frame.Eighths > 1 && (across == 1 || (across == 2 && component.SampleWidth > 2));
        if (!smooth || down > 2)
        {
            Upsampling.Repeat(near, component.SampleWidth, across, buffer);
        }
        else if (down == 1)
        {
            Upsampling.DoubleAcross(near, component.SampleWidth, sums, buffer);
        }
        else
        {
            var below = (y & 1) != 0;
            var other = Math.Clamp(y / 2 + (below ? 1 : -1), 0, component.SampleHeight - 1);
            var far = component.Samples + other * component.Stride;
            if (across == 2)
            {
                Upsampling.DoubleBoth(near, far, component.SampleWidth, sums, buffer);
            }
            else
            {
                Upsampling.DoubleDown(near, far, component.SampleWidth, below ? 2 : 1, buffer);
            }
        }

        return buffer;
    }
}
