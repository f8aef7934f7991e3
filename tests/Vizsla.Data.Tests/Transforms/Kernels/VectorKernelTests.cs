using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Tests.Imaging;
using Vizsla.Transforms;

namespace Vizsla.Tests.Transforms.Kernels;

/// <summary>Kernels that take many pixels at a time give what the plain formula gives, at every length and up to the last pixel.</summary>
public sealed class VectorKernelTests
{
    [Fact]
    public void Looks_up_levels_at_every_length()
    {
        var rng = new Rng(5);
        var source = Bytes(rng, 3 * 150);
        var tables = Bytes(rng, 3 * 256);
        for (var pixels = 0; pixels <= 150; pixels++)
        {
            var levels = source.AsSpan(0, 3 * pixels);
            var (one, three) = (new byte[levels.Length], new byte[levels.Length]);

            LevelLookup.One(levels, one, tables.AsSpan(0, 256));
            LevelLookup.Three(levels, three, tables);

            for (var i = 0; i < levels.Length; i++)
            {
                Assert.Equal(tables[levels[i]], one[i]);
                Assert.Equal(tables[i % 3 * 256 + levels[i]], three[i]);
            }
        }
    }

    [Theory]
    [InlineData(0.8, -0.6, 7.3, 0.6, 0.8, -5.1)]
    [InlineData(1, 0.001, 0, -0.001, 1, 0)]
    [InlineData(1, 0, 0, 0, 1, 0)]
    [InlineData(0.31, 0.2, -3, 0.1, 0.4, 2)]
    [InlineData(-1, 0, 37, 0, -1, 29)]
    public void Samples_between_pixels_up_to_the_last_one(double a, double b, double c, double d, double e, double f)
    {
        var map = new AffineMatrix(a, b, c, d, e, f);
        using var image = Pictures.Draw(37, 29);

        using var result = AffineSampler.Transform(image, 43, 31, map, Interpolation.Bilinear, 9);

        for (var y = 0; y < result.Height; y++)
        {
            for (var x = 0; x < result.Width; x++)
            {
                var (fromX, fromY) = map.Map(x + 0.5, y + 0.5);
                var outside = !(fromX >= 0 && fromX < image.Width && fromY >= 0 && fromY < image.Height);
                for (var channel = 0; channel < 3; channel++)
                {
                    Assert.Equal(outside ? 9 : Between(image, fromX - 0.5, fromY - 0.5, channel), result.Row(y)[3 * x + channel]);
                }
            }
        }
    }

    [Theory]
    [InlineData(30)]
    [InlineData(3)]
    [InlineData(-77)]
    public void Fetches_pixels_along_slanted_lines(double degrees)
    {
        const double One = 65536;
        var map = AffineMatrix.Inverse((18.5, 14.5), degrees, (0, 0), 0.7, (0, 0));
        using var image = Pictures.Draw(37, 29);

        using var result = AffineSampler.Transform(image, 43, 31, map, Interpolation.Nearest, (1, 2, 3));

        var (startX, startY) = (Fixed(map.C + map.A * 0.5 + map.B * 0.5), Fixed(map.F + map.D * 0.5 + map.E * 0.5));
        for (var y = 0; y < result.Height; y++)
        {
            for (var x = 0; x < result.Width; x++)
            {
                var (fromX, fromY) = ((startX + y * Fixed(map.B) + x * Fixed(map.A)) >> 16, (startY + y * Fixed(map.E) + x * Fixed(map.D)) >> 16);
                var inside = fromX >= 0 && fromX < image.Width && fromY >= 0 && fromY < image.Height;
                Assert.Equal(inside ? image.Row(fromY).Slice(3 * fromX, 3).ToArray() : [1, 2, 3], result.Row(y).Slice(3 * x, 3).ToArray());
            }
        }

        static int Fixed(double value) => (int)Math.Floor(value * One + 0.5);
    }

    [Theory]
    [InlineData(64, 4, 5, 3)]
    [InlineData(150, 41, 9, 9)]
    [InlineData(63, 7, 3, 5)]
    [InlineData(131, 3, 7, 1)]
    public void Sums_a_plane_row_by_row_and_column_by_column(int width, int height, int kernelWidth, int kernelHeight)
    {
        var rng = new Rng(6);
        var sourceWidth = width + kernelWidth - 1;
        var source = Floats(rng, sourceWidth * (height + kernelHeight - 1));
        var kernel = Floats(rng, kernelWidth * kernelHeight);
        var result = new float[width * height];

        PlaneConvolution.Rows(source, sourceWidth, PlaneConvolution.Pad(kernel, kernelWidth), kernelWidth, kernelHeight, 0, height, result);

        for (var i = 0; i < result.Length; i++)
        {
            var sum = 0f;
            for (var k = 0; k < kernel.Length; k++)
            {
                sum = MathF.FusedMultiplyAdd(kernel[k], source[(i / width + k / kernelWidth) * sourceWidth + i % width + k % kernelWidth], sum);
            }

            Assert.Equal(sum, result[i]);
        }
    }

    [Theory]
    [InlineData(90, 70, 41, 41)]
    [InlineData(60, 40, 9, 3)]
    public void A_rough_blur_differs_from_the_exact_one_by_roundings_alone(int width, int height, int kernelWidth, int kernelHeight)
    {
        const float Roundings = 1e-5f;
        var exact = Floats(new Rng(4), width * height);
        var rough = exact.ToArray();
        Blur.Gaussian(exact, width, height, kernelWidth, kernelHeight, 3.0, 1.0);

        Blur.IsRough = true;
        try
        {
            Blur.Gaussian(rough, width, height, kernelWidth, kernelHeight, 3.0, 1.0);
        }
        finally
        {
            Blur.IsRough = false;
        }

        Assert.All(exact.Zip(rough), pair => Assert.Equal(pair.First, pair.Second, Roundings));
    }

    [Theory]
    [InlineData(700, 640)]
    [InlineData(640, 130)]
    [InlineData(20, 1)]
    public void Every_row_lies_in_one_band(int width, int height)
    {
        var times = new int[height];

        RowBands.Run(width, height, (from, to) =>
        {
            for (var y = from; y < to; y++)
            {
                Interlocked.Increment(ref times[y]);
            }
        });

        Assert.All(times, count => Assert.Equal(1, count));
    }

    [Theory]
    [InlineData(Interpolation.Bilinear)]
    [InlineData(Interpolation.Nearest)]
    public void A_large_picture_is_displaced_by_the_same_sums_as_a_small_one(Interpolation interpolation)
    {
        const int Width = 600, Height = 450, Kernel = 9;
        using var image = Pictures.Draw(Width, Height);

        using var result = new ElasticTransform(40.0, 1.0) { Interpolation = interpolation, Fill = (7, 8, 9) }.Apply(image, new Rng(21));

        var rng = new Rng(21);
        var (moveX, moveY) = (Smooth(), Smooth());
        var row = new byte[3 * Width];
        for (var y = 0; y < Height; y++)
        {
            var placesX = Enumerable.Range(0, Width).Select(x => Place(x, Width) + moveX[y * Width + x] * 40f / Width).ToArray();
            var placesY = Enumerable.Range(0, Width).Select(x => Place(y, Height) + moveY[y * Width + x] * 40f / Height).ToArray();
            GridSampler.SampleRow(image, placesX, placesY, interpolation, (7, 8, 9), row);
            Assert.True(result.Row(y).SequenceEqual(row), $"row {y}");
        }

        float[] Smooth()
        {
            var drawn = new float[Width * Height];
            for (var i = 0; i < drawn.Length; i++)
            {
                drawn[i] = rng.NextSingle() * 2 - 1;
            }

            var weights = new float[Kernel];
            GaussianKernel.Fill(weights, 1);
            var smooth = new float[drawn.Length];
            for (var i = 0; i < smooth.Length; i++)
            {
                for (var k = 0; k < Kernel * Kernel; k++)
                {
                    var (x, y) = (i % Width + k % Kernel - Kernel / 2, i / Width + k / Kernel - Kernel / 2);
                    smooth[i] = MathF.FusedMultiplyAdd(weights[k / Kernel] * weights[k % Kernel], drawn[Mirror(y, Height) * Width + Mirror(x, Width)], smooth[i]);
                }
            }

            return smooth;
        }

        static float Place(int index, int count) => Linspace.At((float)((-count + 1.0) / count), (float)((count - 1.0) / count), index, count);

        static int Mirror(int place, int count) => place < 0 ? -place : place >= count ? 2 * count - 2 - place : place;
    }

    [Fact]
    public void A_destination_of_another_size_is_refused()
    {
        using var image = Pictures.Draw(4, 3);
        using var tensor = new ImageTensor(3, 3, 5);

        var error = Assert.Throws<ArgumentException>(() => new ToDtype().Convert(image, tensor));

        Assert.Equal("A picture of 4x3 becomes [3, 3, 4], and the destination is [3, 3, 5]. (Parameter 'destination')", error.Message);
    }

    private static byte Between(Image image, double x, double y, int channel)
    {
        var (left, top) = ((int)Math.Floor(x), (int)Math.Floor(y));
        var above = Mix(Level(left, top), Level(left + 1, top), x - left);
        var below = Mix(Level(left, top + 1), Level(left + 1, top + 1), x - left);
        return (byte)Mix(above, below, y - top);

        double Level(int column, int row) => image.Row(Math.Clamp(row, 0, image.Height - 1))[3 * Math.Clamp(column, 0, image.Width - 1) + channel];

        static double Mix(double a, double b, double share) => a + (b - a) * share;
    }

    private static float[] Floats(Rng rng, int count)
    {
        var floats = new float[count];
        for (var i = 0; i < count; i++)
        {
            floats[i] = rng.NextSingle() * 2 - 1;
        }

        return floats;
    }

    private static byte[] Bytes(Rng rng, int count)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            bytes[i] = (byte)rng.NextUInt32();
        }

        return bytes;
    }
}
