using System.Text.Json.Nodes;
using Vizsla.Imaging;
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
        "'preprocessor_config.json': size is {\"longest_edge\": 5}, expected {\"height\": h, \"width\": w}, {\"shortest_edge\": n} or a number of pixels.",
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
}
