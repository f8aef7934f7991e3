using Vizsla.Imaging;
using Vizsla.Models.Weights;
using Vizsla.Testing;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

/// <content>A network with real weights on real photos.</content>
public sealed partial class CnnGoldenTests
{
    // golden/README.md: 1e-3 for the real network.
    private const double NearPhoto = 1e-3;

    [Fact]
    public void Pixels_features_and_logits_of_photos_are_those_of_timm()
    {
        using var scope = NewDisposeScope();
        var files = Read(Golden.Require("cnn", "lite0.json"))["files"]!.AsArray().Select(f => Photo((string)f!)).ToList();
        using var numbers = SafetensorsFile.Open(Golden.Require("cnn", "lite0.safetensors"));
        using var classifier = ImageClassifier.FromPretrained(Golden.RequireData("weights", "tf_efficientnet_lite0"));
        var expected = numbers.Read("pixel_values");

        using var mode = no_grad();
        var pixels = stack([.. files.Take((int)expected.shape[0]).Select(f => Prepared(classifier, f))]);
        var features = classifier.Network.Features(pixels);
        var logits = classifier.Network.Head(features);

        AssertNear("pixel_values", expected, pixels, 1e-6);
        AssertNear("features", numbers.Read("features"), features, NearPhoto);
        AssertNear("logits", numbers.Read("logits"), logits, NearPhoto);
    }

    [Fact]
    public void The_five_likeliest_classes_of_every_photo_are_those_of_timm()
    {
        var recorded = Read(Golden.Require("cnn", "lite0.json"));
        var files = recorded["files"]!.AsArray().Select(f => Photo((string)f!)).ToList();
        using var classifier = ImageClassifier.FromPretrained(Golden.RequireData("weights", "tf_efficientnet_lite0"));

        var answers = classifier.Predict(files).ToList();

        Assert.Equal(files, answers.Select(a => a.File));
        for (var i = 0; i < answers.Count; i++)
        {
            var classes = recorded["top_5"]![i]!.AsArray().Select(n => (int)n!).ToList();
            var probabilities = recorded["top_5_probabilities"]![i]!.AsArray().Select(n => (double)n!).ToList();
            for (var rank = 0; rank < classes.Count; rank++)
            {
                var answer = answers[i].Predictions[rank];
                Assert.Equal(probabilities[rank], answer.Score, NearPhoto);

                // Ties aside: another class may stand here only where its probability is as near.
                var place = classes.IndexOf(answer.Index);
                Assert.True(
                    answer.Index == classes[rank] || Math.Abs(probabilities[place < 0 ? ^1 : place] - probabilities[rank]) <= NearPhoto,
                    $"{files[i]}: class {answer.Index} at rank {rank}, expected {classes[rank]}");
            }
        }
    }

    private static string Photo(string name) => Golden.RequireData("kaggle-dogs", "images", name + ".jpg");

    private static Tensor Prepared(ImageClassifier classifier, string path)
    {
        using var image = ImageCodec.Load(path);
        using var values = classifier.Processor.Process(image);
        return tensor(values.Values.ToArray(), [values.Channels, values.Height, values.Width]);
    }

    private static void AssertNear(string name, Tensor expected, Tensor actual, double near)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = (expected - actual).abs().max().item<float>();
        var allowed = near * Math.Max(1, expected.abs().max().item<float>());
        Assert.True(difference <= allowed, $"{name}: differs by {difference}, allowed {allowed}");
    }
}
