using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Tests.Transforms;

public sealed class NoiseTests
{
    [Fact]
    public void Noise_of_no_strength_changes_nothing()
    {
        using var image = Gray(16, 16, 100);

        using var result = new GaussianNoise(Sigma: 0).Apply(image, new Rng(0));

        Assert.True(image.Pixels.SequenceEqual(result.Pixels));
    }

    [Fact]
    public void Noise_lies_channel_by_channel_as_torch_draws_it()
    {
        using var image = Gray(8, 4, 100);
        var drawn = new float[3 * 8 * 4];
        new Rng(5).Normal(drawn);

        using var result = new GaussianNoise(Sigma: 0.1).Apply(image, new Rng(5));

        for (var i = 0; i < 32; i++)
        {
            for (var channel = 0; channel < 3; channel++)
            {
                Assert.Equal(Math.Clamp(100 + (int)(drawn[(channel * 32) + i] * 25.5f), 0, 255), result.Pixels[(3 * i) + channel]);
            }
        }
    }

    [Fact]
    public void Noise_in_Python_goes_through_a_tensor_since_torchvision_refuses_pictures() => Assert.Equal(
        "v2.Compose([v2.PILToTensor(), v2.GaussianNoise(sigma=0.2), v2.ToPILImage()])", Pipeline.ToPython(new GaussianNoise(Sigma: 0.2)));

    [Fact]
    public void A_compressed_picture_is_near_and_the_quality_is_drawn_once()
    {
        using var image = Gray(16, 16, 100);
        var rng = new Rng(1);

        using var result = new Jpeg((60, 90)).Apply(image, rng);

        var other = new Rng(1);
        other.NextInt32(60, 91);
        Assert.Equal(other.NextInt64(), rng.NextInt64());
        Assert.All(result.Pixels.ToArray(), level => Assert.InRange(level, 98, 102));
    }

    [Fact]
    public void A_quality_that_cannot_be_is_a_problem() =>
        Assert.Equal(["quality is 0, expected 1 to 100."], new Jpeg(0).FindProblems());

    private static Image Gray(int width, int height, byte level)
    {
        var image = new Image(width, height);
        image.Pixels.Fill(level);
        return image;
    }
}
