using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Testing;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

/// <summary>Checkpoints as users have them: without a head, with prefixes of other tools, without a processor, with invalid numbers.</summary>
[Collection(nameof(RunAlone))]
public sealed class ModelLoadingTests
{
    private const string Tiny = """{"model_type":"vit","architectures":["ViTForImageClassification"],"hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":16,"image_size":16,"patch_size":8}""";

    [Fact]
    public void A_checkpoint_without_a_classifier_does_not_answer()
    {
        using var folder = Encoder();

        var error = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromPretrained(folder.Path));

        Assert.Equal(
            $"'{folder.Path}' has no classifier, only an encoder, whose answers would be random. Train one on classes of your own, or take a checkpoint that was trained to classify.",
            error.Message);
    }

    [Fact]
    public void A_checkpoint_without_a_classifier_gets_one_for_classes_of_its_own()
    {
        using var folder = Encoder();

        using var classifier = ImageClassifier.FromPretrained(folder.Path, ["cat", "dog", "vizsla"], seed: 1);

        Assert.Equal(["classifier.bias", "classifier.weight"], classifier.LoadReport!.Missing.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_checkpoint_without_a_classifier_gives_features_and_still_does_not_answer()
    {
        using var folder = Encoder();
        using var whole = Whole(name => name);
        using var photo = new Image(16, 16);

        using var encoder = ImageClassifier.FromEncoder(folder.Path);
        using var classifier = ImageClassifier.FromEncoder(whole.Path);

        Assert.Equal(classifier.Embed(photo), encoder.Embed(photo));
        Assert.Equal(2, classifier.Predict(photo).Count);
        Assert.Equal(
            $"'{folder.Path}' has no classifier, only an encoder, whose answers would be random. Train one on classes of your own, or take a checkpoint that was trained to classify.",
            Assert.Throws<ModelLoadException>(() => encoder.Predict(photo)).Message);
    }

    [Fact]
    public void The_encoder_of_a_masked_autoencoder_becomes_a_vit()
    {
        using var folder = Encoder();
        var path = Path.Combine(folder.Path, "config.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"model_type\": \"vit\"", "\"model_type\": \"vit_mae\"", StringComparison.Ordinal));

        using var classifier = ImageClassifier.FromPretrained(folder.Path, ["cat", "dog"], seed: 1);
        using var saved = new TemporaryFolder();
        classifier.Save(saved.Path);

        Assert.Equal("vit", ModelConfiguration.Load(saved.Path).ModelType);
        Assert.Equal(["ViTForImageClassification"], ModelConfiguration.Load(saved.Path).Architectures);
    }

    [Theory]
    [InlineData("_orig_mod.")]
    [InlineData("module.")]
    [InlineData("module._orig_mod.")]
    public void Prefixes_of_torch_compile_and_parallel_training_are_stripped(string prefix)
    {
        using var folder = Whole(name => prefix + name);

        using var classifier = ImageClassifier.FromPretrained(folder.Path);

        Assert.True(classifier.LoadReport!.IsClean, classifier.LoadReport.Message);
    }

    [Theory]
    [InlineData("dinov3-vit", "model.layer.", "layer.")]
    [InlineData("dinov3-convnext", "model.stages.", "stages.")]
    public void Names_of_DINOv3_in_transformers_4_are_read_and_kept(string checkpoint, string five, string four)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var source = VitGoldenTests.Folder(checkpoint);
        File.Copy(Path.Combine(source, "config.json"), Path.Combine(folder.Path, "config.json"));
        File.Copy(Path.Combine(source, "preprocessor_config.json"), Path.Combine(folder.Path, "preprocessor_config.json"));
        using var weights = SafetensorsFile.Open(Path.Combine(source, "model.safetensors"));
        var renamed = weights.Tensors.ToDictionary(t => t.Name.StartsWith(five, StringComparison.Ordinal) ? four + t.Name[five.Length..] : t.Name, t => weights.Read(t.Name));
        SafetensorsFile.Write(Path.Combine(folder.Path, "model.safetensors"), renamed);

        using var classifier = ImageClassifier.FromPretrained(folder.Path);
        using var saved = new TemporaryFolder();
        classifier.Save(saved.Path);

        Assert.True(classifier.LoadReport!.IsClean, classifier.LoadReport.Message);
        using var again = SafetensorsFile.Open(Path.Combine(saved.Path, "model.safetensors"));
        Assert.Equal(renamed.Keys.Order(StringComparer.Ordinal), again.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        Assert.Contains(renamed.Keys, n => n.StartsWith(four, StringComparison.Ordinal));
    }

    [Fact]
    public void An_adapter_is_not_taken_for_a_model()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, "adapter_config.json"), "{}");

        var error = Assert.Throws<ModelLoadException>(() => ModelSummary.Of(folder.Path));

        Assert.Equal($"'{folder.Path}' holds an adapter (adapter_config.json), not a whole model; merge it into its base model first, and give that folder.", error.Message);
    }

    [Theory]
    [InlineData("dinat", "The model type 'dinat' is not supported; the nearest that is: 'swin'. Take a checkpoint of that family.")]
    [InlineData("metaclip_2", "The model type 'metaclip_2' is not supported; the nearest that is: 'clip'. Take a checkpoint of that family.")]
    public void A_family_that_is_not_built_names_the_nearest(string type, string expected)
    {
        var error = Assert.Throws<ModelLoadException>(() => Architectures.Build(ModelConfiguration.Parse($$"""{"model_type":"{{type}}"}""")));

        Assert.Equal(expected, error.Message);
    }

    [Theory]
    [InlineData("vit", "hidden_size", "100000000", "a number from 1 to 65536")]
    [InlineData("vit", "hidden_size", "0", "a number from 1 to 65536")]
    [InlineData("vit", "num_hidden_layers", "100000", "a number from 0 to 1024")]
    [InlineData("vit", "num_hidden_layers", "-1", "a number from 0 to 1024")]
    [InlineData("vit", "image_size", "1000000", "a number from 1 to 16384")]
    [InlineData("vit", "patch_size", "[8, 0]", "a number from 1 to 4096")]
    [InlineData("vit", "num_channels", "-3", "a number from 1 to 1024")]
    [InlineData("vit", "hidden_dropout_prob", "1.5", "a number from 0 to 1")]
    [InlineData("vit", "layer_norm_eps", "NaN", "a number from 0 to 1")]
    [InlineData("swin", "depths", "[2, 100000]", "a number from 1 to 1024")]
    [InlineData("swin", "window_size", "0", "a number from 1 to 1024")]
    [InlineData("efficientnet", "width_coefficient", "5000.0", "a number from 1E-06 to 1000")]
    [InlineData("mobilenet_v2", "depth_multiplier", "0", "a number from 1E-06 to 1000")]
    [InlineData("textnet", "conv_layer_kernel_sizes", "[[[2, 3]], [[3, 3]], [[3, 3]], [[3, 3]]]", "pairs of odd whole numbers, height and width of each kernel")]
    [InlineData("textnet", "conv_layer_strides", "[[1, 2], [2], [2], [2]]", "one step for each kernel of conv_layer_kernel_sizes in every stage, and at least one")]
    [InlineData("pp_lcnet", "block_configs", "[[[3, 16, 32, 1, false]]]", "a list of 5 stages with at least one block each")]
    [InlineData("pp_lcnet", "scale", "0", "a number above 0")]
    [InlineData("dinov3_vit", "rope_theta", "0", "a number above 0")]
    [InlineData("dinov3_vit", "pos_embed_jitter", "0.5", "null or a number of at least 1")]
    [InlineData("donut-swin", "use_absolute_embeddings", "true", "false: no Donut has learned positions")]
    public void Numbers_that_no_checkpoint_has_are_refused_by_their_key(string type, string key, string value, string expected)
    {
        var configuration = ModelConfiguration.Parse($$"""{"model_type":"{{type}}","{{key}}":{{value}}}""");

        var error = Assert.Throws<ModelLoadException>(() => Architectures.Build(configuration));

        Assert.Equal($"'config.json': \"{key}\" is {value}, expected {expected}.", error.Message);
    }

    [Theory]
    [InlineData("""{"model_type":"convnext"}""", "ConvNextImageProcessor", 384)]
    [InlineData("""{"model_type":"convnext","image_size":224}""", "ConvNextImageProcessor", 224)]
    [InlineData("""{"model_type":"beit","image_size":224}""", "BeitImageProcessor", 224)]
    [InlineData("""{"model_type":"clip","vision_config":{"image_size":336}}""", "CLIPImageProcessor", 336)]
    [InlineData("""{"model_type":"vit","image_size":384}""", "ViTImageProcessor", 384)]
    public void Without_a_processor_pictures_are_prepared_as_the_family_does(string json, string type, int side)
    {
        var processor = ModelFolder.Processor(ModelConfiguration.Parse(json), folder: null);

        Assert.Equal(type, processor.ImageProcessorType);
        Assert.Equal(side, processor.CropSize is { } crop && processor.DoCenterCrop == true ? crop.Height : processor.Size.Height);
    }

    [Fact]
    public void The_flat_configuration_of_an_old_timm_model_tells_classes_and_preprocessing()
    {
        var configuration = ModelConfiguration.Parse(
            """{"architecture":"resnet18","num_classes":2,"labels":{"1":"dog","0":"cat"},"input_size":[3,288,288],"crop_pct":0.95,"interpolation":"bicubic","mean":[0.1,0.2,0.3],"std":[0.4,0.5,0.6]}""");

        var processor = ModelFolder.Processor(configuration, folder: null);

        Assert.Equal(["cat", "dog"], configuration.Id2Label);
        Assert.True(configuration.HasLabelNames);
        Assert.Equal(ImageProcessor.FromTimm(configuration.Json), processor);
        Assert.NotEqual(ImageProcessor.FromTimm([]), processor);
    }

    /// <summary>A model folder whose weights are those of the encoder alone.</summary>
    // Positions cos(0) ... cos(16) of one leading token and a grid of 4 x 4; Python: timm.layers.resample_abs_pos_embed(positions, [2, 2]).
    [Fact]
    public void A_network_of_timm_averages_over_the_positions_that_a_smaller_picture_leaves_out()
    {
        var configuration = Architectures.Variant("vit_tiny_patch16_224", 64);
        configuration.SetLabels(["a", "b"]);
        using var network = Architectures.Build(configuration);
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        network.Initialize();
        network.eval();
        network.InterpolatesPositions = true;
        var weights = network.State().ToDictionary(s => s.Name, s => s.Value);
        foreach (var name in new[] { "patch_embed.proj.weight", "patch_embed.proj.bias", "cls_token" })
        {
            weights[name].zero_();
        }

        weights["pos_embed"].copy_(arange(17, float32).cos().view(1, 17, 1));
        using var trace = new NetworkTrace();

        network.Features(rand(1, 3, 32, 32), trace).Dispose();

        float[] expected = [1.0f, 0.17281085f, -0.13337275f, -0.10687497f, -0.14477549f];
        Assert.All(expected.Zip(trace.HiddenStates[0].select(2, 0).flatten().data<float>().ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
    }

    private static TemporaryFolder Encoder() => Whole(name => name.StartsWith("vit.", StringComparison.Ordinal) ? name["vit.".Length..] : null);

    /// <summary>A model folder whose weights have other names; null leaves one out.</summary>
    private static TemporaryFolder Whole(Func<string, string?> rename)
    {
        var folder = new TemporaryFolder();
        using var classifier = ImageClassifier.FromConfig(new ModelConfiguration((JsonObject)JsonNode.Parse(Tiny)!), seed: 3);
        classifier.Save(folder.Path);
        SafetensorsFile.Write(
            Path.Combine(folder.Path, "model.safetensors"),
            classifier.Network.State().Select(s => (Name: rename(s.Name), s.Value)).Where(s => s.Name is not null).Select(s => KeyValuePair.Create(s.Name!, s.Value)));
        return folder;
    }
}
