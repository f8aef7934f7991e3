using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Vizsla.Serving.Queues;

namespace Vizsla.Serving.Api;

/// <summary>The files of a multipart form, one after the other as they arrive: nothing is written to disk, and bytes and files are counted while they are read.</summary>
internal static class FormFiles
{
    /// <summary>Reads a form.</summary>
    /// <param name="body">The request's body.</param>
    /// <param name="boundary">What separates its parts.</param>
    /// <param name="options">Limits.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Each file's name and bytes; null in place of the bytes for one that is too large for a picture.</returns>
    /// <exception cref="RefusedException">The form is cut short or malformed (400), holds too many files (400) or too many bytes (413).</exception>
    public static async IAsyncEnumerable<(string Name, byte[]? Data)> ReadAsync(Stream body, string boundary, ServingOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = new MultipartReader(boundary, body);
        var (files, bytes) = (0, 0L);
        while (await NextAsync(reader, cancellationToken).ConfigureAwait(false) is { } section)
        {
            var isFile = ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition) && disposition.IsFileDisposition();
            if (isFile && ++files > options.MaxPicturesPerRequest)
            {
                throw new RefusedException(StatusCodes.Status400BadRequest, $"Send 1 to {options.MaxPicturesPerRequest} files in one request, got more.");
            }

            var data = await ReadAsync(section.Body, options.MaxPictureBytes, options.MaxRequestBytes - bytes, options, cancellationToken).ConfigureAwait(false);
            bytes += data.Length;
            if (isFile)
            {
                var name = disposition!.FileNameStar.HasValue ? disposition.FileNameStar : HeaderUtilities.RemoveQuotes(disposition.FileName);
                yield return (name.ToString(), data.Length > options.MaxPictureBytes ? null : data.ToArray());
            }
        }
    }

    private static async Task<MultipartSection?> NextAsync(MultipartReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadNextSectionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw Malformed();
        }
    }

    // A file that is too large is read to its end, but not kept.
    private static async Task<(long Length, Func<byte[]> ToArray)> ReadAsync(Stream section, long kept, long left, ServingOptions options, CancellationToken cancellationToken)
    {
        var memory = new MemoryStream();
        var buffer = new byte[64 << 10];
        var length = 0L;
        try
        {
            int read;
            while ((read = await section.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                length += read;
                if (length > left)
                {
                    throw new RefusedException(StatusCodes.Status413PayloadTooLarge, $"The request has more than {options.MaxRequestBytes / (1 << 20)} MiB; send fewer pictures in one.");
                }

                if (length <= kept)
                {
                    memory.Write(buffer, 0, read);
                }
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw Malformed();
        }

        return (length, memory.ToArray);
    }

    private static RefusedException Malformed() => new(StatusCodes.Status400BadRequest, "The form cannot be read: it is truncated or malformed.");
}
