using SkiaSharp;
using Vizsla.Imaging;
using Vizsla.Imaging.Jpeg;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Tests.Imaging.Jpeg;

public sealed unsafe class ScaledDecodingTests
{
    public static TheoryData<int, SKJpegEncoderDownsample> Scales()
    {
        var data = new TheoryData<int, SKJpegEncoderDownsample>();
        foreach (var downsample in Enum.GetValues<SKJpegEncoderDownsample>())
        {
            for (var eighths = 1; eighths <= 8; eighths++)
            {
                data.Add(eighths, downsample);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Scales))]
    public void Gives_the_pixels_of_libjpeg_turbo_at_each_scale(int eighths, SKJpegEncoderDownsample downsample)
    {
        foreach (var (width, height, quality) in ((int, int, int)[])[(1, 1, 75), (5, 17, 50), (33, 31, 5), (100, 64, 100), (203, 131, 85)])
        {
            var file = Pictures.EncodeJpeg(width, height, quality, downsample);

            using var own = ImageCodec.Decode(file, At(eighths));
            using var reference = SkiaDecoder.Decode(file, eighths);

            Assert.Equal(((width * eighths + 7) / 8, (height * eighths + 7) / 8), (own.Width, own.Height));
            Assert.Equal(reference.Pixels.ToArray(), own.Pixels.ToArray());
        }
    }

    [Fact]
    public void Gives_the_pixels_of_libjpeg_turbo_for_real_files_of_every_kind()
    {
        var files = Directory.EnumerateFiles(Golden.RequireData("odd-images"), "*.jp*g", SearchOption.AllDirectories).ToList();
        var compared = 0;
        foreach (var file in files)
        {
            var data = File.ReadAllBytes(file);
            if (ImageCodec.Check(file) is not null || ImageCodec.Identify(data).Mode == "CMYK" || !AreEqual(data, 8))
            {
                // Skia converts inks by another formula than Pillow, and repairs a damaged file in another way.
                continue;
            }

            compared++;
            for (var eighths = 1; eighths < 8; eighths++)
            {
                Assert.True(AreEqual(data, eighths), $"{file} at {eighths}/8");
            }
        }

        Assert.True(compared > files.Count / 2, $"{compared} of {files.Count} files compared");

        static bool AreEqual(byte[] data, int eighths)
        {
            using var own = ImageCodec.Decode(data, At(eighths) with { ExifTranspose = false });
            using var reference = SkiaDecoder.Decode(data, eighths);
            return own.Pixels.SequenceEqual(reference.Pixels);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(10)]
    [InlineData(12)]
    [InlineData(14)]
    public void Transforms_blocks_as_the_plain_method_does(int size)
    {
        const int Blocks = 5, Stride = 6 * 14 + 32;
        var rng = new Rng(4);
        var coefficients = stackalloc short[64 * (Blocks + 1)];
        var steps = stackalloc short[64];
        var fast = stackalloc byte[Stride * 14];
        var plain = stackalloc byte[Stride * 14];
        for (var round = 0; round < 100; round++)
        {
            for (var i = 0; i < 64; i++)
            {
                steps[i] = (short)(1 + rng.NextUInt32() % (round % 3 == 0 ? 4000u : 40u));
            }

            new Span<short>(coefficients, 64 * (Blocks + 1)).Clear();
            for (var i = 0; i < 64 * Blocks; i++)
            {
                var kept = (round % 3) switch { 0 => i % 64 == 0, 1 => rng.NextUInt32() % 8 == 0, _ => true };
                coefficients[i] = kept ? (short)(rng.NextUInt32() % (round % 5 == 0 ? 65536u : 60u) - 30) : (short)0;
            }

            ScaledDct.Transform(coefficients, Blocks, steps, fast, Stride, size);
            for (var block = 0; block < Blocks; block++)
            {
                ScaledDct.TransformOne(coefficients + 64 * block, steps, plain + size * block, Stride, size);
            }

            for (var y = 0; y < size; y++)
            {
                Assert.Equal(new Span<byte>(plain + Stride * y, size * Blocks).ToArray(), new Span<byte>(fast + Stride * y, size * Blocks).ToArray());
            }
        }
    }

    [Theory]
    [InlineData(224, 224, 313, 235)]
    [InlineData(500, 375, 500, 375)]
    [InlineData(501, 10, 500, 375)]
    [InlineData(250, 188, 250, 188)]
    [InlineData(251, 188, 313, 235)]
    [InlineData(1, 1, 63, 47)]
    public void Takes_the_smallest_scale_that_is_not_below_the_least_size(int leastWidth, int leastHeight, int width, int height)
    {
        var file = Pictures.EncodeJpeg(500, 375, 75, SKJpegEncoderDownsample.Downsample420);

        using var image = ImageCodec.Decode(file, new DecodeOptions { LeastSize = _ => (leastWidth, leastHeight) });

        Assert.Equal((width, height), (image.Width, image.Height));
    }

    [Fact]
    public void Asks_for_the_least_size_of_the_picture_as_it_is_shown()
    {
        var file = JpegDecoderTests.WithOrientation(Pictures.EncodeJpeg(80, 40, 90, SKJpegEncoderDownsample.Downsample420), 6);
        var asked = new List<(int Width, int Height)>();

        using var image = ImageCodec.Decode(file, new DecodeOptions { LeastSize = Least });
        using var stored = ImageCodec.Decode(file, new DecodeOptions(ExifTranspose: false) { LeastSize = Least });

        Assert.Equal([(40, 80), (80, 40)], asked);
        Assert.Equal((10, 20), (image.Width, image.Height));
        Assert.Equal((40, 20), (stored.Width, stored.Height));

        (int, int) Least((int Width, int Height) size)
        {
            asked.Add(size);
            return (10, 20);
        }
    }

    [Fact]
    public void Decodes_other_formats_whole()
    {
        var file = Pictures.Encode(ImageCodec.SavePng, 40, 30);

        using var image = ImageCodec.Decode(file, At(1));

        Assert.Equal((40, 30), (image.Width, image.Height));
    }

    [Fact]
    public void Never_does_worse_than_refuse_a_damaged_file()
    {
        var file = Pictures.EncodeJpeg(30, 23, 80, SKJpegEncoderDownsample.Downsample420);
        for (var at = 2; at < file.Length; at++)
        {
            var damaged = file.ToArray();
            damaged[at] ^= 0x55;
            try
            {
                ImageCodec.Decode(damaged, At(1 + at % 7) with { MaximumPixels = 100_000 }).Dispose();
            }
            catch (ImageFormatException e)
            {
                Assert.NotEmpty(e.Reason);
            }
        }
    }

    private static DecodeOptions At(int eighths) => new() { LeastSize = size => ((size.Width * eighths + 7) / 8, (size.Height * eighths + 7) / 8) };
}
