using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Tests.Training;
using Vizsla.Transforms;

namespace Vizsla.Tests.Inference;

public sealed class FastPredictionTests
{
    private static readonly PicturePredictorOptions Fast = new() { FastDecode = true };

    [Fact]
    public void Scores_are_those_of_the_picture_decoded_at_the_smaller_scale()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        var pipeline = new Compose(new Resize(16, 16), new ToDtype(Scale: true));
        var file = Path.Combine(run.Root, "photo.jpg");
        using (var photo = new Image(100, 80))
        {
            for (var i = 0; i < photo.Pixels.Length; i++)
            {
                photo.Pixels[i] = (byte)(i * 7 % 251);
            }

            ImageCodec.SaveJpeg(photo, file);
        }

        var predicted = new PicturePredictor(model.Network, pipeline, options: Fast).Predict([file]).Single();

        using var small = ImageCodec.Load(file, new DecodeOptions { LeastSize = _ => (16, 16) });
        Assert.Equal((25, 20), (small.Width, small.Height));
        Assert.Equal(new PicturePredictor(model.Network, pipeline).Predict(small), predicted.Predictions);
    }

    [Fact]
    public void Refuses_a_pipeline_that_does_not_say_how_large_a_picture_must_be()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        var pipeline = new Compose(new CenterCrop(16), new ToDtype(Scale: true));

        var error = Assert.Throws<ArgumentException>(() => new PicturePredictor(model.Network, pipeline, options: Fast));

        Assert.Equal(
            "fast_decode needs a pipeline that begins with a Resize, which says how large a picture must be decoded, and this one begins with CenterCrop: leave fast_decode out. (Parameter 'options')",
            error.Message);
    }
}
