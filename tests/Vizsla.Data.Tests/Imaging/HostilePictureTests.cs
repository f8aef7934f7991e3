using System.Buffers.Binary;
using System.IO.Compression;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Transforms;

namespace Vizsla.Tests.Imaging;

/// <summary>Issue 17, lines 7 to 9: files that lie, and what Pillow does with them.</summary>
public sealed class HostilePictureTests
{
    [Theory]
    [InlineData("badhdr.bmp")]
    [InlineData("tiny27.bmp")]
    public void A_BMP_that_lies_is_refused_with_a_reason(string name)
    {
        var path = Golden.RequireCases("bmp", name);

        Assert.Matches("^it is (damaged: a BMP |cut short)", ImageCodec.Check(path));
        Assert.Throws<ImageFormatException>(() => ImageCodec.Identify(path));
    }

    [Theory]
    [InlineData(ImageKind.Bmp)]
    [InlineData(ImageKind.Png)]
    [InlineData(ImageKind.Jpeg)]
    [InlineData(ImageKind.Gif)]
    [InlineData(ImageKind.Tiff)]
    [InlineData(ImageKind.WebP)]
    public void Whatever_the_bytes_a_picture_is_read_or_refused(ImageKind kind)
    {
        var rng = new Rng((ulong)kind);
        var start = Start(kind);

        for (var round = 0; round < 2000; round++)
        {
            var data = new byte[start.Length + rng.NextInt32(0, 200)];
            foreach (ref var one in data.AsSpan())
            {
                one = (byte)rng.NextInt32(0, rng.NextInt32(0, 2) == 0 ? 4 : 256);
            }

            start.CopyTo(data, 0);
            try
            {
                ImageCodec.Identify(data);
                ImageCodec.Decode(data, new DecodeOptions(MaximumPixels: 10_000)).Dispose();
            }
            catch (ImageFormatException)
            {
                // Any other exception fails.
            }
        }
    }

    [Theory]
    [InlineData(1, 30_000)]
    [InlineData(30_000, 1)]
    public void A_size_after_a_resize_is_bounded_before_memory_is_taken(int width, int height)
    {
        using var photo = new Image(width, height);
        var shorter = new Compose(new Resize(256), new CenterCrop(224), new ToDtype(Scale: true));
        var (resultWidth, resultHeight) = width < height ? (256, 7_680_000) : (7_680_000, 256);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var error = Assert.Throws<ImageFormatException>(() => shorter.Run(photo, new Rng(0)));

        Assert.Equal($"a step would make a picture of {resultWidth} x {resultHeight} pixels of it, more than the limit of 178956970", error.Reason);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000);
        Assert.Throws<ImageFormatException>(() => Resampler.Resize(photo, resultWidth, resultHeight, Interpolation.Bilinear));
        Assert.Throws<ImageFormatException>(() => new RandomRotation((45, 45), Expand: true).Apply(photo, new Rng(0)));
    }

    [Theory]
    [InlineData("exif-small-tag-offset-beyond.jpg")]
    [InlineData("exif-tag-twice-6-1.jpg")]
    public void An_orientation_behind_a_bad_entry_counts_and_of_two_the_first(string name) =>
        Assert.Equal(6, ImageCodec.Identify(Golden.RequireCases("exif", name)).Orientation);

    [Theory]
    [InlineData(0xE5, true)]
    [InlineData(0xFE, true)]
    [InlineData(0xDB, false)]
    [InlineData(0xC4, false)]
    public void A_segment_of_length_0_is_empty_where_nothing_needs_its_content(int marker, bool isRead)
    {
        var jpeg = Pictures.Encode((image, stream) => ImageCodec.SaveJpeg(image, stream), 16, 16);
        byte[] data = [.. jpeg[..2], 0xFF, (byte)marker, 0, 0, .. jpeg[2..]];

        var problem = Problem(data);

        Assert.Equal(isRead ? null : "it is damaged: a JPEG with a segment of length 0", problem);
    }

    [Theory]
    [InlineData("zTXt", 1 << 20, null)]
    [InlineData("zTXt", (1 << 20) + 1, "it is damaged: a PNG with a text of more than 1 MiB")]
    [InlineData("iTXt", (1 << 20) + 1, "it is damaged: a PNG with a text of more than 1 MiB")]
    [InlineData("iCCP", (1 << 20) + 1, "it is damaged: a PNG with a text of more than 1 MiB")]
    public void Compressed_texts_of_a_PNG_are_read_up_to_1_MiB(string chunk, int length, string? problem)
    {
        var png = Pictures.Encode(ImageCodec.SavePng, 4, 4);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionMode.Compress, leaveOpen: true))
        {
            zlib.Write(new byte[length]);
        }

        byte[] body = chunk == "iTXt" ? [.. "Comment\0\u0001\0en\0\0"u8, .. packed.ToArray()] : [.. "Comment\0\0"u8, .. packed.ToArray()];
        const int AfterHeader = 33;

        Assert.Equal(problem, Problem([.. png[..AfterHeader], .. Chunk(chunk, body), .. png[AfterHeader..]]));
    }

    [Fact]
    public void Texts_of_a_PNG_take_64_MiB_at_most()
    {
        var png = Pictures.Encode(ImageCodec.SavePng, 4, 4);
        var text = Chunk("tEXt", [.. "Comment\0"u8, .. new byte[33 << 20]]);
        const int AfterHeader = 33;

        Assert.Null(Problem([.. png[..AfterHeader], .. text, .. png[AfterHeader..]]));
        Assert.Equal("it is damaged: a PNG with texts of more than 64 MiB", Problem([.. png[..AfterHeader], .. text, .. text, .. png[AfterHeader..]]));
    }

    [Theory]
    [InlineData("0000000C6A5020200D0A870A", "it is a picture of the format JPEG 2000, which is not read; convert it to PNG or JPEG, for instance with 'magick FILE FILE.png'")]
    [InlineData("000001000100101000000000", "it is a picture of the format ICO, which is not read; convert it to PNG or JPEG, for instance with 'magick FILE FILE.png'")]
    [InlineData("50360A3220320A3235350A00", "it is a picture of the format PPM (PBM, PGM), which is not read; convert it to PNG or JPEG, for instance with 'magick FILE FILE.png'")]
    [InlineData("3C21444F43545950452068746D6C3E", "it is an HTML page, as a server sends in place of a picture, not a picture")]
    [InlineData("255044462D312E34", "it is a PDF document, not a picture")]
    [InlineData("68656C6C6F", "it is not a JPEG, PNG, GIF, BMP, WebP or TIFF picture")]
    public void What_is_not_read_is_named(string start, string reason) => Assert.Equal(reason, Problem(Convert.FromHexString(start)));

    private static string? Problem(byte[] data)
    {
        try
        {
            ImageCodec.Decode(data).Dispose();
            return null;
        }
        catch (ImageFormatException e)
        {
            return e.Reason;
        }
    }

    private static byte[] Chunk(string name, byte[] body)
    {
        byte[] named = [.. System.Text.Encoding.ASCII.GetBytes(name), .. body];
        var chunk = new byte[named.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, body.Length);
        named.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(4 + named.Length), Vizsla.Imaging.Png.Checksums.Crc32(named));
        return chunk;
    }

    private static byte[] Start(ImageKind kind) => kind switch
    {
        ImageKind.Bmp => [.. "BM"u8],
        ImageKind.Png => [0x89, .. "PNG\r\n\u001A\n"u8],
        ImageKind.Jpeg => [0xFF, 0xD8, 0xFF],
        ImageKind.Gif => [.. "GIF89a"u8],
        ImageKind.Tiff => [.. "II*\0"u8],
        _ => [.. "RIFF\0\0\0\0WEBPVP8"u8],
    };
}

/// <summary>Kinds of pictures by their first bytes.</summary>
public enum ImageKind
{
    Bmp,
    Png,
    Jpeg,
    Gif,
    Tiff,
    WebP,
}
