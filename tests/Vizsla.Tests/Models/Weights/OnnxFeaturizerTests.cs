using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using Vizsla.Models;
using Vizsla.Testing;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models.Weights;

/// <summary>A real ImageNet network: the featurizer of ML.NET, beside ONNX Runtime on its own file.</summary>
public sealed class OnnxFeaturizerTests : IDisposable
{
    private const int PhotoCount = 6;
    private static readonly string[] _labels = ["cat", "dog"];

    private readonly TemporaryFolder _folder = new();

    private static string Network => Golden.ResNet18;

    private static string MeanPicture => Path.Combine(Path.GetDirectoryName(Network)!, "..", "ResNetPrepOnnx", "ResNetPreprocess.onnx");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Features_are_those_of_ONNX_Runtime_on_the_same_numbers(bool isFolded)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        using var classifier = ImageClassifier.FromPretrained(Network, _labels, seed: 1);
        using var draw = new Generator(5);
        var pixels = randn([PhotoCount, 3, 224, 224], generator: draw) * tensor(60f);

        using var folding = isFolded ? classifier.Network.FoldForPrediction() : null;
        var features = classifier.Network.Features(pixels);

        var expected = Run(Network, pixels.flip(1)).view(PhotoCount, -1);
        Assert.Equal(expected.shape, features.shape);
        var (difference, largest) = ((features - expected).abs().max().item<float>(), expected.abs().max().item<float>());
        Assert.True(difference <= 1e-4 * largest, $"differs by {difference} of {largest}");
    }

    [Fact]
    public void Features_of_photos_point_where_those_of_the_featurizer_do()
    {
        using var scope = NewDisposeScope();
        using var classifier = ImageClassifier.FromPretrained(Network, _labels, seed: 1);
        var files = Directory.EnumerateFiles(Golden.RequireData("kaggle-dogs", "images")).Order(StringComparer.Ordinal).Take(PhotoCount).ToList();

        var features = classifier.Embed(files).Select(f => tensor(f.Values)).ToList();

        var processor = classifier.Processor with { DoRescale = false, DoNormalize = false };
        var cosines = new List<double>();
        foreach (var (file, own) in files.Zip(features))
        {
            using var picture = Vizsla.Imaging.ImageCodec.Load(file);
            using var levels = processor.Process(picture);
            var original = tensor(levels.Values.ToArray(), [1, 3, levels.Height, levels.Width]);
            var expected = Run(Network, Run(MeanPicture, original)).flatten();
            cosines.Add(nn.functional.cosine_similarity(own, expected, 0).item<float>());
        }

        // One mean for each channel instead of one for each place.
        Assert.All(cosines, cosine => Assert.InRange(cosine, 0.998, 1.0001));
    }

    [Fact]
    public void It_is_saved_as_a_model_of_transformers_and_loaded_again()
    {
        using var classifier = ImageClassifier.FromPretrained(Network, _labels, seed: 1);
        classifier.Save(_folder["saved"]);

        using var again = ImageClassifier.FromPretrained(_folder["saved"]);

        Assert.Equal("ResNetForImageClassification", again.Network.ClassName);
        Assert.Equal("[2,2,2,3]", again.Configuration.Json["depths"]!.ToJsonString());
        Assert.Equal(classifier.Processor, again.Processor);
        foreach (var ((name, value), (_, loaded)) in classifier.Network.State().Zip(again.Network.State()))
        {
            Assert.True(value.equal(loaded).all().item<bool>(), name);
        }
    }

    [Fact]
    public void Without_classes_it_has_no_answers()
    {
        var failure = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromPretrained(Network));

        Assert.Equal($"'{Network}' has no classifier, only an encoder, whose answers would be random. Train one on classes of your own, or take a checkpoint that was trained to classify.", failure.Message);
    }

    [Fact]
    public void Another_network_is_refused_with_what_differs()
    {
        using var model = ImageClassifier.Create("resnet18", _labels, imageSize: 64, seed: 1);
        model.Save(_folder["other"]);
        var file = model.ExportOnnx(_folder["other"]);

        var failure = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromPretrained(file, _labels));

        Assert.Equal(
            $"'{file}' is not a featurizer of ML.NET with a ResNet of basic blocks (package Microsoft.ML.DnnImageFeaturizer.ResNet18): it ends with Gemm instead of the mean of planes. Other networks are read from safetensors and PyTorch files.",
            failure.Message);
    }

    [Fact]
    public void A_file_that_is_no_ONNX_is_refused()
    {
        var file = _folder["noise.onnx"];
        File.WriteAllBytes(file, [0x3a, 0x7f, 1, 2, 3]);

        var failure = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromPretrained(file, _labels));

        Assert.StartsWith($"'{file}' cannot be read as ONNX: ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_its_mean_picture_it_is_refused_with_the_path_that_is_missing()
    {
        var file = _folder["ResNet18.onnx"];
        File.Copy(Network, file);

        var failure = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromPretrained(file, _labels));

        var missing = Path.GetFullPath(_folder["../ResNetPrepOnnx/ResNetPreprocess.onnx"]);
        Assert.Equal($"'{file}' needs the mean picture that belongs to it, and there is no '{missing}'; keep the folders of the package together.", failure.Message);
    }

    // The file takes one picture at a time.
    private static Tensor Run(string file, Tensor pixels)
    {
        using var session = new InferenceSession(file);
        var rows = new List<Tensor>();
        for (var i = 0; i < pixels.shape[0]; i++)
        {
            using var picture = pixels.narrow(0, i, 1).contiguous();
            using var input = OrtValue.CreateTensorValueFromMemory(picture.data<float>().ToArray(), picture.shape);
            using var output = session.Run(new RunOptions(), [session.InputNames[0]], [input], [session.OutputNames[0]]);
            rows.Add(tensor(output[0].GetTensorDataAsSpan<float>().ToArray(), output[0].GetTensorTypeAndShape().Shape));
        }

        return cat([.. rows]);
    }
}
