using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Models.Families;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Models.Weights;

/// <summary>The weights of an image featurizer of ML.NET: an ImageNet ResNet of basic blocks without a head, in ONNX.</summary>
/// <remarks>
/// The names in such a file say nothing, so weights are found by the graph, from its end to its beginning. It was trained on levels of 0 to 255 in the order blue,
/// green, red, less a mean picture that stands in a file of its own; here the kernel of the first convolution changes places, and each channel has one mean.
/// Source: NuGet package <c>Microsoft.ML.DnnImageFeaturizer.ResNet18</c> 0.23.1. Parity: 1e-4 on equal pixels; the one mean costs a cosine of 1e-3.
/// </remarks>
internal sealed class OnnxFeaturizer : WeightSource
{
    /// <summary>How the name of such a file ends.</summary>
    public const string Extension = ".onnx";

    private const string Stem = "embedder.embedder";
    private const double Levels = 255;

    private static readonly string[] _normNames = ["weight", "bias", "running_mean", "running_var"];

    private readonly OnnxGraph _graph;
    private readonly Dictionary<string, OnnxConstant> _weights = new(StringComparer.Ordinal);

    private OnnxFeaturizer(OnnxGraph graph, string origin)
    {
        _graph = graph;
        var last = graph.Last!;
        Expect(last.Kind is "AveragePool" or "GlobalAveragePool", $"it ends with {last.Kind} instead of the mean of planes");
        var (blocks, beginning) = Blocks(last.Inputs[0]);
        var pooled = Operator(beginning, "MaxPool");
        var stem = UnitOf(Operator(pooled.Inputs[0], "Relu").Inputs[0]);
        Expect(stem.Side == 7 && blocks.Count > 0, "it does not begin with a convolution of 7x7");
        Keep(Stem, stem);
        var (depths, widths) = (new List<int>(), new List<long>());
        foreach (var block in blocks)
        {
            // A stage begins where the planes grow wider.
            if (block.Shortcut is not null || depths.Count == 0)
            {
                depths.Add(0);
                widths.Add(block.Second.Width);
            }

            var path = $"encoder.stages.{depths.Count - 1}.layers.{depths[^1]++}";
            Keep(path + ".layer.0", block.First);
            Keep(path + ".layer.1", block.Second);
            if (block.Shortcut is { } shortcut)
            {
                Keep(path + ".shortcut", shortcut);
            }
        }

        Configuration = new ModelConfiguration(new JsonObject
        {
            ["model_type"] = ResNetNetwork.ModelType,
            ["architectures"] = new JsonArray(ResNetNetwork.Name),
            ["layer_type"] = "basic",
            ["num_channels"] = 3,
            ["embedding_size"] = stem.Width,
            ["hidden_sizes"] = new JsonArray([.. widths.Select(w => (JsonNode)w)]),
            ["depths"] = new JsonArray([.. depths.Select(d => (JsonNode)d)]),
            ["hidden_act"] = "relu",
            ["downsample_in_first_stage"] = false,
        }, origin);
    }

    /// <summary>The network, with as many classes as a configuration that names none.</summary>
    public ModelConfiguration Configuration { get; }

    public override IReadOnlyCollection<string> Names => _weights.Keys;

    /// <summary>Opens a featurizer.</summary>
    /// <exception cref="ModelLoadException">It cannot be read, or is another network.</exception>
    public static OnnxFeaturizer OpenNetwork(string path) => new(OnnxGraph.Read(path), path);

    /// <summary>How a featurizer wants its pictures, from the file of its mean picture.</summary>
    /// <param name="path">The featurizer.</param>
    /// <exception cref="ModelLoadException">The package's file with the mean picture is not beside its folder, or is another.</exception>
    public static ImageProcessor Processor(string path)
    {
        var file = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "..", "ResNetPrepOnnx", "ResNetPreprocess.onnx"));
        if (!File.Exists(file))
        {
            throw new ModelLoadException($"'{path}' needs the mean picture that belongs to it, and there is no '{file}'; keep the folders of the package together.");
        }

        var graph = OnnxGraph.Read(file);
        if (graph.Last is not { Kind: "Sub" } last || !graph.Constants.TryGetValue(last.Inputs[^1], out var mean) || mean.Shape is not [1, 3, _, _])
        {
            throw new ModelLoadException($"'{file}' does not end with the subtraction of a mean picture [1, 3, H, W], as that of ML.NET's featurizers does.");
        }

        var means = new double[3];
        var values = mean.Values;
        var places = (int)(mean.Shape[2] * mean.Shape[3]);
        for (var channel = 0; channel < means.Length; channel++)
        {
            double sum = 0;
            foreach (var value in values.Slice((means.Length - 1 - channel) * places, places))
            {
                sum += value;
            }

            means[channel] = sum / places / Levels;
        }

        // In units of rescaled levels, so that the values are levels less the mean again.
        return ProcessorFamily.All["BitImageProcessor"].Defaults with
        {
            Size = (int)mean.Shape[2],
            CropSize = ((int)mean.Shape[2], (int)mean.Shape[3]),
            Resample = Interpolation.Bilinear,
            ImageMean = [.. means],
            ImageStd = [1 / Levels, 1 / Levels, 1 / Levels],
        };
    }

    public override IReadOnlyList<long> Shape(string name) => _weights[name].Shape;

    public override void CopyTo(string name, Tensor destination)
    {
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        var weight = _weights[name];
        var read = tensor(weight.Values.ToArray(), [.. weight.Shape]);
        destination.copy_(name == Stem + ".convolution.weight" ? read.flip(1) : read);
    }

    public override void Dispose() => _weights.Clear();

    /// <summary>The blocks that end with a value, in order, and the value that the first one works on.</summary>
    private (List<Block> Blocks, string Input) Blocks(string output)
    {
        var blocks = new List<Block>();
        while (_graph.Producer(output) is { Kind: "Relu" } relu && _graph.Producer(relu.Inputs[0]) is { Kind: "Add", Inputs: [var left, var right] })
        {
            // The longer way is the one of kernels of 3x3.
            var (way, beside) = IsUnit(left, side: 3) ? (left, right) : (right, left);
            var second = UnitOf(way);
            var first = UnitOf(Operator(second.Input, "Relu").Inputs[0]);
            var shortcut = _graph.Producer(beside) is { Kind: "BatchNormalization" } ? UnitOf(beside) : null;
            Expect(first.Side == 3 && second.Side == 3 && (shortcut?.Input ?? beside) == first.Input, $"'{output}' does not end a block of two convolutions of 3x3 beside a shortcut");
            blocks.Insert(0, new(first, second, shortcut));
            output = first.Input;
        }

        return (blocks, output);
    }

    private bool IsUnit(string output, int side) => _graph.Producer(output) is { Kind: "BatchNormalization" } && UnitOf(output).Side == side;

    /// <summary>The convolution and batch norm that make a value.</summary>
    private Unit UnitOf(string output)
    {
        var norm = Operator(output, "BatchNormalization");
        var convolution = Operator(norm.Inputs[0], "Conv");
        Expect(convolution.Inputs.Count == 2 && norm.Inputs.Count == 5, $"'{output}' is not a convolution without a bias and a batch norm");
        var weight = Constant(convolution.Inputs[1], dimensions: 4);
        var side = weight.Shape[2];
        // Zeros before the first place decide where the kernel stands; those behind the last are not reached on even sides.
        var padding = convolution.Numbers.GetValueOrDefault("pads", [0, 0]);
        Expect(padding[0] == side / 2 && padding[1] == side / 2, $"the kernel of '{output}' does not begin in the middle of its zeros");
        return new(convolution.Inputs[0], weight, [.. norm.Inputs.Skip(1).Select(name => Constant(name, dimensions: 1))]);
    }

    private OnnxNode Operator(string output, string kind)
    {
        var node = _graph.Producer(output);
        Expect(node?.Kind == kind, $"'{output}' comes from {node?.Kind ?? "nothing"} instead of {kind}");
        return node!;
    }

    private OnnxConstant Constant(string name, int dimensions)
    {
        var constant = _graph.Constants.GetValueOrDefault(name);
        Expect(constant?.Shape.Count == dimensions, $"'{name}' is not a constant of {dimensions} dimensions in float32");
        return constant!;
    }

    private void Expect(bool isSo, string otherwise)
    {
        if (!isSo)
        {
            throw new ModelLoadException(
                $"'{_graph.Path}' is not a featurizer of ML.NET with a ResNet of basic blocks (package Microsoft.ML.DnnImageFeaturizer.ResNet18): {otherwise}. Other networks are read from safetensors and PyTorch files.");
        }
    }

    private void Keep(string path, Unit unit)
    {
        _weights[path + ".convolution.weight"] = unit.Weight;
        foreach (var (name, value) in _normNames.Zip(unit.Norm))
        {
            _weights[$"{path}.normalization.{name}"] = value;
        }
    }

    /// <summary>A convolution and its batch norm.</summary>
    /// <param name="Input">Name of what it works on.</param>
    /// <param name="Weight">Its kernel.</param>
    /// <param name="Norm">Scale, shift, mean and variance.</param>
    private sealed record Unit(string Input, OnnxConstant Weight, OnnxConstant[] Norm)
    {
        public long Width => Weight.Shape[0];

        public long Side => Weight.Shape[2];
    }

    private sealed record Block(Unit First, Unit Second, Unit? Shortcut);
}
