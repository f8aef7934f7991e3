using ImageMagick;
using Vizsla.Imaging;

namespace Vizsla.Heif;

/// <summary>Reads HEIC and AVIF: the primary picture, assembled of its tiles, turned as its <c>irot</c> and <c>imir</c> say, alpha dropped, more than eight bits reduced to eight.</summary>
/// <remarks>
/// Source: Pillow 13 with <c>pillow_heif</c>. Parity: HEIC exact; AVIF within a mean of 1 level, since libheif enlarges halved color in another way than libavif. ImageMagick, its libheif and libde265 are used as they come, see docs/decisions.
/// </remarks>
public sealed class HeifDecoder : PictureDecoder
{
    // Brands of the box that a file begins with.
    private static readonly byte[][] s_brands = [.. new[] { "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "avif", "avis" }.Select(System.Text.Encoding.ASCII.GetBytes)];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Extensions { get; } = [".heic", ".heif", ".hif", ".avif"];

    /// <summary>Makes the decoder known to everything that reads pictures.</summary>
    public static void Register() => ImageCodec.Register(new HeifDecoder());

    /// <inheritdoc/>
    public override bool Accepts(ReadOnlySpan<byte> data)
    {
        if (data.Length < 12 || !data[4..].StartsWith("ftyp"u8))
        {
            return false;
        }

        foreach (var brand in s_brands)
        {
            if (data.Slice(8, 4).SequenceEqual(brand))
            {
                return true;
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public override ImageInfo Identify(ReadOnlySpan<byte> data)
    {
        try
        {
            using var image = new MagickImage();
            image.Ping(data, Settings(data));
            return new(IsAvif(data) ? "AVIF" : "HEIF", image.HasAlpha ? "RGBA" : "RGB", checked((int)image.Width), checked((int)image.Height), 1);
        }
        catch (MagickException e)
        {
            throw Damaged(e);
        }
    }

    /// <inheritdoc/>
    public override Image Decode(ReadOnlySpan<byte> data, DecodeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var info = Identify(data);
        if ((long)info.Width * info.Height > options.MaximumPixels)
        {
            throw new ImageFormatException($"its {(long)info.Width * info.Height} pixels exceed the limit of {options.MaximumPixels}; it may be a decompression bomb");
        }

        try
        {
            using var picture = new MagickImage(data, Settings(data));
            using var pixels = picture.GetPixelsUnsafe();
            var bytes = pixels.ToByteArray(PixelMapping.RGB) ?? throw new ImageFormatException("it is damaged: a HEIC or AVIF picture without pixels");
            return new((int)picture.Width, (int)picture.Height, bytes);
        }
        catch (MagickException e)
        {
            throw Damaged(e);
        }
    }

    // The format is named, so that a file that begins so can reach no other of ImageMagick's readers; of several pictures the first is read.
    private static MagickReadSettings Settings(ReadOnlySpan<byte> data) => new() { Format = IsAvif(data) ? MagickFormat.Avif : MagickFormat.Heic, FrameIndex = 0, FrameCount = 1 };

    private static bool IsAvif(ReadOnlySpan<byte> data) => data.Slice(8, 3).SequenceEqual("avi"u8);

    private static ImageFormatException Damaged(MagickException e) => new($"it is damaged: {e.Message.Split('@')[0].Trim().TrimEnd('.')}", innerException: e);
}
