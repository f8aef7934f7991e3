using System.Net;
using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Studio.Pictures;
using Vizsla.Studio.Transforms;
using Vizsla.Transforms;

namespace Vizsla.Studio.Tests.Transforms;

public sealed class TransformPictureTests
{
    public static TheoryData<string> Names => [.. TransformList.All.Where(info => info.Group != TransformGroup.Batch && info.Type != typeof(Compose)).Select(info => info.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Every_transform_of_the_list_can_be_shown_and_its_code_makes_it_again(string name)
    {
        var info = TransformList.Find(name)!;
        using var image = Scene();
        var step = PipelineEdit.NewStep(info);
        JsonNode[] before = typeof(TensorTransform).IsAssignableFrom(info.Type) ? [nameof(ToTensor)] : [];
        var built = Pipeline.FromJson(new JsonArray([.. before, step]));

        using var picture = TransformRender.Draw(built.Transforms, image, 13);

        Assert.True(picture.Width > 0 && picture.Height > 0);
        var transform = built.Transforms[^1];
        var again = Pipeline.FromJson(new JsonArray([.. before.Select(b => b.DeepClone()), JsonNode.Parse(TransformCode.Write("JSON", transform))]));
        Assert.Equal(transform, again.Transforms[^1]);
        Assert.StartsWith($"new {name}", TransformCode.Write("C#", transform), StringComparison.Ordinal);
        Assert.NotEmpty(TransformCode.Write("Python", transform));
    }

    [Fact]
    public async Task The_picture_of_an_address_is_the_library_s_own_result()
    {
        const string pipeline = """[{"transform":"RandomRotation","degrees":[-40,40]},{"transform":"ColorJitter","hue":0.3}]""";
        await using var server = await RunningServer.StudioAsync(new StudioOptions());

        var served = await server.Client.GetByteArrayAsync(TransformEndpoints.Address(PictureStore.Sample, pipeline, 7));

        using var sample = ImageCodec.Decode(await server.Client.GetByteArrayAsync("/_content/Vizsla.Studio/sample.jpg"));
        using var expected = Pipeline.FromJson(pipeline).Apply(sample, new Rng(7));
        Assert.Equal(BmpWriter.Write(expected), served);
        using var decoded = ImageCodec.Decode(served);
        Assert.True(expected.Pixels.SequenceEqual(decoded.Pixels));
    }

    [Theory]
    [InlineData("""[{"transform":"Resize","size":[9000,9000]}]""", "Resize would make a picture of 81 million pixels; the studio shows up to 24 million.")]
    [InlineData("""[{"transform":"RandomPosterize","bits":9}]""", null)]
    [InlineData("nonsense", null)]
    public async Task A_pipeline_that_cannot_be_shown_is_refused_in_a_sentence(string pipeline, string? message)
    {
        await using var server = await RunningServer.StudioAsync(new StudioOptions());

        var response = await server.Client.GetAsync(TransformEndpoints.Address(PictureStore.Sample, pipeline, 7));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!.GetValue<string>();
        Assert.True(message is null ? error.Length > 10 : error == message, error);
    }

    private static Image Scene()
    {
        var image = new Image(300, 260);
        for (var i = 0; i < image.Pixels.Length; i++)
        {
            image.Pixels[i] = (byte)((i * 7) + (i / 900));
        }

        return image;
    }
}
