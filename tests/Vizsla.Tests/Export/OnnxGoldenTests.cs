using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;
using Vizsla.Export;
using Vizsla.Models.Graphs;
using Vizsla.Testing;
using static TorchSharp.torch;

namespace Vizsla.Tests.Export;

/// <summary>Every recorded network, exported and computed by ONNX Runtime: the logits that Python recorded.</summary>
[Trait("Category", "Golden")]
public sealed class OnnxGoldenTests
{
    // What a sum of products in another order may cost, as a share of the largest logit.
    private const double Near = 1e-4;

    // The largest error of rounding a value: to float16's 11 bits as a share of the value, to uint8 as a share of the range.
    private const double HalfRounding = 1.0 / (1 << 11);
    private const double Int8Rounding = 1.0 / (2 * 255);

    // How many times larger the range of a layer's values is than their root mean square, which the logits go with.
    private const double Crest = 10;

    // What is added to a weight's name.
    private static readonly Regex s_suffix = new("(_transposed)?(_sum)?(_scale)?$");

    public static TheoryData<string> Small() => OnnxCase.Find(isLarge: false);

    public static TheoryData<string> Large() => OnnxCase.Find(isLarge: true);

    [Theory]
    [MemberData(nameof(Small))]
    public void Logits_of_the_exported_file_are_those_of_Python(string name) => Check(name);

    [Theory]
    [Trait("Category", "Slow")]
    [MemberData(nameof(Large))]
    public void Logits_of_a_large_exported_file_are_those_of_Python(string name)
    {
        Golden.RequireSlow();
        Check(name);
    }

    private static void Check(string name)
    {
        using var exported = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var recorded = OnnxCase.Open(name);
        var export = new OnnxExport(recorded.Network, recorded.Size);
        Compare(recorded, export.Make(OnnxPrecision.Float32), exported["fp32.onnx"], Near);
        var half = export.Make(OnnxPrecision.Float16);
        Compare(recorded, half, exported["fp16.onnx"], Walk(HalfRounding, half.Nodes.Count));
        var products = export.Make(OnnxPrecision.Int8);
        Compare(recorded, products, exported["products.onnx"], Near + Walk(Crest * Int8Rounding, products.Nodes.Count(n => n.Operator == "MatMulInteger")));

        // Ranges from the pictures themselves: nothing is cut off, and the rest is rounding.
        export.Observe(recorded.Pixels);
        var whole = export.Make(OnnxPrecision.Int8);
        Assert.Equal(export.Convolutions.Count, whole.Initializers.Keys.Count(n => n.EndsWith("_quantized", StringComparison.Ordinal) && !products.Initializers.ContainsKey(n)));
        Compare(recorded, whole, exported["int8.onnx"], Near + Walk(Crest * Int8Rounding, whole.Nodes.Count(n => n.Operator is "MatMulInteger" or "QuantizeLinear")));
    }

    // Errors of independent roundings add up as steps of a random walk do.
    private static double Walk(double step, int count) => step * Math.Sqrt(count);

    private static void Compare(OnnxCase recorded, OnnxModel model, string file, double near)
    {
        model.Save(file);
        AssertForm(recorded, model);
        foreach (var count in new[] { recorded.Pixels.shape[0], 1 }.Distinct())
        {
            var (wanted, actual) = (recorded.Logits.narrow(0, 0, count), Run(file, recorded.Pixels.narrow(0, 0, count)));
            Assert.Equal(wanted.shape, actual.shape);
            var difference = (wanted - actual).abs().max().item<float>() / Math.Max(1, wanted.abs().max().item<float>());
            Assert.True(difference <= near, $"{recorded.Name}, {Path.GetFileName(file)}, {count} pictures: differs by {difference}, allowed {near}");
        }
    }

    private static void AssertForm(OnnxCase recorded, OnnxModel model)
    {
        var convolutions = model.Nodes.Where(n => n.Operator == "Conv").SelectMany(n => n.Outputs).ToHashSet();
        Assert.DoesNotContain(model.Nodes, n => n.Operator == "BatchNormalization" && convolutions.Contains(n.Inputs[0]));
        var own = recorded.Network.State().Select(s => s.Name).ToHashSet();
        var weights = model.Initializers.Values.Where(t => t.Type is OnnxType.Float or OnnxType.Float16).Select(t => t.Name).Where(n => !n.StartsWith("constant_", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(weights);
        Assert.All(weights, name => Assert.True(own.Contains(s_suffix.Replace(name, "")) || own.Contains(name.Replace(".bias", ".weight")), name));
        Assert.Equal((NetworkGraph.InputName, "logits"), (model.Inputs.Single().Name, model.Outputs.Single().Name));
        Assert.Equal(["batch_size", "num_channels", "height", "width"], model.Inputs.Single().Dimensions);
    }

    [Fact]
    public void Weights_above_the_limit_of_one_message_stand_beside_the_model()
    {
        using var classifier = ImageClassifier.Create("vit-nano", ["cat", "dog"], seed: 0);
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var pixels = randn(2, 3, 64, 64);
        var model = new OnnxExport(classifier.Network, (3, 64, 64)).Make(OnnxPrecision.Float32);

        var files = model.Save(folder["model.onnx"], largestFile: 1000);

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
