using System.Text.Json.Nodes;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Primitives;
using Vizsla.Studio.Predictions;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Predictions;

public sealed class ClassifierServiceTests : IDisposable
{
    private const float Tolerance = 1e-6f;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData("flip+scales")]
    public async Task The_service_answers_as_the_library_does(string? views)
    {
        var model = SmallModel.Save(_folder["model"]);
        var augmentation = views is null ? null : TestTimeAugmentation.Parse(views);
        await using var server = await RunningServer.ServeAsync(ClassifierModel.Open(model, augmentation: augmentation), o => (o.MaxBatch, o.MaxDelay) = (4, TimeSpan.FromMilliseconds(20)));
        using var classifier = ImageClassifier.FromPretrained(model);
        var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline(), options: new() { Augmentation = augmentation });
        var photos = AnimalPainter.Classes.Select(animal => (Animal: animal, Bytes: Painted(animal))).ToList();

        var answers = await Task.WhenAll(photos.Select(async p => JsonNode.Parse(
            await (await server.Client.PostAsync("/models/colors", new ByteArrayContent(p.Bytes))).Content.ReadAsStringAsync())!.AsArray()));

        foreach (var (photo, answer) in photos.Zip(answers))
        {
            using var image = ImageCodec.Decode(photo.Bytes);
            var expected = predictor.Predict(image);
            Assert.Equal(expected.Select(e => e.Label), answer.Select(a => a!["label"]!.GetValue<string>()));
            Assert.All(expected.Zip(answer), pair => Assert.Equal(pair.First.Score, pair.Second!["score"]!.GetValue<float>(), Tolerance));
        }
    }

    private static byte[] Painted(string animal)
    {
        using var image = AnimalPainter.Paint(animal, 64, new Rng(5));
        using var memory = new MemoryStream();
        ImageCodec.SavePng(image, memory);
        return memory.ToArray();
    }
}
