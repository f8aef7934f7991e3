using Microsoft.AspNetCore.Http;
using Vizsla.Imaging;
using Vizsla.Studio.Hosting;

namespace Vizsla.Studio.Pictures;

/// <summary>Lets pictures through by their content and size, before a pixel is decoded.</summary>
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
    /// <exception cref="RefusedException">No known picture (415), too many bytes (413), too many pixels or broken (400).</exception>
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
    /// <exception cref="RefusedException">No known picture (415), or too many bytes (413).</exception>
    public static void Check(byte[] data, ServingOptions options)
    {
        if (data.LongLength > options.MaxPictureBytes)
        {
            throw TooLarge(options.MaxPictureBytes);
        }

        if (!PictureKind.IsKnown(data))
        {
            throw new RefusedException(StatusCodes.Status415UnsupportedMediaType, $"This is no picture that can be read: send {Kinds}.");
        }
    }

    private static RefusedException TooLarge(long limit) =>
        new(StatusCodes.Status413PayloadTooLarge, $"The picture has more than {limit / (1 << 20)} MiB; this server takes no larger ones.");
}
