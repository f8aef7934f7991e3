using Vizsla.Imaging.Jpeg;

namespace Vizsla.Imaging.Tiff;

/// <summary>Decodes the first picture of a TIFF: strips and tiles of gray, palette, RGB and CMYK, uncompressed or by PackBits, LZW, deflate, LZMA or JPEG.</summary>
/// <remarks>Source: TIFF 6.0; Pillow <c>TiffImagePlugin</c>, which turns the picture upright while loading. Parity: exact for these kinds, others are refused.</remarks>
internal static class TiffDecoder
{
    private const int Jpeg = 7;

    /// <summary>Reads the headers; the size is that of the upright picture, as in Pillow.</summary>
    /// <param name="data">The file.</param>
    /// <exception cref="ImageFormatException">The file is damaged, or of a kind that is not read.</exception>
    public static ImageInfo Identify(ReadOnlySpan<byte> data)
    {
        var header = new TiffHeader(TiffDirectory.Read(data));
        var (width, height) = ((int)header.Width, (int)header.Height);
        return header.Orientation >= 5
            ? new ImageInfo("TIFF", header.Mode, height, width, header.Orientation)
            : new ImageInfo("TIFF", header.Mode, width, height, header.Orientation);
    }

    /// <summary>Decodes a file.</summary>
    /// <param name="data">The whole file.</param>
    /// <param name="options">How to decode.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">The file is damaged, cut short, too large, or of a kind that is not read.</exception>
    public static Image Decode(ReadOnlySpan<byte> data, DecodeOptions options)
    {
        var header = new TiffHeader(TiffDirectory.Read(data));
        options.CheckSize(header.Width, header.Height);
        var image = new Image((int)header.Width, (int)header.Height);
        try
        {
            ReadPieces(data, header, image);
        }
        catch (ImageFormatException)
        {
            image.Dispose();
            throw;
        }

        return Orientation.Turn(image, header.Orientation);
    }

    private static void ReadPieces(ReadOnlySpan<byte> data, TiffHeader header, Image image)
    {
        var offsets = header.Directory.Numbers(header.IsTiled ? 324 : 273);
        var lengths = header.Directory.Numbers(header.IsTiled ? 325 : 279);
        var planes = header.IsPlanar ? header.Samples : 1;
        var samples = header.Samples / planes;
        var (across, down) = ((header.Width + header.PieceWidth - 1) / header.PieceWidth, (header.Height + header.PieceHeight - 1) / header.PieceHeight);
        if (offsets.Length < across * down * planes)
        {
            throw new ImageFormatException("it is damaged: a TIFF without all of its strips");
        }

        var rowLength = (int)((header.PieceWidth * samples * header.Bits + 7) / 8);
        var pixels = new TiffPixels(header, image);
        var buffer = PixelPool<byte>.Shared.Rent(checked((int)(rowLength * header.PieceHeight)));
        try
        {
            for (var number = 0; number < across * down * planes; number++)
            {
                var piece = number % (across * down);
                var (left, top) = ((int)(piece % across * header.PieceWidth), (int)(piece / across * header.PieceHeight));
                var height = (int)(header.IsTiled ? header.PieceHeight : Math.Min(header.PieceHeight, header.Height - top));
                var rows = buffer.AsSpan(0, rowLength * height);
                var length = number < lengths.Length ? lengths[number] : rows.Length;
                if (offsets[number] > data.Length)
                {
                    throw new ImageFormatException(ImageFormatException.CutShort);
                }

                var stored = data[(int)offsets[number]..];
                stored = stored[..(int)Math.Min(length, stored.Length)];
                if (header.Compression == Jpeg)
                {
                    CopyJpeg(header, stored, image, left, top);
                    continue;
                }

                TiffCompression.Expand(header, stored, rows);
                TiffCompression.UndoPredictor(header, rows, rowLength, samples);
                pixels.Place(rows, rowLength, left, top, height, number / (int)(across * down), samples);
            }
        }
        finally
        {
            PixelPool<byte>.Shared.Return(buffer);
        }
    }

    // Each piece is a JPEG whose tables lie apart.
    private static void CopyJpeg(TiffHeader header, ReadOnlySpan<byte> stored, Image image, int left, int top)
    {
        if (header.IsPlanar || header.Mode is not ("RGB" or "L"))
        {
            throw new ImageFormatException($"it is a TIFF of {header.Mode} compressed as JPEG, which is not read; save it as PNG");
        }

        var tables = header.Directory.Numbers(347);
        var color = header.Photometric switch { 2 => JpegColor.Rgb, 6 => JpegColor.YCbCr, _ => JpegColor.Gray };
        byte[] file = tables.Length > 4 && stored.Length > 2
            ? [.. tables[..^2].Select(value => (byte)value), .. stored[2..]]
            : stored.ToArray();
        if (!JpegReader.Accepts(file))
        {
            throw new ImageFormatException("it is damaged: a TIFF whose JPEG data are missing");
        }

        using var piece = JpegDecoder.Decode(file, new DecodeOptions(ExifTranspose: false), color);
        for (var y = 0; y < Math.Min(piece.Height, image.Height - top); y++)
        {
            piece.Row(y)[..(3 * Math.Min(piece.Width, image.Width - left))].CopyTo(image.Row(top + y)[(3 * left)..]);
        }
    }
}
