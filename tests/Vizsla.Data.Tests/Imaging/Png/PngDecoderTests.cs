using Vizsla.Imaging;

namespace Vizsla.Tests.Imaging.Png;

public sealed class PngDecoderTests
{
    [Fact]
    public void Reads_what_the_encoder_wrote()
    {
        using var image = Pictures.Draw(61, 43);
        using var stream = new MemoryStream();
        ImageCodec.SavePng(image, stream);

        using var read = ImageCodec.Decode(stream.ToArray());

        Assert.Equal(image.Pixels.ToArray(), read.Pixels.ToArray());
        Assert.Equal(new ImageInfo("PNG", "RGB", 61, 43, 1), ImageCodec.Identify(stream.ToArray()));
    }

    [Theory]
    [InlineData(1, 0, new byte[] { 0b1010_0000 }, new byte[] { 255, 0, 255 })]
    [InlineData(2, 0, new byte[] { 0b0001_1000 }, new byte[] { 0, 85, 170 })]
    [InlineData(4, 0, new byte[] { 0x0A, 0xF0 }, new byte[] { 0, 170, 255 })]
    [InlineData(8, 0, new byte[] { 7, 8, 9 }, new byte[] { 7, 8, 9 })]
    [InlineData(16, 0, new byte[] { 0, 7, 1, 0, 0xFF, 0xFF }, new byte[] { 7, 255, 255 })]
    [InlineData(8, 4, new byte[] { 7, 0, 8, 255, 9, 1 }, new byte[] { 7, 8, 9 })]
    [InlineData(16, 4, new byte[] { 7, 99, 0, 0, 8, 99, 0, 0, 9, 99, 0, 0 }, new byte[] { 7, 8, 9 })]
    public void Reads_gray_of_every_depth(byte depth, byte color, byte[] row, byte[] gray)
    {
        using var image = ImageCodec.Decode(PngBuilder.File(3, 1, depth, color, [0, .. row]));

        Assert.Equal(gray.SelectMany(g => new[] { g, g, g }), image.Pixels.ToArray());
    }

    [Theory]
    [InlineData(8, 2, new byte[] { 1, 2, 3, 4, 5, 6 })]
    [InlineData(8, 6, new byte[] { 1, 2, 3, 0, 4, 5, 6, 9 })]
    [InlineData(16, 2, new byte[] { 1, 90, 2, 90, 3, 90, 4, 90, 5, 90, 6, 90 })]
    [InlineData(16, 6, new byte[] { 1, 90, 2, 90, 3, 90, 0, 0, 4, 90, 5, 90, 6, 90, 0, 0 })]
    public void Reads_color_and_drops_alpha_and_lower_bits(byte depth, byte color, byte[] row)
    {
        using var image = ImageCodec.Decode(PngBuilder.File(2, 1, depth, color, [0, .. row]));

        Assert.Equal([1, 2, 3, 4, 5, 6], image.Pixels.ToArray());
    }

    [Fact]
    public void Takes_black_for_colors_that_the_palette_lacks()
    {
        using var image = ImageCodec.Decode(PngBuilder.File(3, 1, 8, 3, [0, 1, 0, 200], [10, 20, 30, 40, 50, 60]));

        Assert.Equal([40, 50, 60, 10, 20, 30, 0, 0, 0], image.Pixels.ToArray());
    }

    [Fact]
    public void Undoes_every_filter()
    {
        byte[] rows =
        [
            1, 10, 5, 5, // left: 10 15 20
            2, 1, 1, 1, // above: 11 16 21
            3, 5, 5, 5, // mean: 5+5=10, 5+13=18, 5+19=24
            4, 1, 1, 1, // Paeth: 11, 19, 25
        ];

        using var image = ImageCodec.Decode(PngBuilder.File(3, 4, 8, 0, rows));

        Assert.Equal([10, 15, 20, 11, 16, 21, 10, 18, 24, 11, 19, 25], image.Pixels.ToArray().Where((_, i) => i % 3 == 0));
    }

    [Fact]
    public void Puts_the_passes_of_an_interlaced_picture_together()
    {
        // 3x3: pass 1 has (0,0); pass 4 (2,0); pass 5 (0,2) and (2,2); pass 6 (1,0) and (1,2); pass 7 the middle row.
        byte[] rows = [0, 1, 0, 3, 0, 7, 9, 0, 2, 0, 8, 0, 4, 5, 6];

        using var image = ImageCodec.Decode(PngBuilder.File(3, 3, 8, 0, rows, interlace: 1));

        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9], image.Pixels.ToArray().Where((_, i) => i % 3 == 0));
    }

    [Fact]
    public void Leaves_rows_black_that_the_data_properly_end_before()
    {
        using var image = ImageCodec.Decode(PngBuilder.File(1, 3, 8, 0, [0, 50]));

        Assert.Equal([50, 50, 50, 0, 0, 0, 0, 0, 0], image.Pixels.ToArray());
    }

    [Fact]
    public void Reads_data_in_several_chunks_and_minds_no_wrong_sum_of_theirs()
    {
        var data = PngBuilder.Compress(0, 50, 0, 60);
        var second = PngBuilder.Chunk("IDAT", data[3..]);
        second[^1] ^= 1;
        byte[] file = [.. PngBuilder.Signature, .. PngBuilder.Header(1, 2, 8, 0), .. PngBuilder.Chunk("IDAT", data[..3]), .. second, .. PngBuilder.End];

        using var image = ImageCodec.Decode(file);

        Assert.Equal([50, 50, 50, 60, 60, 60], image.Pixels.ToArray());
    }

    [Fact]
    public void Turns_upright_by_exif_behind_the_data_and_by_xmp()
    {
        byte[] exif = [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        byte[] xmp = [.. "XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation=\"6\"/>"u8];
        byte[] head = [.. PngBuilder.Signature, .. PngBuilder.Header(2, 1, 8, 0)];
        var data = PngBuilder.Chunk("IDAT", PngBuilder.Compress(0, 1, 2));

        using var behind = ImageCodec.Decode([.. head, .. data, .. PngBuilder.Chunk("eXIf", exif), .. PngBuilder.End]);
        using var before = ImageCodec.Decode([.. head, .. PngBuilder.Chunk("iTXt", xmp), .. data, .. PngBuilder.End]);

        Assert.Equal((1, 2), (behind.Width, behind.Height));
        Assert.Equal(behind.Pixels.ToArray(), before.Pixels.ToArray());
    }

    public static TheoryData<string, byte[]> Broken()
    {
        var whole = PngBuilder.File(2, 2, 8, 0, [0, 1, 2, 0, 3, 4]);
        var badSum = PngBuilder.Chunk("tEXt", [1, 0, 2]);
        badSum[^1] ^= 1;
        var badAdler = PngBuilder.Compress(0, 1, 2, 0, 3, 4);
        badAdler[^1] ^= 1;
        byte[] head = [.. PngBuilder.Signature, .. PngBuilder.Header(2, 2, 8, 0)];
        return new TheoryData<string, byte[]>
        {
            { "it is truncated", whole[..^24] },
            { "it is damaged: a PNG with a chunk with a wrong check sum", [.. head, .. badSum, .. whole[head.Length..]] },
            { "it is damaged: a PNG whose compressed data are broken", [.. head, .. PngBuilder.Chunk("IDAT", badAdler), .. PngBuilder.End] },
            { "it is damaged: a PNG with a row filter 9", PngBuilder.File(2, 2, 8, 0, [9, 1, 2, 0, 3, 4]) },
            { "it is damaged: a PNG with an invalid header", PngBuilder.File(2, 2, 3, 0, [0, 1, 2, 0, 3, 4]) },
            { "it is damaged: a PNG with an invalid header", PngBuilder.File(0, 2, 8, 0, [0, 1, 2, 0, 3, 4]) },
            { "it is truncated", [.. head, .. PngBuilder.End] },
            { "it is damaged: a PNG with a chunk that is too short", [.. head, .. PngBuilder.Chunk("gAMA", [1]), .. whole[head.Length..]] },
        };
    }

    [Theory]
    [MemberData(nameof(Broken))]
    public void Refuses_what_Pillow_refuses(string reason, byte[] file)
    {
        var error = Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(file));

        Assert.Equal(reason, error.Reason);
    }
}
