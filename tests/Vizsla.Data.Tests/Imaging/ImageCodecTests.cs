using Vizsla.Imaging;

namespace Vizsla.Tests.Imaging;

public sealed class ImageCodecTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 1)]
    [InlineData(5, 1)]
    [InlineData(3, 3)]
    [InlineData(7, 9)]
    public void A_picture_of_any_size_comes_back_from_a_PNG(int width, int height)
    {
        using var image = Pictures.Draw(width, height);
        using var stream = new MemoryStream();

        ImageCodec.SavePng(image, stream);

        using var decoded = ImageCodec.Decode(stream.ToArray());
        Assert.True(image.Pixels.SequenceEqual(decoded.Pixels));
    }

    [Fact]
    public void Says_why_a_file_cannot_be_read_and_nothing_where_it_can()
    {
        var folder = Directory.CreateTempSubdirectory("vizsla-").FullName;
        var good = Path.Combine(folder, "good.png");
        var text = Path.Combine(folder, "text.jpg");
        var empty = Path.Combine(folder, "empty.png");
        File.WriteAllBytes(good, Pictures.Encode(ImageCodec.SavePng, 4, 4));
        File.WriteAllText(text, "a text file named .jpg");
        File.WriteAllBytes(empty, []);

        Assert.Null(ImageCodec.Check(good));
        Assert.Equal("it is not a JPEG, PNG, GIF, BMP, WebP or TIFF picture", ImageCodec.Check(text));
        Assert.Equal("it is empty", ImageCodec.Check(empty));
        Assert.NotNull(ImageCodec.Check(Path.Combine(folder, "missing.png")));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Writes_a_jpeg_that_is_near_and_nearer_with_more_quality()
    {
        using var image = Pictures.Draw(64, 48);

        var (low, high) = (Distance(image, 30), Distance(image, 98));

        Assert.True(high < 3 && high < low / 2, $"quality 30 is {low} away, quality 98 {high}");
    }

    [Fact]
    public void Refuses_a_quality_beyond_100()
    {
        using var image = Pictures.Draw(8, 8);

        Assert.Throws<ArgumentOutOfRangeException>(() => ImageCodec.SaveJpeg(image, Stream.Null, 101));
    }

    [Theory]
    [InlineData("lossless")]
    [InlineData("lossy")]
    public void Reads_webp(string kind)
    {
        using var image = Pictures.Draw(40, 30);
        using var bitmap = new SkiaSharp.SKBitmap(new SkiaSharp.SKImageInfo(40, 30, SkiaSharp.SKColorType.Rgba8888, SkiaSharp.SKAlphaType.Opaque));
        for (var i = 0; i < 40 * 30; i++)
        {
            bitmap.SetPixel(i % 40, i / 40, new SkiaSharp.SKColor(image.Pixels[3 * i], image.Pixels[3 * i + 1], image.Pixels[3 * i + 2]));
        }

        var compression = kind == "lossless" ? SkiaSharp.SKWebpEncoderCompression.Lossless : SkiaSharp.SKWebpEncoderCompression.Lossy;
        using var data = bitmap.PeekPixels().Encode(new SkiaSharp.SKWebpEncoderOptions(compression, 100));
        var file = data!.ToArray();

        using var read = ImageCodec.Decode(file);

        Assert.InRange(Mean(image, read), 0, kind == "lossless" ? 0 : 6);
        Assert.Equal(("WEBP", "RGB", 40, 30), (ImageCodec.Identify(file).Format, ImageCodec.Identify(file).Mode, read.Width, read.Height));
        Assert.Equal("it is truncated", Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(file.AsSpan(0, file.Length / 2))).Reason);
    }

    [Fact]
    public void Reads_bmp_from_the_bottom_up()
    {
        byte[] file =
        [
            .. "BM"u8, 70, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 24, 0, .. new byte[24],
            3, 2, 1, 6, 5, 4, 0, 0, 9, 8, 7, 12, 11, 10, 0, 0,
        ];

        using var image = ImageCodec.Decode(file);

        Assert.Equal([7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6], image.Pixels.ToArray());
        Assert.Equal(new ImageInfo("BMP", "RGB", 2, 2, 1), ImageCodec.Identify(file));
    }

    private static double Distance(Image image, int quality)
    {
        using var stream = new MemoryStream();
        ImageCodec.SaveJpeg(image, stream, quality);
        using var read = ImageCodec.Decode(stream.ToArray());
        return Mean(image, read);
    }

    private static double Mean(Image left, Image right)
    {
        var total = 0.0;
        for (var i = 0; i < left.Pixels.Length; i++)
        {
            total += Math.Abs(left.Pixels[i] - right.Pixels[i]);
        }

        return total / left.Pixels.Length;
    }
}
