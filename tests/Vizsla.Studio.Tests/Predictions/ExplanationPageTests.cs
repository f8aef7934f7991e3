using System.Net;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Studio.Predictions;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Predictions;

public sealed class ExplanationPageTests : IDisposable
{
    // Large enough that the last channels of a ResNet are planes, not points.
    private const int ImageSize = 128;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("vit-tiny", null)]
    [InlineData("vit-tiny", 4)]
    [InlineData("resnet18", null)]
    [InlineData("resnet18", 0)]
    [InlineData("resnet18", 5)]
    public async Task The_picture_under_the_map_of_a_class_is_the_library_s_own(string architecture, int? label)
    {
        var model = SmallModel.Save(_folder["pets"], architecture, ImageSize);
        await using var server = await RunningServer.StudioAsync(new StudioOptions { Models = [model] });
        using var sample = ImageCodec.Decode(await server.Client.GetByteArrayAsync("/_content/Vizsla.Studio/sample.jpg"));

        var answer = await server.Client.GetByteArrayAsync(PredictionRoom.LookedAddress("pets", "sample", label));

        Assert.Equal(Expected(model, sample, label), answer);
    }

    [Fact]
    public async Task Classes_have_maps_of_their_own_with_Grad_CAM()
    {
        var model = SmallModel.Save(_folder["pets"], "resnet18", ImageSize);
        await using var server = await RunningServer.StudioAsync(new StudioOptions { Models = [model] });

        var maps = await Task.WhenAll(Enumerable.Range(0, SmallModel.Labels.Count).Select(i => server.Client.GetByteArrayAsync(PredictionRoom.LookedAddress("pets", "sample", i))));

        Assert.True(maps.Select(Convert.ToHexString).Distinct().Count() > 1, "all classes have the same map");
    }

    [Theory]
    [InlineData("label=6", HttpStatusCode.BadRequest, "'label' must be 0 to 5, got 6.")]
    [InlineData("label=-1", HttpStatusCode.BadRequest, "'label' must be 0 to 5, got -1.")]
    public async Task A_class_that_is_not_there_is_refused(string query, HttpStatusCode status, string message)
    {
        await using var server = await RunningServer.StudioAsync(new StudioOptions { Models = [SmallModel.Save(_folder["pets"])] });

        using var answer = await server.Client.GetAsync($"/predict/looked?model=pets&picture=sample&{query}");

        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(message, WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Unescape(await answer.Content.ReadAsStringAsync())), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exported_file_shows_what_it_sees_and_does_not_tell_where_it_looked()
    {
        var model = SmallModel.Save(_folder["pets"], "resnet18");
        using var network = ImageClassifier.FromPretrained(model);
        network.ExportOnnx(Path.Combine(model, "onnx"));
        await using var onnx = await RunningServer.StudioAsync(new StudioOptions { Models = [model], Engine = InferenceEngine.Onnx });
        await using var torch = await RunningServer.StudioAsync(new StudioOptions { Models = [model] });

        var seen = await onnx.Client.GetByteArrayAsync(PredictionRoom.SeenAddress("pets", "sample"));
        using var looked = await onnx.Client.GetAsync(PredictionRoom.LookedAddress("pets", "sample", null));

        Assert.Equal(await torch.Client.GetByteArrayAsync(PredictionRoom.SeenAddress("pets", "sample")), seen);
        Assert.Equal(HttpStatusCode.NotFound, looked.StatusCode);
        Assert.Contains("The model 'pets' does not tell where it looked.", WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Unescape(await looked.Content.ReadAsStringAsync())), StringComparison.Ordinal);
        (await torch.Client.GetAsync(PredictionRoom.LookedAddress("pets", "sample", null))).EnsureSuccessStatusCode();
    }

    private static byte[] Expected(string model, Image image, int? label)
    {
        using var classifier = ImageClassifier.FromPretrained(model);
        var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline());
        using var seen = predictor.Seen(image);
        using var over = predictor.Explain(image, label).Heat.Over(seen, 1);
        using var memory = new MemoryStream();
        ImageCodec.SaveJpeg(over, memory, 90);
        return memory.ToArray();
    }
}
