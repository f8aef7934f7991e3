using Vizsla.Imaging;

namespace Vizsla.Studio.Pictures;

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
