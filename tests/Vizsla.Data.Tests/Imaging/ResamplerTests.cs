using Vizsla.Imaging;

namespace Vizsla.Tests.Imaging;

public sealed class ResamplerTests
{
    [Fact]
    public void Averages_two_pixels_when_halving_with_the_box_filter()
    {
        using var image = new Image(2, 1, [10, 20, 30, 20, 40, 61]);

        using var half = Resampler.Resize(image, 1, 1, Interpolation.Box);

        Assert.Equal([15, 30, 46], half.Pixels.ToArray());
    }

    [Fact]
    public void Returns_a_picture_of_its_own_when_nothing_changes()
    {
        using var image = Pattern(7, 5);

        using var same = Resampler.Resize(image, 7, 5, Interpolation.Lanczos);

        Assert.NotSame(image, same);
        Assert.Equal(image.Pixels.ToArray(), same.Pixels.ToArray());
    }

    [Theory]
    [InlineData(Interpolation.Nearest)]
    [InlineData(Interpolation.Lanczos)]
    [InlineData(Interpolation.Bilinear)]
    [InlineData(Interpolation.Bicubic)]
    [InlineData(Interpolation.Box)]
    [InlineData(Interpolation.Hamming)]
    public void A_flat_picture_stays_flat_with_every_filter_up_and_down(Interpolation interpolation)
    {
        using var image = new Image(50, 31);
        image.Pixels.Fill(201);

        using var small = Resampler.Resize(image, 11, 13, interpolation);
        using var large = Resampler.Resize(image, 173, 90, interpolation);

        Assert.All(small.Pixels.ToArray(), value => Assert.Equal(201, value));
        Assert.All(large.Pixels.ToArray(), value => Assert.Equal(201, value));
    }

    [Fact]
    public void A_whole_box_of_pixels_is_the_crop_resized_by_nearest()
    {
        using var image = Pattern(8, 8);

        using var part = Resampler.Resize(image, 2, 2, Interpolation.Nearest, (2, 4, 4, 6));

        Assert.Equal(image.Row(4).Slice(6, 6).ToArray(), part.Row(0).ToArray());
        Assert.Equal(image.Row(5).Slice(6, 6).ToArray(), part.Row(1).ToArray());
    }

    [Fact]
    public void Refuses_a_box_beyond_the_picture()
    {
        using var image = Pattern(8, 6);

        var error = Assert.Throws<ArgumentException>(() => Resampler.Resize(image, 2, 2, Interpolation.Bilinear, (0, 0, 8.5, 6)));

        Assert.Equal("The box (0, 0, 8.5, 6) does not lie within the 8x6 picture. (Parameter 'box')", error.Message);
    }

    [Fact]
    public void Names_the_known_interpolations_when_given_another()
    {
        using var image = Pattern(8, 6);

        var error = Assert.Throws<ArgumentOutOfRangeException>(() => Resampler.Resize(image, 2, 2, (Interpolation)9));

        Assert.StartsWith(
            "Unknown interpolation 9. Known: Nearest, Lanczos, Bilinear, Bicubic, Box, Hamming, NearestExact.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.25)]
    [InlineData(-0.75)]
    public void Hamming_weighs_with_shares_of_single_precision_as_Pillow_does(double distance)
    {
        // 0.54f and 0.46f; with double ones a level in a million pixels is another.
        var angle = Math.Abs(distance) * Math.PI;
        var expected = Math.Sin(angle) / angle * (0.54000002145767211914 + 0.46000000834465026855 * Math.Cos(angle));

        Assert.Equal(expected, HammingFilter.Weigh(distance));
    }

    private static Image Pattern(int width, int height)
    {
        var image = new Image(width, height);
        for (var i = 0; i < image.Pixels.Length; i++)
        {
            image.Pixels[i] = (byte)(i * 37 + i / 11);
        }

        return image;
    }
}
