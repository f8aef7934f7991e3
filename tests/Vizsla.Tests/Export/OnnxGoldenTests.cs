using Microsoft.ML.OnnxRuntime;
using Vizsla.Export;
using Vizsla.Models.Weights;
using Vizsla.Testing;
using Vizsla.Tests.Models;
using static TorchSharp.torch;

namespace Vizsla.Tests.Export;

/// <summary>Every checkpoint below <c>vit/</c>, exported and computed by ONNX Runtime: the logits that transformers recorded.</summary>
[Trait("Category", "Golden")]
public sealed class OnnxGoldenTests
{
    // What a sum of products in another order may cost, as a share of the largest logit.
    private const double Near = 1e-4;

    // Untrained networks of few channels: what rounding the weights to 11 and 8 bits costs them.
    private const double Half = 1e-2;
    private const double Int8 = 0.15;

    public static TheoryData<string> Checkpoints() => VitGoldenTests.Checkpoints();

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Logits_of_the_exported_file_are_those_of_transformers(string checkpoint)
    {
        var folder = VitGoldenTests.Folder(checkpoint);
        using var exported = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var classifier = ImageClassifier.FromPretrained(folder);
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));
        VitGoldenTests.Arrange(classifier.Network, folder);
        var pixels = numbers.Read("pixel_values");

        OnnxExport.Make(classifier.Network, ((int)pixels.shape[1], (int)pixels.shape[2], (int)pixels.shape[3]), OnnxPrecision.Float32)
            .Save(Path.Combine(exported.Path, "model.onnx"));

        var expected = numbers.Read("logits");
        foreach (var count in new[] { pixels.shape[0], 1 })
        {
            var actual = Run(Path.Combine(exported.Path, "model.onnx"), pixels.narrow(0, 0, count));
            var wanted = expected.narrow(0, 0, count);
            var difference = (wanted - actual).abs().max().item<float>();
            Assert.Equal(wanted.shape, actual.shape);
            Assert.True(difference <= Near * Math.Max(1, wanted.abs().max().item<float>()), $"{checkpoint}, {count} pictures: differs by {difference}");
        }
    }

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Half_and_int8_weights_stay_near(string checkpoint)
    {
        var folder = VitGoldenTests.Folder(checkpoint);
        using var exported = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var classifier = ImageClassifier.FromPretrained(folder);
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));
        VitGoldenTests.Arrange(classifier.Network, folder);
        var (pixels, expected) = (numbers.Read("pixel_values"), numbers.Read("logits"));
        var size = ((int)pixels.shape[1], (int)pixels.shape[2], (int)pixels.shape[3]);

        foreach (var (precision, near) in new[] { (OnnxPrecision.Float16, Half), (OnnxPrecision.Int8, Int8) })
        {
            var file = Path.Combine(exported.Path, $"{precision}.onnx");
            OnnxExport.Make(classifier.Network, size, precision).Save(file);
            var difference = (expected - Run(file, pixels)).abs().max().item<float>();
            Assert.True(difference <= near * Math.Max(1, expected.abs().max().item<float>()), $"{checkpoint}, {precision}: differs by {difference}");
        }
    }

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Weights_keep_their_names_and_batch_norms_are_folded(string checkpoint)
    {
        var folder = VitGoldenTests.Folder(checkpoint);
        using var classifier = ImageClassifier.FromPretrained(folder);
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));
        VitGoldenTests.Arrange(classifier.Network, folder);
        var shape = numbers.Tensors.Single(t => t.Name == "pixel_values").Shape;

        var model = OnnxExport.Make(classifier.Network, ((int)shape[1], (int)shape[2], (int)shape[3]), OnnxPrecision.Float32);

        var convolutions = model.Nodes.Where(n => n.Operator == "Conv").SelectMany(n => n.Outputs).ToHashSet();
        Assert.DoesNotContain(model.Nodes, n => n.Operator == "BatchNormalization" && convolutions.Contains(n.Inputs[0]));
        var own = classifier.Network.State().Select(s => s.Name).ToHashSet();
        var weights = model.Initializers.Keys.Where(n => !n.StartsWith("constant_", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(weights);
        Assert.All(weights, name => Assert.True(own.Contains(name) || own.Contains(name.Replace("_transposed", "")) || own.Contains(name.Replace(".bias", ".weight")), name));
        Assert.Equal(["batch_size", "num_channels", "height", "width"], model.Inputs.Single().Dimensions);
    }

    [Fact]
    public void Weights_above_the_limit_of_one_message_stand_beside_the_model()
    {
        using var classifier = ImageClassifier.Create("vit-nano", ["cat", "dog"], seed: 0);
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var pixels = randn(2, 3, 64, 64);
        var model = OnnxExport.Make(classifier.Network, (3, 64, 64), OnnxPrecision.Float32);

        var files = model.Save(Path.Combine(folder.Path, "model.onnx"), largestFile: 1000);

        Assert.Equal(["model.onnx", "model.onnx_data"], files.Select(Path.GetFileName));
        using var mode = no_grad();
        Assert.True(classifier.Network.forward(pixels).allclose(Run(files[0], pixels), rtol: 1e-4, atol: 1e-4));
    }

    internal static Tensor Run(string file, Tensor pixels)
    {
        using var session = new InferenceSession(file);
        using var input = OrtValue.CreateTensorValueFromMemory(pixels.contiguous().data<float>().ToArray(), pixels.shape);
        using var options = new RunOptions();
        using var results = session.Run(options, ["pixel_values"], [input], ["logits"]);
        return tensor(results[0].GetTensorDataAsSpan<float>().ToArray(), results[0].GetTensorTypeAndShape().Shape);
    }
}
