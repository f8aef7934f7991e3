using Vizsla.Imaging;
using Vizsla.Models;
using Vizsla.Models.Timm;
using Vizsla.Models.Weights;
using Vizsla.Testing;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

[Collection(nameof(RunAlone))]
public sealed class ImageClassifierTests
{
    private static readonly string[] _labels = ["beagle", "boxer", "pug"];

    [Fact]
    public void A_saved_model_answers_as_before()
    {
        using var folder = new TemporaryFolder();
        using var picture = Picture(40);
        using var classifier = ImageClassifier.Create("vit-nano", _labels, imageSize: 32, seed: 3);

        classifier.Save(folder.Path);
        using var loaded = ImageClassifier.FromPretrained(folder.Path);

        Assert.Equal(classifier.Predict(picture), loaded.Predict(picture));
        Assert.Equal(_labels, loaded.Labels);
        Assert.Equal(classifier.Processor.ToPipeline(), loaded.Processor.ToPipeline());
        Assert.True(loaded.LoadReport!.IsClean);
        Assert.Equal(["config.json", "model.safetensors", "preprocessor_config.json"], Directory.EnumerateFiles(folder.Path).Select(f => Path.GetFileName(f)!).Order());
    }

    [Fact]
    public void A_file_of_weights_alone_is_a_model_of_the_named_network()
    {
        using var folder = new TemporaryFolder();
        using var picture = Picture(40);
        using var classifier = ImageClassifier.Create("resnet18", _labels, seed: 3);
        classifier.Save(folder.Path);
        var weights = folder["best.safetensors"];
        File.Move(folder["model.safetensors"], weights);

        using var loaded = ImageClassifier.FromWeights("resnet18", weights, _labels);
        var wrongHead = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromWeights("resnet18", weights, ["cat", "dog"]));

        Assert.Equal(classifier.Predict(picture).Select(p => (p.Label, MathF.Round((float)p.Score, 5))), loaded.Predict(picture).Select(p => (p.Label, MathF.Round((float)p.Score, 5))));
        Assert.Contains("size mismatch for fc.weight", wrongHead.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_add_up_to_one_and_the_likeliest_stands_first()
    {
        using var picture = Picture(40);
        using var classifier = ImageClassifier.Create("vit-nano", _labels, imageSize: 32, seed: 3);

        var answers = classifier.Predict(picture);

        Assert.Equal(3, answers.Count);
        Assert.Equal(1, answers.Sum(a => a.Score), 1e-5);
        Assert.Equal(answers.OrderByDescending(a => a.Score), answers);
        Assert.Equal(answers.Take(1), classifier.Predict(picture, topK: 1));
    }

    [Theory]
    [InlineData(0, new byte[] { 90 })]
    [InlineData(6, new byte[] { 90, 90, 90, 128 })]
    public void A_grey_or_transparent_picture_is_read_as_the_same_in_RGB(byte colorType, byte[] pixel)
    {
        using var folder = new TemporaryFolder();
        var (odd, plain) = (Path.Combine(folder.Path, "odd.png"), Path.Combine(folder.Path, "plain.png"));
        PngFile.Write(odd, 20, colorType, pixel);
        PngFile.Write(plain, 20, 2, 90, 90, 90);
        using var classifier = ImageClassifier.Create("resnet18", _labels, imageSize: 32, seed: 3);

        Assert.Equal(classifier.Predict(plain), classifier.Predict(odd));
    }

    [Fact]
    public void Other_classes_need_leave_to_replace_the_head()
    {
        using var folder = new TemporaryFolder();
        Save(folder, "vit-nano");

        var error = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromPretrained(folder.Path, ["cat", "dog"]));
        using var replaced = ImageClassifier.FromPretrained(folder.Path, ["cat", "dog"], ignoreMismatchedSizes: true, seed: 1);

        Assert.Equal(error.Report!.SizeMismatchMessage, error.Message);
        Assert.Equal(["classifier.weight", "classifier.bias"], replaced.LoadReport!.Mismatched.Select(m => m.Name));
        Assert.Equal(2, replaced.Labels.Count);
    }

    [Fact]
    public void As_many_other_classes_keep_the_head_and_rename_it()
    {
        using var folder = new TemporaryFolder();
        Save(folder, "vit-nano");

        using var renamed = ImageClassifier.FromPretrained(folder.Path, ["x", "y", "z"]);

        Assert.True(renamed.LoadReport!.IsClean);
        Assert.Equal(["x", "y", "z"], renamed.Labels);
    }

    [Fact]
    public void A_weight_missing_outside_the_head_is_an_error_with_a_report()
    {
        using var folder = new TemporaryFolder();
        Save(folder, "vit-nano");
        Rewrite(folder, state => state.Remove("vit.layernorm.weight"));

        var error = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromPretrained(folder.Path));

        Assert.Equal(["vit.layernorm.weight"], error.Report!.Missing);
        Assert.Equal(
            $"The weights at '{folder.Path}' are not those of ViTForImageClassification: of its 70 weights outside the head 1 are missing or of another shape ('vit.layernorm.weight'), and 0 of the file are not its own. "
            + "Use the config.json that belongs to these weights.",
            error.Message);
    }

    [Fact]
    public void A_base_model_without_head_and_prefix_gets_a_new_head()
    {
        using var folder = new TemporaryFolder();
        Save(folder, "vit-nano");
        Rewrite(folder, state =>
        {
            foreach (var name in state.Keys.ToList())
            {
                state.Remove(name, out var value);
                if (name.StartsWith("vit.", StringComparison.Ordinal))
                {
                    state["vit.".Length < name.Length ? name[4..] : name] = value!;
                }
            }

            state["pooler.dense.weight"] = zeros(96, 96);
        });

        using var classifier = ImageClassifier.FromPretrained(folder.Path, _labels, seed: 1);

        Assert.Equal(["classifier.weight", "classifier.bias"], classifier.LoadReport!.Missing);
        Assert.Equal(["pooler.dense.weight"], classifier.LoadReport.Unexpected);
    }

    [Fact]
    public void A_replaced_head_of_timm_begins_with_the_small_weights_of_torch()
    {
        using var folder = new TemporaryFolder();
        Save(folder, "tf_efficientnet_lite0");

        using var replaced = ImageClassifier.FromPretrained(folder.Path, ["cat", "dog"], ignoreMismatchedSizes: true, seed: 1);

        var (_, weight) = replaced.Network.State().Single(s => s.Name == "classifier.weight");
        var largest = weight.data<float>().Max(Math.Abs);
        Assert.InRange(largest, 0.5 / Math.Sqrt(1280), 1 / Math.Sqrt(1280));
    }

    [Fact]
    public void Weights_of_another_architecture_are_said_to_be_so()
    {
        using var folder = new TemporaryFolder();
        Save(folder, "resnet18");
        using var other = new TemporaryFolder();
        Save(other, "vit-nano");
        File.Copy(Path.Combine(other.Path, "model.safetensors"), Path.Combine(folder.Path, "model.safetensors"), overwrite: true);

        var error = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromPretrained(folder.Path));

        Assert.Equal(
            $"The weights at '{folder.Path}' are not those of resnet18: of its 100 weights outside the head 100 are missing or of another shape ('conv1.weight', 'bn1.weight', 'bn1.bias', ...), and 72 of the file are not its own. Use the config.json that belongs to these weights.",
            error.Message);
    }

    [Fact]
    public void A_number_of_classes_that_contradicts_the_weights_is_refused()
    {
        using var folder = new TemporaryFolder();
        Save(folder, "resnet18");
        var path = Path.Combine(folder.Path, "config.json");
        var configuration = ModelConfiguration.Load(folder.Path);
        configuration.SetLabels(["a", "b", "c", "d"]);
        File.WriteAllText(path, configuration.ToJson());

        var error = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromPretrained(folder.Path));

        Assert.Equal(
            $"The config.json of '{folder.Path}' says 4 classes, but its weights are for 3: 'fc.weight' is [3, 512], expected [4, 512]. Fix num_classes, or give classes of your own and allow the head to be replaced.",
            error.Message);
    }

    [Theory]
    [InlineData("""{"model_type":"vitt"}""", "Unknown model type 'vitt'. Known: {every family}. Did you mean 'vit'?")]
    [InlineData("""{"architecture":"resnet5"}""", "Unknown architecture 'resnet5'; Architectures.Variants ('vizsla models') lists those of timm that are known. Did you mean 'resnet50'?")]
    [InlineData("""{"architecture":"mixer_b16"}""", "Unknown architecture 'mixer_b16'; Architectures.Variants ('vizsla models') lists those of timm that are known.")]
    [InlineData("""{"architecture":"resnet18","model_args":{"drop_rat":0.1}}""", "model_args names 'drop_rat', which resnet18 does not take. Known: {every argument}. Did you mean 'drop_rate'?")]
    [InlineData("""{"architecture":"resnet18","num_classes":10,"model_args":{"num_classes":12}}""", "num_classes is 10, but model_args says 12; expected the same number.")]
    [InlineData("""{"model_type":"vit","hidden_size":50,"num_attention_heads":4}""", "hidden_size 50 is not a multiple of num_attention_heads 4; change one of them.")]
    [InlineData("""{"model_type":"vit","hidden_act":"gelo"}""", "Unknown activation 'gelo'. Known: gelu, gelu_fast, gelu_new, gelu_python, gelu_python_tanh, gelu_pytorch_tanh, hardswish, leaky_relu, linear, mish, quick_gelu, relu, relu2, relu6, selu, sigmoid, silu, softplus, swish, tanh. Did you mean 'gelu'?")]
    public void A_configuration_that_cannot_be_built_says_why(string json, string reason)
    {
        var error = Assert.Throws<ModelLoadException>(() => Architectures.Build(ModelConfiguration.Parse(json)));

        var arguments = TimmVariants.All.Values.Where(v => v.ClassName == "ResNet").SelectMany(v => v.Arguments.Select(a => a.Key)).Concat(TimmOptions.Shared).Distinct();
        Assert.Equal(
            reason.Replace("{every family}", string.Join(", ", Architectures.All.Keys.Order(StringComparer.Ordinal)), StringComparison.Ordinal)
                .Replace("{every argument}", string.Join(", ", arguments.Order(StringComparer.Ordinal)), StringComparison.Ordinal),
            error.Message);
    }

    [Fact]
    public void A_picture_smaller_than_the_stride_is_refused_by_the_network_but_not_by_the_classifier()
    {
        using var classifier = ImageClassifier.Create("vgg16_bn", _labels, imageSize: 32, seed: 1);
        using var tiny = zeros(1, 3, 16, 16);
        using var picture = Picture(5);

        var error = Assert.Throws<ArgumentException>(() => classifier.Network.forward(tiny));

        Assert.Equal("A picture of 16x16 pixels is too small for vgg16_bn, which needs at least 32x32; resize it first. (Parameter 'pixels')", error.Message);
        Assert.Equal(3, classifier.Predict(picture).Count);
    }

    [Fact]
    public void Pixels_of_another_size_or_number_of_channels_are_refused()
    {
        using var classifier = ImageClassifier.Create("vit-nano", _labels, imageSize: 32, seed: 1);
        using var large = zeros(1, 3, 40, 32);
        using var grey = zeros(1, 1, 32, 32);

        Assert.Equal("Input image size (40*32) doesn't match model (32*32). (Parameter 'size')", Assert.Throws<ArgumentException>(() => classifier.Network.forward(large)).Message);
        Assert.Equal(
            "Make sure that the channel dimension of the pixel values match with the one set in the configuration. Expected [B, 3, H, W] but got [1, 1, 32, 32]. (Parameter 'pixels')",
            Assert.Throws<ArgumentException>(() => classifier.Network.forward(grey)).Message);
    }

    private static void Save(TemporaryFolder folder, string variant)
    {
        using var classifier = ImageClassifier.Create(variant, _labels, imageSize: 32, seed: 3);
        classifier.Save(folder.Path);
    }

    private static void Rewrite(TemporaryFolder folder, Action<Dictionary<string, Tensor>> change)
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(folder.Path, "model.safetensors");
        Dictionary<string, Tensor> state;
        using (var file = SafetensorsFile.Open(path))
        {
            state = file.Tensors.ToDictionary(t => t.Name, t => file.Read(t.Name));
        }

        change(state);
        SafetensorsFile.Write(path, state);
    }

    private static Image Picture(int side)
    {
        var image = new Image(side, side);
        for (var i = 0; i < image.Pixels.Length; i++)
        {
            image.Pixels[i] = (byte)(i * 7);
        }

        return image;
    }
}
