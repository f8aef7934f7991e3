using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Tests.Transforms;

public sealed class ImageProcessorTests
{
    [Fact]
    public void A_feature_extractor_of_old_is_read()
    {
        var processor = Read("""{"feature_extractor_type": "ConvNextFeatureExtractor", "size": 224, "resample": "bicubic", "crop_pct": 0.875}""");

        Assert.Equal("ConvNextImageProcessor", processor.ImageProcessorType);
        Assert.Equal(new ImageSize(224), processor.Size);
        Assert.Equal("[new Resize(256, Interpolation.Bicubic), new ProcessorCenterCrop(224)]", PipelineText.ToCSharp(processor.ToPipeline().Transforms.Take(2)));
    }

    [Fact]
    public void A_fast_processor_with_nulls_is_read_and_written_without_them()
    {
        var processor = Read("""
            {"image_processor_type": "ViTImageProcessorFast", "size": {"height": 64, "width": 48}, "crop_size": null, "do_center_crop": null,
             "data_format": "channels_first", "device": null, "note": "kept"}
            """);

        var written = processor.ToJson();

        Assert.Equal(new ImageSize(64, 48), processor.Size);
        Assert.False(written.ContainsKey("data_format") || written.ContainsKey("crop_size"));
        Assert.Equal("kept", written["note"]!.GetValue<string>());
        Assert.Equal(processor, ImageProcessor.FromJson(written));
    }

    [Fact]
    public void An_unknown_processor_is_refused_with_the_nearest_name() =>
        Assert.EndsWith("Did you mean 'ViTImageProcessor'?", Assert.Throws<InvalidDataException>(() => Read("""{"image_processor_type": "ViTImageProcesor"}""")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_key_that_cannot_be_is_named() => Assert.Equal(
        "'preprocessor_config.json': size is {\"longest_edge\": 5}, expected {\"height\": h, \"width\": w}, {\"shortest_edge\": n} or a number of pixels, 1 to 8192.",
        Assert.Throws<InvalidDataException>(() => Read("""{"image_processor_type": "ViTImageProcessor", "size": {"longest_edge": 5}}""")).Message);

    [Fact]
    public void A_timm_configuration_is_its_evaluation_pipeline()
    {
        var cfg = """{"input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.9, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}""";

        var pipeline = ImageProcessor.FromTimm((JsonObject)JsonNode.Parse(cfg)!).ToPipeline();

        Assert.Equal(
            new Compose(new Resize(248, Interpolation.Bicubic), new CenterCrop((224, 224)), new ToTensor(), new Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])),
            pipeline);
    }

    [Fact]
    public void A_nested_processor_comes_before_the_plain_file()
    {
        var folder = Directory.CreateTempSubdirectory("vizsla-processor-");
        try
        {
            new ImageProcessor { Size = (32, 32) }.Save(folder.FullName);
            File.WriteAllText(
                Path.Combine(folder.FullName, "processor_config.json"),
                """{"image_processor": {"image_processor_type": "DeiTImageProcessor", "size": {"height": 40, "width": 40}}}""");

            var processor = ImageProcessor.FromPretrained(folder.FullName);

            Assert.Equal(("DeiTImageProcessor", new ImageSize(40, 40)), (processor.ImageProcessorType, processor.Size));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static ImageProcessor Read(string json) => ImageProcessor.FromJson((JsonObject)JsonNode.Parse(json)!);

    [Theory]
    [InlineData("size", "1000000", "'preprocessor_config.json': size is 1000000, expected {\"height\": h, \"width\": w}, {\"shortest_edge\": n} or a number of pixels, 1 to 8192.")]
    [InlineData("image_mean", "[0.5, 0.5]", "'preprocessor_config.json': image_mean is [0.5, 0.5], expected one number or three.")]
    [InlineData("image_std", "[1, 0, 1]", "'preprocessor_config.json': image_std is [1.0, 0.0, 1.0], expected one number or three, none of them 0.")]
    [InlineData("resample", "1e300", null)]
    public void Values_that_no_model_has_are_refused_before_memory_is_taken(string key, string value, string? message)
    {
        var error = Assert.Throws<InvalidDataException>(() => Read($$"""{"image_processor_type": "ViTImageProcessor", "{{key}}": {{value}}}"""));

        if (message is not null)
        {
            Assert.Equal(message, error.Message);
        }
    }

    [Fact]
    public void Whatever_a_file_says_a_processor_runs_or_is_refused_with_a_sentence()
    {
        string[] keys = ["size", "crop_size", "crop_pct", "resample", "rescale_factor", "image_mean", "image_std", "do_resize", "do_center_crop", "do_normalize", "do_rescale", "rescale_offset", "do_pad", "include_top"];
        string[] values =
        [
            "0", "1", "-1", "16", "0.5", "1e300", "-1e300", "true", "false", "null", "\"x\"", "[]", "[1]", "[0.5, 0.5, 0.5]", "[0, 0, 0]", "[null]", "{}", "[16, 16]", "NaN", "Infinity",
            "{\"height\": 16, \"width\": 8}", "{\"shortest_edge\": 16}", "{\"height\": 0, \"width\": 8}", "{\"shortest_edge\": 16, \"longest_edge\": 20}", "9007199254740993", "99999999999999999999",
        ];
        string[] families = ["ViTImageProcessor", "ConvNextImageProcessor", "EfficientNetImageProcessor", "BitImageProcessor", "MobileNetV2ImageProcessor", "CLIPImageProcessor"];
        var rng = new Rng(5);
        using var image = new Image(9, 7);
        image.Pixels.Clear();

        for (var round = 0; round < 3000; round++)
        {
            var fields = Enumerable.Range(0, rng.NextInt32(1, 5)).Select(_ => keys[rng.NextInt32(0, keys.Length)]).Distinct().Select(k => $"\"{k}\": {values[rng.NextInt32(0, values.Length)]}");
            var json = $$"""{"image_processor_type": "{{families[round % families.Length]}}", {{string.Join(", ", fields)}}}""";
            try
            {
                var processor = ImageProcessor.FromJson((System.Text.Json.Nodes.JsonObject)PythonJson.Parse(json)!);
                if (processor is { DoRescale: true, Size.Height: < 100 })
                {
                    processor.Process(image).Dispose();
                }
            }
            catch (Exception e) when (e is InvalidDataException or ImageFormatException)
            {
                // Any other exception fails.
            }
        }
    }
}
