using System.Buffers.Binary;

namespace Vizsla.Imaging.Gif;

/// <summary>What a GIF says before the data of its first picture.</summary>
internal sealed class GifHeader
{
    /// <summary>Width in pixels: of the screen, or as far as the picture reaches beyond it.</summary>
    public int Width { get; private set; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; private set; }

    /// <summary>Left edge of the picture on the screen.</summary>
    public int Left { get; private set; }

    /// <summary>Top edge of the picture on the screen.</summary>
    public int Top { get; private set; }

    /// <summary>Width of the picture.</summary>
    public int FrameWidth { get; private set; }

    /// <summary>Height of the picture.</summary>
    public int FrameHeight { get; private set; }

    /// <summary>Three bytes a color; null where the indexes are gray levels.</summary>
    public byte[]? Palette { get; private set; }

    /// <summary>Index of the transparent color.</summary>
    public byte? Transparent { get; private set; }

    /// <summary>Whether the rows come in four passes.</summary>
    public bool IsInterlaced { get; private set; }

    /// <summary>Bits of an index.</summary>
    public int Bits { get; private set; }

    /// <summary>Where the data begin.</summary>
    public int FirstData { get; private set; }

    /// <summary>Reads up to the data of the first picture.</summary>
    /// <param name="data">The file.</param>
    /// <exception cref="ImageFormatException">There is no picture, or the file is cut short.</exception>
    public static GifHeader Read(ReadOnlySpan<byte> data)
    {
        try
        {
            var header = new GifHeader();
            header.Parse(data);
            return header.Width > 0 && header.Height > 0 ? header : throw new ImageFormatException("it is damaged: a GIF without pixels");
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new ImageFormatException(ImageFormatException.CutShort, null, e);
        }
        catch (IndexOutOfRangeException e)
        {
            throw new ImageFormatException(ImageFormatException.CutShort, null, e);
        }
    }

    private void Parse(ReadOnlySpan<byte> data)
    {
        (Width, Height) = (BinaryPrimitives.ReadUInt16LittleEndian(data[6..]), BinaryPrimitives.ReadUInt16LittleEndian(data[8..]));
        var position = 13;
        ReadPalette(data, data[10], ref position);
        while (true)
        {
            switch (data[position++])
            {
                case (byte)'!':
                    ReadExtension(data, ref position);
                    break;
                case (byte)',':
                    ReadFrame(data, position);
                    return;
                case (byte)';':
                    throw new ImageFormatException("it is damaged: a GIF without a picture");
            }
        }
    }

    private void ReadExtension(ReadOnlySpan<byte> data, ref int position)
    {
        var label = data[position++];
        if (label == 0xF9 && data[position] >= 4 && (data[position + 1] & 1) != 0)
        {
            Transparent = data[position + 4];
        }

        while (data[position] is not 0 and var length)
        {
            position += 1 + length;
        }

        position++;
    }

    private void ReadFrame(ReadOnlySpan<byte> data, int position)
    {
        var frame = data.Slice(position, 9);
        (Left, Top) = (BinaryPrimitives.ReadUInt16LittleEndian(frame), BinaryPrimitives.ReadUInt16LittleEndian(frame[2..]));
        (FrameWidth, FrameHeight) = (BinaryPrimitives.ReadUInt16LittleEndian(frame[4..]), BinaryPrimitives.ReadUInt16LittleEndian(frame[6..]));
        (Width, Height) = (Math.Max(Width, Left + FrameWidth), Math.Max(Height, Top + FrameHeight));
        IsInterlaced = (frame[8] & 64) != 0;
        position += 9;
        ReadPalette(data, frame[8], ref position);
        Bits = data[position];
        FirstData = position + 1;
    }

    // A palette of gray levels in order is none, in Pillow.
    private void ReadPalette(ReadOnlySpan<byte> data, int flags, ref int position)
    {
        if ((flags & 128) == 0)
        {
            return;
        }

        var colors = data.Slice(position, 3 << ((flags & 7) + 1));
        position += colors.Length;
        Palette = null;
        for (var i = 0; i < colors.Length; i++)
        {
            if (colors[i] != i / 3)
            {
                Palette = colors.ToArray();
                break;
            }
        }
    }
}
