using SkiaSharp;
using Vizsla.Imaging;

namespace Vizsla.Tests.Imaging.Jpeg;

public sealed class JpegDecoderTests
{
    public static TheoryData<int, int, int, SKJpegEncoderDownsample> Files()
    {
        var data = new TheoryData<int, int, int, SKJpegEncoderDownsample>();
        foreach (var downsample in Enum.GetValues<SKJpegEncoderDownsample>())
        {
            data.Add(1, 1, 75, downsample);
            data.Add(3, 2, 90, downsample);
            data.Add(5, 17, 50, downsample);
            data.Add(16, 16, 100, downsample);
            data.Add(33, 31, 5, downsample);
            data.Add(200, 131, 85, downsample);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Gives_the_pixels_of_libjpeg_turbo(int width, int height, int quality, SKJpegEncoderDownsample downsample)
    {
        var file = Pictures.EncodeJpeg(width, height, quality, downsample);

        using var own = ImageCodec.Decode(file);
        using var reference = SkiaDecoder.Decode(file);

        Assert.Equal((width, height), (own.Width, own.Height));
        Assert.Equal(reference.Pixels.ToArray(), own.Pixels.ToArray());
    }

    [Fact]
    public void Refuses_a_file_cut_at_three_fifths()
    {
        var file = Pictures.EncodeJpeg(120, 90, 85, SKJpegEncoderDownsample.Downsample420);

        var error = Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(file.AsSpan(0, file.Length * 3 / 5)));

        Assert.Equal("The picture cannot be read: it is truncated.", error.Message);
    }

    [Fact]
    public void Refuses_a_file_without_its_end_marker()
    {
        var file = Pictures.EncodeJpeg(120, 90, 85, SKJpegEncoderDownsample.Downsample420);

        Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(file.AsSpan(0, file.Length - 2)));
    }

    [Fact]
    public void Reads_a_file_with_a_stray_byte_behind_its_end()
    {
        var file = Pictures.EncodeJpeg(40, 30, 85, SKJpegEncoderDownsample.Downsample420);

        using var plain = ImageCodec.Decode(file);
        using var stray = ImageCodec.Decode([.. file, 0x0A]);

        Assert.Equal(plain.Pixels.ToArray(), stray.Pixels.ToArray());
    }

    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(2, 1, 0)]
    [InlineData(3, 1, 1)]
    [InlineData(4, 0, 1)]
    [InlineData(6, 1, 0)]
    [InlineData(8, 0, 1)]
    public void Turns_the_picture_upright_as_its_orientation_asks(byte orientation, int cornerX, int cornerY)
    {
        // A bright corner, top left in the stored picture.
        using var image = new Image(16, 8);
        image.Pixels.Clear();
        for (var y = 0; y < 4; y++)
        {
            image.Row(y)[..24].Fill(250);
        }

        using var stream = new MemoryStream();
        ImageCodec.SaveJpeg(image, stream, 100);

        using var upright = ImageCodec.Decode(WithOrientation(stream.ToArray(), orientation));

        Assert.Equal(orientation >= 5 ? (8, 16) : (16, 8), (upright.Width, upright.Height));
        Assert.True(upright.Row(cornerY * (upright.Height - 1))[3 * cornerX * (upright.Width - 1)] > 200);
        Assert.Equal(orientation, ImageCodec.Identify(WithOrientation(stream.ToArray(), orientation)).Orientation);
    }

    [Fact]
    public void Leaves_the_picture_as_stored_when_asked()
    {
        using var stream = new MemoryStream(WithOrientation(Pictures.EncodeJpeg(16, 8, 90, SKJpegEncoderDownsample.Downsample444), 6));

        using var stored = ImageCodec.Decode(stream, new DecodeOptions(ExifTranspose: false));

        Assert.Equal((16, 8), (stored.Width, stored.Height));
    }

    [Fact]
    public void Names_the_file_and_the_limit_of_a_picture_that_is_too_large()
    {
        var file = Pictures.EncodeJpeg(40, 30, 75, SKJpegEncoderDownsample.Downsample420);
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, file);

        var error = Assert.Throws<ImageFormatException>(() => ImageCodec.Load(path, new DecodeOptions(MaximumPixels: 1000)));
        File.Delete(path);

        Assert.Equal($"The picture '{path}' cannot be read: its 1200 pixels exceed the limit of 1000; it may be a decompression bomb.", error.Message);
    }

    [Fact]
    public void Never_does_worse_than_refuse_a_damaged_file()
    {
        var file = Pictures.EncodeJpeg(60, 45, 80, SKJpegEncoderDownsample.Downsample420);
        for (var at = 2; at < file.Length; at++)
        {
            foreach (var value in (byte[])[0, 0xFF, (byte)(file[at] ^ 0x55)])
            {
                var damaged = file.ToArray();
                damaged[at] = value;
                try
                {
                    ImageCodec.Decode(damaged, new DecodeOptions(MaximumPixels: 100_000)).Dispose();
                }
                catch (ImageFormatException e)
                {
                    Assert.NotEmpty(e.Reason);
                }
            }
        }
    }

    internal static byte[] WithOrientation(byte[] jpeg, byte orientation)
    {
        byte[] exif = [.. "Exif\0\0II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0];
        return [0xFF, 0xD8, 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, .. jpeg[2..]];
    }
}
