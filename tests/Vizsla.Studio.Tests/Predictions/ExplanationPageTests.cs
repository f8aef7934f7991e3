using System.Net;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Predictions;

public sealed class ExplanationPageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_picture_under_the_map_is_the_library_s_own()
    {
        var model = SmallModel.Save(_folder["pets"]);
        await using var server = await RunningServer.StudioAsync(new StudioOptions { Models = [model] });
        using var classifier = ImageClassifier.FromPretrained(model);
        var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline());
        using var sample = ImageCodec.Decode(await server.Client.GetByteArrayAsync("/_content/Vizsla.Studio/sample.jpg"));

        var answer = await server.Client.GetByteArrayAsync("/predict/looked?model=pets&picture=sample");

        using var seen = predictor.Seen(sample);
        using var expected = predictor.Explain(sample).Heat.Over(seen, 1);
        using var memory = new MemoryStream();
        ImageCodec.SaveJpeg(expected, memory, 90);
        Assert.Equal(memory.ToArray(), answer);
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
}
