using System.Text.Json.Nodes;
using Vizsla.Models;
using Vizsla.Models.Graphs;
using static TorchSharp.torch;

namespace Vizsla.Export;

/// <summary>How the weights of an exported network are stored and computed with.</summary>
public enum OnnxPrecision
{
    /// <summary>float32, as the network itself; <c>model.onnx</c>.</summary>
    Float32,

    /// <summary>float16 with float32 pixels and logits; <c>model_fp16.onnx</c>.</summary>
    Float16,

    /// <summary>Matrix products of int8 weights, one scale for each output, with activations that are measured for each batch; <c>model_quantized.onnx</c>.</summary>
    Int8,
}

/// <summary>A network as an ONNX model, in any precision.</summary>
internal sealed class OnnxExport
{
    // The number of pictures falls while their size grows, so that a length that follows the one is told from all that follow the other.
    private static readonly long[] s_batches = [3, 2];

    private static readonly Dictionary<OnnxPrecision, string> s_names = new()
    {
        [OnnxPrecision.Float32] = "model.onnx",
        [OnnxPrecision.Float16] = "model_fp16.onnx",
        [OnnxPrecision.Int8] = "model_quantized.onnx",
    };

    private readonly ClassificationNetwork _network;
    private readonly OnnxModel _model;
    private readonly Dictionary<string, (float Least, float Most)> _ranges = new(StringComparer.Ordinal);

    /// <summary>Records the network.</summary>
    /// <param name="network">The network; it computes in evaluation mode meanwhile, and other threads wait for it.</param>
    /// <param name="size">Channels, height and width of a picture.</param>
    /// <exception cref="NotSupportedException">An operation has no counterpart in ONNX; the message names it.</exception>
    public OnnxExport(ClassificationNetwork network, (int Channels, int Height, int Width) size)
    {
        using var alone = EvaluationScope.Enter(network);
        _network = network;
        _model = OnnxTranslation.Translate(Graph(network, size), network.State());
        _model.Metadata["id2label"] = new JsonArray([.. network.Configuration.Id2Label.Select(label => (JsonNode)label)]).ToJsonString();
        _model.Metadata["model_type"] = network.Configuration.ModelType;
        _model.Metadata["problem_type"] = network.Configuration.ProblemType ?? "single_label_classification";
    }

    /// <summary>Names of the convolutions that int8 can be computed in, once ranges are known.</summary>
    public IReadOnlyList<string> Convolutions => OnnxStaticInt8.Convolutions(_model, _ranges);

    /// <summary>The file's name, as optimum and transformers.js look for it below <c>onnx/</c>.</summary>
    public static string FileName(OnnxPrecision precision) => s_names[precision];

    /// <summary>Adds what the files say about themselves (ONNX: <c>metadata_props</c>).</summary>
    public void Say(string key, string value) => _model.Metadata[key] = value;

    /// <summary>Learns from pictures in which range each value of the network lies.</summary>
    /// <param name="pictures">Float [B, C, H, W], prepared.</param>
    public void Observe(Tensor pictures)
    {
        var names = _model.Operations.ToLookup(o => o.Value, o => o.Key);
        using var alone = EvaluationScope.Enter(_network);
        using var scope = NewDisposeScope();
        Widen(NetworkGraph.InputName, pictures);
        GraphRecorder.Record(_network.State(), _network.forward, pictures, (operation, result) =>
        {
            foreach (var name in names[operation])
            {
                Widen(name, result);
            }
        });
    }

    /// <summary>Makes the model.</summary>
    /// <param name="precision">How weights are stored.</param>
    /// <param name="floatLayers">Convolutions that stay in float32 in an int8 model, by <see cref="Convolutions"/>.</param>
    /// <returns>Pictures are free in number, and in size where the network allows it. Convolutions are computed in int8 where ranges are known.</returns>
    /// <exception cref="NotSupportedException">A weight is beyond float16; the message names it.</exception>
    public OnnxModel Make(OnnxPrecision precision, IEnumerable<string>? floatLayers = null) => precision switch
    {
        OnnxPrecision.Float32 => new OnnxModel(_model),
        OnnxPrecision.Float16 => OnnxHalf.Convert(new OnnxModel(_model)),
        _ => OnnxDynamicInt8.Convert(new OnnxStaticInt8(new OnnxModel(_model), _ranges, floatLayers ?? []).Convert()),
    };

    private void Widen(string name, Tensor values)
    {
        using var scope = NewDisposeScope();
        var (least, most) = (values.min().to_type(ScalarType.Float32).item<float>(), values.max().to_type(ScalarType.Float32).item<float>());
        _ranges[name] = _ranges.TryGetValue(name, out var known) ? (Math.Min(known.Least, least), Math.Max(known.Most, most)) : (least, most);
    }

    private static NetworkGraph Graph(ClassificationNetwork network, (int Channels, int Height, int Width) size)
    {
        var first = Record(network, s_batches[0], size);
        try
        {
            // Another size with sides of its own ratio: a network that takes one size only refuses it or computes otherwise.
            return DynamicGraph.Join(first, Record(network, s_batches[1], (size.Channels, size.Height + 64, size.Width + 128)));
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or NotSupportedException or System.Runtime.InteropServices.ExternalException)
        {
            return DynamicGraph.Join(first, Record(network, s_batches[1], size));
        }
    }

    private static NetworkGraph Record(ClassificationNetwork network, long batch, (int Channels, int Height, int Width) size)
    {
        using var scope = NewDisposeScope();
        return GraphRecorder.Record(network.State(), network.forward, zeros(batch, size.Channels, size.Height, size.Width));
    }
}

/// <summary>Stores the floats of a model as float16; pixels and logits stay float32.</summary>
internal static class OnnxHalf
{
    /// <exception cref="NotSupportedException">A weight is beyond float16's range.</exception>
    public static OnnxModel Convert(OnnxModel model)
    {
        foreach (var tensor in model.Initializers.Values.Where(t => t.Type == OnnxType.Float).ToList())
        {
            var values = tensor.Floats;
            var halves = new Half[values.Length];
            System.Numerics.Tensors.TensorPrimitives.ConvertToHalf(values, halves);
            for (var i = 0; OnnxModel.IsConstant(tensor) && i < halves.Length; i++)
            {
                // The network's own numbers, such as the smallest float that pads before a maximum, become the nearest that there is.
                halves[i] = Half.IsInfinity(halves[i]) && float.IsFinite(values[i]) ? (values[i] > 0 ? Half.MaxValue : Half.MinValue) : halves[i];
            }

            if (!OnnxModel.IsConstant(tensor) && Array.Exists(halves, Half.IsInfinity))
            {
                throw new NotSupportedException(Invariant($"'{tensor.Name}' has values beyond {Half.MaxValue}, the largest of float16. Export as fp32."));
            }

            model.Add(tensor with { Type = OnnxType.Float16, Data = System.Runtime.InteropServices.MemoryMarshal.AsBytes(halves.AsSpan()).ToArray() });
        }

        foreach (var port in model.Inputs)
        {
            var half = model.Fresh("half_");
            model.Rename(port.Name, half);
            model.Nodes.Insert(0, new OnnxNode("Cast", [port.Name], [half], new OnnxAttribute("to", (long)OnnxType.Float16)));
        }

        foreach (var port in model.Outputs)
        {
            var half = model.Fresh("half_");
            var maker = model.Nodes.FindIndex(n => n.Outputs.Contains(port.Name));
            model.Nodes[maker] = model.Nodes[maker] with { Outputs = [half] };
            model.Nodes.Add(new OnnxNode("Cast", [half], [port.Name], new OnnxAttribute("to", (long)OnnxType.Float)));
        }

        return model;
    }
}
