using Vizsla.Primitives;

namespace Vizsla.Imaging;

/// <summary>Reads and writes pictures: JPEG, PNG, GIF (first frame), BMP, WebP and TIFF in, PNG and JPEG out.</summary>
/// <remarks>Source: Pillow <c>Image.open</c>, <c>convert("RGB")</c>, <c>ImageOps.exif_transpose</c>, <c>save</c>. Parity: docs/parity.md.</remarks>
public static class ImageCodec
{
    /// <summary>Makes one more kind of picture known to everything that reads pictures, such as HEIC and AVIF by <c>Vizsla.Heif</c>.</summary>
    /// <param name="decoder">The decoder; takes the place of one of its type.</param>
    public static void Register(PictureDecoder decoder)
    {
        ArgumentNullException.ThrowIfNull(decoder);
        ImageFormats.Register(decoder);
    }

    /// <summary>Decodes a picture to RGB, turned upright as its EXIF orientation asks.</summary>
    /// <param name="data">The bytes of a file.</param>
    /// <param name="options">How to decode; null takes <see cref="DecodeOptions.Default"/>.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">The bytes are no picture of a known format, are cut or damaged, or hold more pixels than the options allow.</exception>
    public static Image Decode(ReadOnlySpan<byte> data, DecodeOptions? options = null) => Bounded(data, bytes => ImageFormats.Decode(bytes, options ?? DecodeOptions.Default));

    /// <summary>Decodes the rest of a stream; see <see cref="Decode(ReadOnlySpan{byte}, DecodeOptions?)"/>.</summary>
    /// <param name="stream">Read to its end and left open.</param>
    /// <param name="options">How to decode; null takes <see cref="DecodeOptions.Default"/>.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">As for bytes.</exception>
    public static Image Decode(Stream stream, DecodeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return Decode(memory.GetBuffer().AsSpan(0, checked((int)memory.Length)), options);
    }

    /// <summary>Reads a picture file; see <see cref="Decode(ReadOnlySpan{byte}, DecodeOptions?)"/>.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="options">How to decode; null takes <see cref="DecodeOptions.Default"/>.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">As for bytes; names the file.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public static Image Load(string path, DecodeOptions? options = null) =>
        WithFile(path, data => Decode(data, options));

    /// <summary>Whether a file begins as a picture does that can be read, whatever its name.</summary>
    /// <param name="path">Path of the file.</param>
    /// <returns>False also where the file cannot be opened.</returns>
    public static bool Recognizes(string path)
    {
        Span<byte> start = stackalloc byte[ImageFormats.StartBytes];
        try
        {
            using var stream = File.OpenRead(path);
            return ImageFormats.IsRead(start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Reads the headers of a picture.</summary>
    /// <param name="data">The bytes of a file.</param>
    /// <exception cref="ImageFormatException">The bytes are no picture of a known format, or its headers are damaged.</exception>
    public static ImageInfo Identify(ReadOnlySpan<byte> data) => Bounded(data, ImageFormats.Identify);

    /// <summary>Reads the headers of a picture file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="ImageFormatException">As for bytes; names the file.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public static ImageInfo Identify(string path) => WithFile(path, Identify);

    /// <summary>Why a picture file cannot be read whole, as the end of a sentence, or null where it can.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="options">How to decode; null takes <see cref="DecodeOptions.Default"/>.</param>
    public static string? Check(string path, DecodeOptions? options = null)
    {
        try
        {
            Load(path, options).Dispose();
            return null;
        }
        catch (ImageFormatException e)
        {
            return e.Reason;
        }
        catch (IOException e)
        {
            return e.Message.TrimEnd('.');
        }
        catch (UnauthorizedAccessException e)
        {
            return e.Message.TrimEnd('.');
        }
    }

    /// <summary>Writes a PNG file.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="path">Path of the file; overwritten.</param>
    public static void SavePng(Image image, string path)
    {
        using var file = File.Create(path);
        SavePng(image, file);
    }

    /// <summary>Writes a picture as PNG, 8-bit RGB.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="stream">Written to and left open.</param>
    public static void SavePng(Image image, Stream stream) => SkiaEncoder.Png(image, stream);

    /// <summary>Writes a JPEG file.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="path">Path of the file; overwritten.</param>
    /// <param name="quality">libjpeg's quality, 1 to 100; default 75, as Pillow's.</param>
    public static void SaveJpeg(Image image, string path, int quality = 75)
    {
        using var file = File.Create(path);
        SaveJpeg(image, file, quality);
    }

    /// <summary>Writes a picture as JPEG with halved color (4:2:0), as Pillow does.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="stream">Written to and left open.</param>
    /// <param name="quality">libjpeg's quality, 1 to 100; default 75, as Pillow's.</param>
    /// <exception cref="ArgumentOutOfRangeException">The quality is not within 1 to 100.</exception>
    public static void SaveJpeg(Image image, Stream stream, int quality = 75) => SkiaEncoder.Jpeg(image, stream, quality);

    private delegate T Reader<T>(ReadOnlySpan<byte> data);

    // Bytes come from anywhere: whatever damage makes a decoder throw, it is the fault of one picture and is said of that picture.
    private static T Bounded<T>(ReadOnlySpan<byte> data, Reader<T> read)
    {
        try
        {
            return read(data);
        }
        catch (OutOfMemoryException e)
        {
            throw new ImageFormatException("there is not enough memory for it", innerException: e);
        }
        catch (Exception e) when (e is not ImageFormatException)
        {
            throw new ImageFormatException($"it is damaged: {ErrorSentence.Of(e).TrimEnd('.')}", innerException: e);
        }
    }

    private static T WithFile<T>(string path, Reader<T> read)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var handle = File.OpenHandle(path, options: FileOptions.SequentialScan);
        var length = RandomAccess.GetLength(handle);
        if (length > Array.MaxLength)
        {
            throw new ImageFormatException("a picture file of 2 GiB or more is not read", path);
        }

        var buffer = PixelPool<byte>.Shared.Rent((int)length);
        try
        {
            var count = 0;
            while (count < length && RandomAccess.Read(handle, buffer.AsSpan(count, (int)length - count), count) is > 0 and var read1)
            {
                count += read1;
            }

            return read(buffer.AsSpan(0, count));
        }
        catch (ImageFormatException e)
        {
            throw new ImageFormatException(e.Reason, path, e.InnerException);
        }
        finally
        {
            PixelPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>What the header of a picture says.</summary>
/// <param name="Format">Pillow's name of the format: JPEG, PNG, GIF, BMP, WEBP or TIFF.</param>
/// <param name="Mode">Pillow's name of the stored pixels: 1, L, LA, P, RGB, RGBA, CMYK, I;16 ...</param>
/// <param name="Width">Stored width in pixels, before the EXIF orientation.</param>
/// <param name="Height">Stored height in pixels, before the EXIF orientation.</param>
/// <param name="Orientation">EXIF orientation, 1 (upright) to 8; 1 where the file says nothing.</param>
/// <remarks>Source: Pillow <c>Image.open(...).format</c>, <c>.mode</c>, <c>.size</c>.</remarks>
public sealed record ImageInfo(string Format, string Mode, int Width, int Height, int Orientation);

/// <summary>A file or a run of bytes that cannot be read whole as a picture.</summary>
public sealed class ImageFormatException : Exception
{
    /// <summary>The reason of every file that ends too early.</summary>
    internal const string CutShort = "it is truncated";

    /// <summary>Says that a picture cannot be read.</summary>
    /// <param name="reason">Why, as the end of a sentence without its full stop.</param>
    /// <param name="file">The file, or null when the bytes came from elsewhere.</param>
    /// <param name="innerException">What the decoder met, if it met an exception.</param>
    public ImageFormatException(string reason, string? file = null, Exception? innerException = null)
        : base(file is null ? $"The picture cannot be read: {reason}." : $"The picture '{file}' cannot be read: {reason}.", innerException)
    {
        Reason = reason;
        File = file;
    }

    /// <summary>Why the picture cannot be read, as the end of a sentence without its full stop.</summary>
    public string Reason { get; }

    /// <summary>The file, or null when the bytes came from elsewhere.</summary>
    public string? File { get; }
}
