using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Tests.Inference;

[Collection(nameof(RunAlone))]
public sealed class TestTimeAugmentationTests
{
    private const string Known = "give each of flip, five-crop and scales (or scales=1:1.5, with factors from 1 to 4) at most once, joined by '+'.";
    private static readonly Compose s_squashed = new(new Resize(28, 28), new ToDtype(Scale: true));
    private static readonly Compose s_cut = new(new Resize(36), new CenterCrop(28), new ToDtype(Scale: true));

    [Theory]
    [InlineData("flip", 2)]
    [InlineData("five-crop", 5)]
    [InlineData("scales", 3)]
    [InlineData("scales=1:1.5", 2)]
    [InlineData("flip+five-crop+scales=1:2", 20)]
    public void Views_multiply_and_have_the_size_of_the_models_own(string text, int count)
    {
        using var picture = Picture(57, 41);
        foreach (var pipeline in new[] { s_squashed, s_cut })
        {
            var views = TestTimeAugmentation.Parse(text).Views(pipeline);

            Assert.Equal(count, views.Count);
            var seen = views.Select(view => Values(view, picture)).ToList();
            Assert.All(seen, values => Assert.Equal(3 * 28 * 28, values.Length));
            Assert.Equal(count, seen.Select(values => string.Join(' ', values)).Distinct().Count());
        }
    }

    [Fact]
    public void A_flip_is_the_picture_and_its_mirror_image()
    {
        using var picture = Picture(36, 36);

        var views = TestTimeAugmentation.Parse("flip").Views(s_cut);

        var (own, mirrored) = (Values(views[0], picture), Values(views[1], picture));
        Assert.Equal(Values(s_cut, picture), own);
        Assert.Equal(own.Chunk(28).SelectMany(row => row.Reverse()), mirrored);
    }

    [Fact]
    public void Crops_are_cut_from_the_margin_that_the_pipeline_leaves_or_from_one_that_is_made()
    {
        Assert.Equal(new Resize(36), TestTimeAugmentation.Parse("five-crop").Views(s_cut)[0].Transforms[0]);
        Assert.Equal(new Resize(32, 32), TestTimeAugmentation.Parse("five-crop").Views(s_squashed)[0].Transforms[0]);
        using var picture = Picture(36, 36);
        Assert.Equal(Values(s_cut, picture), Values(TestTimeAugmentation.Parse("five-crop").Views(s_cut)[4], picture));
    }

    [Fact]
    public void Logits_of_all_views_are_averaged_also_beyond_a_batch()
    {
        using var model = ImageClassifier.Create("vit-nano", ["beagle", "boxer", "pug"], 32, seed: 3);
        using var picture = Picture(40, 50);
        var pipeline = model.Processor.ToPipeline();
        var augmentation = TestTimeAugmentation.Parse("flip+scales");
        var logits = augmentation.Views(pipeline).Select(view => Logits(new PicturePredictor(model.Network, view, options: new() { Function = ScoreFunction.None }), picture)).ToList();
        var expected = Enumerable.Range(0, 3).Select(i => logits.Average(l => l[i])).ToArray();

        foreach (var batch in new[] { 1, 4, 32 })
        {
            var options = new PicturePredictorOptions { Augmentation = augmentation, Function = ScoreFunction.None, BatchSize = batch };
            var actual = Logits(new PicturePredictor(model.Network, pipeline, options: options), picture);

            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        }
    }

    [Theory]
    [InlineData("flop", "Test-time augmentation 'flop' is invalid at 'flop': " + Known + " Did you mean 'flip'?")]
    [InlineData("flip+flip", "Test-time augmentation 'flip+flip' is invalid at 'flip': " + Known)]
    [InlineData("flip=2", "Test-time augmentation 'flip=2' is invalid at 'flip=2': " + Known)]
    [InlineData("scales=1:0.5", "Test-time augmentation 'scales=1:0.5' is invalid at '0.5': the factors of scales are numbers from 1 to 4, as in scales=1:1.5.")]
    [InlineData("scales=", "Test-time augmentation 'scales=' is invalid at '': the factors of scales are numbers from 1 to 4, as in scales=1:1.5.")]
    public void What_is_unknown_is_named(string text, string message)
    {
        var error = Assert.Throws<FormatException>(() => TestTimeAugmentation.Parse(text));

        Assert.StartsWith(message.Split(" Did")[0], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pipeline_without_a_leading_resize_can_only_be_mirrored()
    {
        var pipeline = new Compose(new CenterCrop(8), new ToDtype(Scale: true));

        Assert.Equal(2, TestTimeAugmentation.Parse("flip").Views(pipeline).Count);
        var error = Assert.Throws<ArgumentException>(() => TestTimeAugmentation.Parse("five-crop").Views(pipeline));
        Assert.Equal($"'five-crop' needs a pipeline that begins with a Resize and ends in one size, and the model's is {pipeline}; take flip. (Parameter 'pipeline')", error.Message);
    }

    private static float[] Values(Compose view, Image picture)
    {
        using var tensor = view.Run(picture, new Rng(0));
        return tensor.Values.ToArray();
    }

    private static float[] Logits(PicturePredictor predictor, Image picture) => [.. predictor.Predict(picture).OrderBy(p => p.Index).Select(p => p.Score)];

    private static Image Picture(int width, int height)
    {
        var image = new Image(width, height);
        for (var i = 0; i < image.Pixels.Length; i++)
        {
            image.Pixels[i] = (byte)(i * 31 + i * i % 97);
        }

        return image;
    }
}
