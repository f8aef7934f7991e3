using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Vizsla.Imaging.Png;

/// <summary>Decodes PNG files of every color type, depth and interlacing.</summary>
/// <remarks>Source: the PNG specification; Pillow <c>ZipDecode.c</c>, <c>Unpack.c</c>, <c>Convert.c</c>. Parity: exact.</remarks>
internal static class PngDecoder
{
    private static readonly Pass[] Whole = [new(0, 0, 1, 1)];

    private static readonly Pass[] Passes =
        [new(0, 0, 8, 8), new(4, 0, 8, 8), new(0, 4, 4, 8), new(2, 0, 4, 4), new(0, 2, 2, 4), new(1, 0, 2, 2), new(0, 1, 1, 2)];

    /// <summary>Decodes a file.</summary>
    /// <param name="data">The whole file.</param>
    /// <param name="options">How to decode.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">The file is damaged, cut short or too large.</exception>
    public static Image Decode(ReadOnlySpan<byte> data, DecodeOptions options)
    {
        var header = PngReader.ReadHeader(data);
        options.CheckSize(header.Width, header.Height);
        var image = new Image((int)header.Width, (int)header.Height);
        var compressed = PixelPool<byte>.Shared.Rent(data.Length);
        try
        {
            var count = PngReader.ReadData(data, header, compressed);
            ReadRows(header, compressed, count, image);
            return Orientation.Turn(image, options.ExifTranspose ? header.Orientation : 1);
        }
        catch (ImageFormatException)
        {
            image.Dispose();
            throw;
        }
        finally
        {
            PixelPool<byte>.Shared.Return(compressed);
        }
    }

    private static void ReadRows(PngHeader header, byte[] compressed, int count, Image image)
    {
        var passes = header.IsInterlaced ? Passes : Whole;
        var total = 0L;
        foreach (var pass in passes)
        {
            var (width, height) = pass.Size(image);
            total += width == 0 ? 0 : (long)height * (1 + RowLength(header, width));
        }

        if (total > Array.MaxLength)
        {
            throw new ImageFormatException("its rows take 2 GiB or more");
        }

        var buffer = PixelPool<byte>.Shared.Rent((int)total);
        try
        {
            var rows = buffer.AsSpan(0, (int)total);
            var available = Inflate(compressed, count, rows);
            if (available < rows.Length)
            {
                // Data that end properly with a row leave the rest black, as in Pillow; anything else was cut.
                if (count < 4 || Checksums.Adler32(rows[..available]) != BinaryPrimitives.ReadUInt32BigEndian(compressed.AsSpan(count - 4)))
                {
                    throw new ImageFormatException(ImageFormatException.CutShort);
                }

                image.Pixels.Clear();
            }

            foreach (var pass in passes)
            {
                if (!TryReadPass(header, pass, ref rows, ref available, image))
                {
                    break;
                }
            }
        }
        finally
        {
            PixelPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool TryReadPass(PngHeader header, Pass pass, ref Span<byte> rows, ref int available, Image image)
    {
        var (width, height) = pass.Size(image);
        var length = RowLength(header, width);
        var above = Span<byte>.Empty;
        for (var y = 0; width > 0 && y < height; y++)
        {
            if (available < length + 1)
            {
                return available == 0 ? false : throw new ImageFormatException(ImageFormatException.CutShort);
            }

            var row = rows.Slice(1, length);
            RowFilter.Undo(rows[0], row, above, (header.PixelBits + 7) / 8);
            RowPixels.Expand(header, row, image.Row(pass.Y + y * pass.StepY)[(3 * pass.X)..], width, 3 * pass.StepX);
            above = row;
            rows = rows[(length + 1)..];
            available -= length + 1;
        }

        return true;
    }

    private static int RowLength(PngHeader header, int width) => (int)(((long)width * header.PixelBits + 7) / 8);

    private static int Inflate(byte[] compressed, int count, Span<byte> target)
    {
        using var stream = new ZLibStream(new MemoryStream(compressed, 0, count), CompressionMode.Decompress);
        try
        {
            return stream.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException e)
        {
            throw new ImageFormatException("it is damaged: a PNG whose compressed data are broken", null, e);
        }
    }

    /// <summary>A part of the pixels: where it begins, and its steps.</summary>
    private readonly record struct Pass(int X, int Y, int StepX, int StepY)
    {
        public (int Width, int Height) Size(Image image) =>
            ((image.Width - X + StepX - 1) / StepX, (image.Height - Y + StepY - 1) / StepY);
    }
}

/// <summary>What the chunks of a PNG say about its picture.</summary>
internal sealed class PngHeader
{
    private static readonly Dictionary<(int Depth, int Color), string> Modes = new()
    {
        [(1, 0)] = "1", [(2, 0)] = "L", [(4, 0)] = "L", [(8, 0)] = "L", [(16, 0)] = "I;16",
        [(8, 2)] = "RGB", [(16, 2)] = "RGB",
        [(1, 3)] = "P", [(2, 3)] = "P", [(4, 3)] = "P", [(8, 3)] = "P",
        [(8, 4)] = "LA", [(16, 4)] = "RGBA",
        [(8, 6)] = "RGBA", [(16, 6)] = "RGBA",
    };

    /// <summary>Width in pixels.</summary>
    public uint Width { get; set; }

    /// <summary>Height in pixels.</summary>
    public uint Height { get; set; }

    /// <summary>Bits of a sample.</summary>
    public int Depth { get; set; }

    /// <summary>0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha.</summary>
    public int Color { get; set; }

    /// <summary>Whether the rows come in seven passes.</summary>
    public bool IsInterlaced { get; set; }

    /// <summary>256 colors of three bytes; black where the file has none.</summary>
    public byte[] Palette { get; } = new byte[3 * 256];

    /// <summary>EXIF orientation as stored.</summary>
    public int? ExifOrientation { get; set; }

    /// <summary>Orientation of an XMP packet.</summary>
    public int? XmpOrientation { get; set; }

    /// <summary>Bytes of all texts so far.</summary>
    public long TextBytes { get; set; }

    /// <summary>Where the first image data chunk begins.</summary>
    public int FirstData { get; set; }

    /// <summary>Samples of a pixel.</summary>
    public int Channels => Color switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };

    /// <summary>Bits of a pixel.</summary>
    public int PixelBits => Channels * Depth;

    /// <summary>Pillow's name of the stored pixels, or null where it knows none.</summary>
    public string? Mode => Modes.GetValueOrDefault((Depth, Color));

    /// <summary>Orientation from 1 to 8.</summary>
    public int Orientation => Imaging.Orientation.Valid(ExifOrientation ?? XmpOrientation ?? 1);
}

/// <summary>From the stored samples of a row to RGB.</summary>
/// <remarks>Source: Pillow's modes of PNG and <c>convert("RGB")</c>: alpha is dropped, of 16 bits the upper 8 are taken, but 16-bit gray is cut off at 255. Parity: exact.</remarks>
internal static class RowPixels
{
    /// <summary>Expands a row.</summary>
    /// <param name="header">The picture's header.</param>
    /// <param name="row">The stored bytes.</param>
    /// <param name="target">The first pixel's red.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="step">Distance between pixels in the target.</param>
    public static void Expand(PngHeader header, ReadOnlySpan<byte> row, Span<byte> target, int width, int step)
    {
        var (sample, pixel) = (header.Depth / 8, header.PixelBits / 8);
        for (int x = 0, at = 0; x < width; x++, at += step)
        {
            byte red, green, blue;
            switch (header.Color)
            {
                case 2 or 6:
                    var color = row.Slice(x * pixel, pixel);
                    (red, green, blue) = (color[0], color[sample], color[2 * sample]);
                    break;
                case 3:
                    var entry = header.Palette.AsSpan(3 * Packed(row, x, header.Depth), 3);
                    (red, green, blue) = (entry[0], entry[1], entry[2]);
                    break;
                default:
                    red = green = blue = Gray(header, row, x, pixel);
                    break;
            }

            (target[at], target[at + 1], target[at + 2]) = (red, green, blue);
        }
    }

    private static byte Gray(PngHeader header, ReadOnlySpan<byte> row, int x, int pixel) => header.Depth switch
    {
        16 when header.Color == 0 => row[x * pixel] == 0 ? row[x * pixel + 1] : byte.MaxValue,
        8 or 16 => row[x * pixel],
        var depth => (byte)(Packed(row, x, depth) * (255 / ((1 << depth) - 1))),
    };

    private static int Packed(ReadOnlySpan<byte> row, int x, int depth)
    {
        var bit = x * depth;
        return row[bit / 8] >> (8 - depth - bit % 8) & ((1 << depth) - 1);
    }
}

/// <summary>Undoes the filters of rows.</summary>
internal static class RowFilter
{
    /// <summary>Turns filtered bytes into those that were filtered.</summary>
    /// <param name="type">0 none, 1 left, 2 above, 3 mean of both, 4 Paeth.</param>
    /// <param name="row">The filtered bytes; changed in place.</param>
    /// <param name="above">The row above, or empty for the first.</param>
    /// <param name="pixel">Bytes of a pixel, at least 1.</param>
    /// <exception cref="ImageFormatException">There is no such filter.</exception>
    public static void Undo(byte type, Span<byte> row, ReadOnlySpan<byte> above, int pixel)
    {
        switch (type)
        {
            case 0:
                break;
            case 1:
                for (var i = pixel; i < row.Length; i++)
                {
                    row[i] += row[i - pixel];
                }

                break;
            case 2:
                for (var i = 0; i < above.Length; i++)
                {
                    row[i] += above[i];
                }

                break;
            case 3:
                for (var i = 0; i < row.Length; i++)
                {
                    row[i] += (byte)((Left(row, i, pixel) + Above(above, i)) / 2);
                }

                break;
            case 4:
                for (var i = 0; i < row.Length; i++)
                {
                    row[i] += Paeth(Left(row, i, pixel), Above(above, i), i < pixel ? 0 : Above(above, i - pixel));
                }

                break;
            default:
                throw new ImageFormatException($"it is damaged: a PNG with a row filter {type}");
        }
    }

    private static int Left(ReadOnlySpan<byte> row, int i, int pixel) => i < pixel ? 0 : row[i - pixel];

    private static int Above(ReadOnlySpan<byte> above, int i) => above.IsEmpty ? 0 : above[i];

    private static byte Paeth(int left, int above, int corner)
    {
        var (toLeft, toAbove, toCorner) = (Math.Abs(above - corner), Math.Abs(left - corner), Math.Abs(left + above - 2 * corner));
        return (byte)(toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner);
    }
}
