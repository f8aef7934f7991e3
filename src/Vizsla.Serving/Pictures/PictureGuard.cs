using Microsoft.AspNetCore.Http;
using Vizsla.Imaging;

namespace Vizsla.Serving.Pictures;

/// <summary>Checks pictures by content and size before a pixel is decoded.</summary>
internal static class PictureGuard
{
    /// <summary>The kinds of pictures that are taken, for messages and file pickers.</summary>
    public const string Kinds = "JPEG, PNG, WebP, GIF, BMP or TIFF";

    /// <summary>Reads a request's body up to the limit.</summary>
    /// <exception cref="RefusedException">There is more (413), or nothing (400).</exception>
    public static async Task<byte[]> ReadAsync(Stream body, long limit, CancellationToken cancellationToken)
    {
        using var memory = new MemoryStream();
        var buffer = new byte[64 << 10];
        int read;
        while ((read = await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (memory.Length + read > limit)
            {
                throw TooLarge(limit);
            }

            memory.Write(buffer, 0, read);
        }

        return memory.Length > 0 ? memory.ToArray() : throw new RefusedException(StatusCodes.Status400BadRequest, "The request holds no picture.");
    }

    /// <summary>Decodes a picture that may come from anybody; the number of pixels is looked up in its header first.</summary>
    /// <exception cref="RefusedException">Not a known picture format (415), too many bytes (413), too many pixels or broken (400).</exception>
    public static Image Decode(byte[] data, ServingOptions options)
    {
        Check(data, options);
        try
        {
            return ImageCodec.Decode(data, new DecodeOptions(MaximumPixels: options.MaxPicturePixels));
        }
        catch (ImageFormatException e)
        {
            throw new RefusedException(StatusCodes.Status400BadRequest, $"The picture cannot be read: {e.Reason.TrimEnd('.')}.");
        }
    }

    /// <summary>Looks at a picture's length and first bytes.</summary>
    /// <exception cref="RefusedException">Not a known picture format (415), or too many bytes (413).</exception>
    public static void Check(byte[] data, ServingOptions options)
    {
        if (data.LongLength > options.MaxPictureBytes)
        {
            throw TooLarge(options.MaxPictureBytes);
        }

        if (!PictureKind.IsKnown(data))
        {
            throw new RefusedException(StatusCodes.Status415UnsupportedMediaType, $"The file is not a picture in a supported format: send {Kinds}.");
        }
    }

    /// <summary>The error for a picture of too many bytes.</summary>
    public static RefusedException TooLarge(long limit) =>
        new(StatusCodes.Status413PayloadTooLarge, $"The picture has more than {limit / (1 << 20)} MiB; this server takes no larger ones.");
}

/// <summary>A picture's kind by its first bytes; names and headers of a request are not believed.</summary>
internal static class PictureKind
{
    /// <summary>Whether the bytes begin as one of the kinds that can be decoded.</summary>
    public static bool IsKnown(ReadOnlySpan<byte> data) => MediaType(data) is not null || ImageFormats.Registered(data) is not null;

    /// <summary>The media type, or null for anything that is no known picture.</summary>
    public static string? MediaType(ReadOnlySpan<byte> data) => data switch
    {
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => "image/png",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => "image/gif",
        [(byte)'B', (byte)'M', ..] => "image/bmp",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => "image/webp",
        [(byte)'I', (byte)'I', 42, 0, ..] or [(byte)'M', (byte)'M', 0, 42, ..] => "image/tiff",
        _ => null,
    };
}
