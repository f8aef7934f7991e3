using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Tests.Transforms;

public sealed class CropTests
{
    [Fact]
    public void Five_crops_are_the_corners_and_the_middle()
    {
        using var image = Numbered(5, 5);

        var crops = new FiveCrop(1).Apply(image);

        Assert.Equal([0, 4, 20, 24, 12], crops.Select(crop => (int)crop.Pixels[0]));
    }

    [Fact]
    public void Ten_crops_add_those_of_the_mirrored_picture()
    {
        using var image = Numbered(5, 5);

        Assert.Equal([0, 4, 20, 24, 12, 4, 0, 24, 20, 12], new TenCrop(1).Apply(image).Select(crop => (int)crop.Pixels[0]));
        Assert.Equal([0, 4, 20, 24, 12, 20, 24, 0, 4, 12], new TenCrop(1, VerticalFlip: true).Apply(image).Select(crop => (int)crop.Pixels[0]));
    }

    [Fact]
    public void The_steps_after_the_crops_run_on_each()
    {
        using var image = Numbered(5, 5);
        var pipeline = new Compose(new FiveCrop(2), new RandomHorizontalFlip(1), new ToDtype());

        var tensors = pipeline.RunMany(image, new Rng(0));

        Assert.Equal(5, pipeline.OutputCount);
        Assert.Equal([1f, 0f, 6f, 5f], tensors[0].Channel(0).ToArray());
        Assert.Equal("new FiveCrop(2) makes 5 pictures of one; use RunMany.", Assert.Throws<InvalidOperationException>(() => pipeline.Run(image, new Rng(0))).Message);
    }

    [Fact]
    public void A_picture_smaller_than_its_crops_is_refused()
    {
        using var image = Numbered(3, 2);

        Assert.StartsWith(
            "FiveCrop cuts out 3x3 (height x width), and the picture has 2x3; resize it first.",
            Assert.Throws<ArgumentException>(() => new FiveCrop(3).Apply(image)).Message,
            StringComparison.Ordinal);
    }

    // Pixel i has the level i in all channels.
    private static Image Numbered(int width, int height)
    {
        var image = new Image(width, height);
        for (var i = 0; i < width * height; i++)
        {
            image.Pixels.Slice(3 * i, 3).Fill((byte)i);
        }

        return image;
    }
}
