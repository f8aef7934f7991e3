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
        Assert.StartsWith($"new {info.Type.Name}", TransformCode.Write("C#", transform), StringComparison.Ordinal);
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
        using var written = BmpWriter.Write(expected);
        Assert.True(written.Span.SequenceEqual(served));
        using var decoded = ImageCodec.Decode(served);
        Assert.True(expected.Pixels.SequenceEqual(decoded.Pixels));
    }

    [Fact]
    public void Several_crops_stand_on_a_sheet_in_their_order()
    {
        using var image = Scene();
        var transform = new FiveCrop((60, 40));

        using var sheet = TransformRender.Draw([transform], image, 1);

        Assert.Equal(((3 * 40) + (2 * 8), (2 * 60) + 8), (sheet.Width, sheet.Height));
        var crops = transform.Apply(image);
        for (var i = 0; i < crops.Count; i++)
        {
            for (var y = 0; y < 60; y++)
            {
                Assert.True(crops[i].Row(y).SequenceEqual(sheet.Row((i / 3 * 68) + y).Slice(3 * (i % 3 * 48), 3 * 40)), $"crop {i}, row {y}");
            }

            crops[i].Dispose();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(16)]
    [InlineData(33)]
    public void A_picture_of_any_width_comes_back_from_its_file(int width)
    {
        using var scene = Scene();
        using var image = new RandomCrop((7, width)).Apply(scene, new Rng(1));

        using var file = BmpWriter.Write(image);

        using var decoded = ImageCodec.Decode(file.Memory.ToArray());
        Assert.True(image.Pixels.SequenceEqual(decoded.Pixels));
    }

    [Fact]
    public async Task Each_of_several_crops_has_an_address()
    {
        const string pipeline = """[{"transform":"FiveCrop","size":[100,80]}]""";
        await using var server = await RunningServer.StudioAsync(new StudioOptions());
        using var sample = ImageCodec.Decode(await server.Client.GetByteArrayAsync("/_content/Vizsla.Studio/sample.jpg"));
        var crops = new FiveCrop((100, 80)).Apply(sample);

        for (var i = 0; i < crops.Count; i++)
        {
            using var served = ImageCodec.Decode(await server.Client.GetByteArrayAsync(TransformEndpoints.Address(PictureStore.Sample, pipeline, 7, crop: i)));
            Assert.True(crops[i].Pixels.SequenceEqual(served.Pixels));
            crops[i].Dispose();
        }

        using var absent = await server.Client.GetAsync(TransformEndpoints.Address(PictureStore.Sample, pipeline, 7, crop: 5));
        Assert.Equal("""{"error":"'crop' must be 0 to 4, got 5."}""", await absent.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("""[{"transform":"FiveCrop","size":[9,2000]}]""", "FiveCrop cuts out 9x2000 (height x width), and the picture has 750x1000; resize it first.")]
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
