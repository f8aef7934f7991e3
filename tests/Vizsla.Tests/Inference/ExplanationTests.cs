using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Models;
using Vizsla.Primitives;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Tests.Inference;

public sealed class ExplanationTests
{
    private const double Near = 1e-5;

    [Fact]
    public void Rollout_follows_attention_and_shortcuts_back_to_the_patches()
    {
        using var scope = NewDisposeScope();
        // A class token and four patches. First the third patch attends to the first one, then the class token to the third patch.
        var first = Attending((3, 1));
        var second = Attending((0, 3));

        var heat = AttentionRollout.Compute([first, second], new TokenMap(2, 2, 1));

        // The class token keeps a half; of the half from the third patch a half had come from the first one.
        Assert.Equal([0.25f, 0, 0.25f, 0], heat.Values.ToArray());
    }

    [Fact]
    public void Rollout_takes_the_heads_in_equal_parts()
    {
        using var scope = NewDisposeScope();
        var heads = cat([Attending((0, 1)), Attending((0, 2))], 1);                               // [1, 2, 5, 5]

        var heat = AttentionRollout.Compute([heads], new TokenMap(2, 2, 1));

        Assert.Equal([0.25f, 0.25f, 0, 0], heat.Values.ToArray());
    }

    [Fact]
    public void Where_the_head_reads_the_mean_of_the_patches_so_does_the_rollout()
    {
        using var scope = NewDisposeScope();

        var heat = AttentionRollout.Compute([Attending((1, 4), (2, 4), (3, 4))], new TokenMap(2, 2, 0));

        Assert.Equal([0.125f, 0.125f, 0.125f, 0.625f], heat.Values.ToArray());
    }

    [Fact]
    public void Grad_cam_of_a_mean_and_a_linear_head_is_the_weighted_plane()
    {
        using var classifier = ImageClassifier.Create("resnet18", ["cat", "dog", "fox"], seed: 5);
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var pixels = randn([1, 3, 96, 96], generator: generator);

        var (_, index, heat, method) = Explainer.Explain(classifier.Network, pixels, 1);

        using var mode = no_grad();
        using var trace = new NetworkTrace(withPlane: true);
        using var features = classifier.Network.Features(pixels, trace);
        var weights = classifier.Network.State().Single(s => s.Name == "fc.weight").Value.select(0, 1);           // [C]
        var expected = nn.functional.relu(einsum("c,bcrs->brs", weights, trace.Plane!)).flatten().data<float>().ToArray();
        Assert.Equal((1, ExplanationMethod.GradCam, 3, 3), (index, method, heat.Height, heat.Width));
        Assert.True(expected.Max() > 0);
        for (var place = 0; place < expected.Length; place++)
        {
            Assert.Equal(expected[place] / 9, heat.Values[place], Near * expected.Max());
        }
    }

    [Theory]
    [InlineData("vit-nano", ExplanationMethod.AttentionRollout)]
    [InlineData("resnet18", ExplanationMethod.GradCam)]
    public void An_explanation_names_the_predicted_class_and_leaves_nothing_behind(string variant, ExplanationMethod method)
    {
        using var classifier = ImageClassifier.Create(variant, ["cat", "dog", "fox"], imageSize: variant == "vit-nano" ? 64 : null, seed: 2);
        using var picture = Dotted();
        var expected = classifier.Predict(picture)[0];
        var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline());

        PictureExplanation explanation;
        using (new NoTensorLeaks())
        {
            explanation = predictor.Explain(picture);
        }

        Assert.Equal(method, explanation.Method);
        Assert.Equal(expected.Label, explanation.Prediction.Label);
        Assert.Equal(expected.Score, explanation.Prediction.Score, Near);
        Assert.All(classifier.Network.parameters(), p => Assert.Null(p.grad));
    }

    [Fact]
    public void Frozen_weights_are_explained_too()
    {
        using var classifier = ImageClassifier.Create("resnet18", ["cat", "dog", "fox"], seed: 2);
        using var picture = Dotted();
        var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline());
        var before = predictor.Explain(picture, 2);

        foreach (var parameter in classifier.Network.parameters())
        {
            parameter.requires_grad = false;
        }

        Assert.Equal(before.Heat.Values.ToArray(), predictor.Explain(picture, 2).Heat.Values.ToArray());
    }

    [Fact]
    public void Grad_cam_of_another_class_is_another_map()
    {
        using var classifier = ImageClassifier.Create("resnet18", ["cat", "dog", "fox"], seed: 2);
        using var picture = Dotted();
        var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline());

        var (cat, dog) = (predictor.Explain(picture, 0), predictor.Explain(picture, 1));

        Assert.Equal(("cat", "dog"), (cat.Prediction.Label, dog.Prediction.Label));
        Assert.NotEqual(cat.Heat.Values.ToArray(), dog.Heat.Values.ToArray());
    }

    [Fact]
    public void A_class_that_is_not_there_is_refused()
    {
        using var classifier = ImageClassifier.Create("vit-nano", ["cat", "dog"], seed: 2);
        using var picture = Dotted();
        var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline());

        var error = Assert.Throws<ArgumentOutOfRangeException>(() => predictor.Explain(picture, 2));

        Assert.StartsWith("The model has 2 classes, numbered from 0.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_map_colours_what_is_hot_and_leaves_what_is_cold()
    {
        using var gray = new Image(4, 2);
        gray.Pixels.Fill(100);
        var heat = new HeatMap(1, 2, [3, 7]);

        using var full = heat.Over(gray, 1);
        using var half = heat.Over(gray, 0.5);
        using var none = heat.Over(gray, 0);

        Assert.Equal([100, 100, 100], full.Row(0)[..3].ToArray());
        Assert.Equal([255, 236, 120], full.Row(1)[9..].ToArray());
        Assert.Equal([178, 168, 110], half.Row(0)[9..].ToArray());
        Assert.True(none.Pixels.SequenceEqual(gray.Pixels));
    }

    [Fact]
    public void An_even_map_changes_nothing()
    {
        using var gray = new Image(3, 3);
        gray.Pixels.Fill(9);

        using var over = new HeatMap(2, 2, [5, 5, 5, 5]).Over(gray);

        Assert.True(over.Pixels.SequenceEqual(gray.Pixels));
    }

    [Fact]
    public void Values_that_do_not_fill_the_map_are_refused() =>
        Assert.StartsWith(
            "A 2x2 heat map has 4 values, got 3.", Assert.Throws<ArgumentException>(() => new HeatMap(2, 2, [1, 2, 3])).Message, StringComparison.Ordinal);

    [Fact]
    public void A_sheet_with_an_explainer_shows_a_second_picture_with_the_map()
    {
        using var folder = new Vizsla.Testing.TemporaryFolder();
        using var picture = Dotted();
        var file = folder["dots.png"];
        ImageCodec.SavePng(picture, file);
        using var classifier = ImageClassifier.Create("vit-nano", ["cat", "dog"], seed: 2);
        var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline());
        var answers = predictor.Predict([file]).ToList();

        using var plain = PredictionSheet.Draw(answers, cell: 64);
        using var explained = PredictionSheet.Draw(answers, cell: 64, predictor);

        Assert.Equal((plain.Width + 64 + 12, plain.Height), (explained.Width, explained.Height));
        using var expected = predictor.Explain(picture).Heat.Over(predictor.Seen(picture));
        Assert.Equal(expected.Row(10)[..(3 * 64)].ToArray(), explained.Row(12 + 22 + 10).Slice(3 * (12 + 64 + 12), 3 * 64).ToArray());
    }

    /// <summary>An attention of one head over five tokens, each to itself but for those given.</summary>
    private static Tensor Attending(params (int From, int To)[] others)
    {
        var rows = new float[25];
        for (var token = 0; token < 5; token++)
        {
            rows[(5 * token) + others.Where(o => o.From == token).Select(o => o.To).FirstOrDefault(token)] = 1;
        }

        return tensor(rows, [1, 1, 5, 5]);
    }

    /// <summary>Coloured noise.</summary>
    private static Image Dotted()
    {
        var rng = new Rng(4);
        var image = new Image(64, 64);
        foreach (ref var value in image.Pixels)
        {
            value = (byte)rng.NextUInt32();
        }

        return image;
    }
}
