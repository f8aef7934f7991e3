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
        var compressed = ArrayPool<byte>.Shared.Rent(data.Length);
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
            ArrayPool<byte>.Shared.Return(compressed);
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

        var buffer = ArrayPool<byte>.Shared.Rent((int)total);
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
            ArrayPool<byte>.Shared.Return(buffer);
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
