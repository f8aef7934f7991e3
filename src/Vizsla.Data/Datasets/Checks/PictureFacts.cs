using System.Security.Cryptography;
using Vizsla.Imaging;

namespace Vizsla.Datasets.Checks;

/// <summary>What one look at a picture tells: whether it can be read whole, its size, and two ways to know it again.</summary>
/// <param name="Problem">Why it cannot be read, as the end of a sentence; null where it can. The sizes are 0 then and there is no signature.</param>
/// <param name="Width">Width in pixels, upright.</param>
/// <param name="Height">Height in pixels, upright.</param>
/// <param name="Sha256">Hash of the encoded file, hexadecimal; empty where the file cannot even be opened.</param>
/// <param name="Signature">How it looks; null where it cannot be read.</param>
internal sealed record PictureFacts(string? Problem, int Width, int Height, string Sha256, PictureSignature? Signature)
{
    /// <summary>Whether the file ends too early: a broken download or copy.</summary>
    public bool IsCutShort => Problem == ImageFormatException.CutShort;

    /// <summary>Reads, hashes and decodes a picture.</summary>
    /// <param name="source">The picture.</param>
    public static PictureFacts Of(ImageSource source)
    {
        try
        {
            return Of(source.ReadBytes().Span);
        }
        catch (DatasetException e)
        {
            return new((e.InnerException ?? e).Message.TrimEnd('.'), 0, 0, "", null);
        }
    }

    private static PictureFacts Of(ReadOnlySpan<byte> data)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(data));
        try
        {
            using var image = ImageCodec.Decode(data);
            return new(null, image.Width, image.Height, hash, PictureSignature.Of(image));
        }
        catch (ImageFormatException e)
        {
            return new(e.Reason, 0, 0, hash, null);
        }
    }
}
