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

/// <summary>Writes a network as an ONNX file.</summary>
internal static class OnnxExport
{
    // Two numbers of pictures whose lengths no other axis has by the same ratio, so that an axis that follows the batch is told from all others.
    private static readonly long[] _batches = [3, 7];

    private static readonly Dictionary<OnnxPrecision, string> _names = new()
    {
        [OnnxPrecision.Float32] = "model.onnx",
        [OnnxPrecision.Float16] = "model_fp16.onnx",
        [OnnxPrecision.Int8] = "model_quantized.onnx",
    };

    /// <summary>The file's name, as optimum and transformers.js look for it below <c>onnx/</c>.</summary>
    public static string FileName(OnnxPrecision precision) => _names[precision];

    /// <summary>Makes the model of a network.</summary>
    /// <param name="network">The network; it computes in evaluation mode meanwhile.</param>
    /// <param name="size">Channels, height and width of a picture.</param>
    /// <param name="precision">How weights are stored.</param>
    /// <returns>Pictures are free in number, and in size where the network allows it.</returns>
    /// <exception cref="NotSupportedException">An operation has no counterpart in ONNX; the message names it.</exception>
    public static OnnxModel Make(ClassificationNetwork network, (int Channels, int Height, int Width) size, OnnxPrecision precision)
    {
        var wasTraining = network.training;
        network.eval();
        try
        {
            var model = OnnxTranslation.Translate(Graph(network, size), network.State());
            Describe(model, network);
            return precision switch
            {
                OnnxPrecision.Float32 => model,
                OnnxPrecision.Float16 => OnnxHalf.Convert(model),
                _ => OnnxInt8.Convert(model),
            };
        }
        finally
        {
            network.train(wasTraining);
        }
    }

    private static NetworkGraph Graph(ClassificationNetwork network, (int Channels, int Height, int Width) size)
    {
        var first = Record(network, _batches[0], size);
        try
        {
            // Another size with sides of its own ratio: a network that takes one size only refuses it or computes otherwise.
            return DynamicGraph.Join(first, Record(network, _batches[1], (size.Channels, size.Height + 64, size.Width + 128)));
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.Runtime.InteropServices.ExternalException)
        {
            return DynamicGraph.Join(first, Record(network, _batches[1], size));
        }
    }

    private static NetworkGraph Record(ClassificationNetwork network, long batch, (int Channels, int Height, int Width) size)
    {
        using var scope = NewDisposeScope();
        return GraphRecorder.Record(network.State(), network.forward, zeros(batch, size.Channels, size.Height, size.Width));
    }

    private static void Describe(OnnxModel model, ClassificationNetwork network)
    {
        model.Metadata["id2label"] = new JsonArray([.. network.Configuration.Id2Label.Select(label => (JsonNode)label)]).ToJsonString();
        model.Metadata["model_type"] = network.Configuration.ModelType;
        model.Metadata["problem_type"] = network.Configuration.ProblemType ?? "single_label_classification";
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
            var halves = new Half[tensor.Data.Length / sizeof(float)];
            System.Numerics.Tensors.TensorPrimitives.ConvertToHalf(tensor.Floats, halves);
            if (Array.Exists(halves, Half.IsInfinity))
            {
                throw new NotSupportedException(Invariant($"'{tensor.Name}' has values beyond {Half.MaxValue}, the largest of float16. Export as fp32."));
            }

            model.Add(tensor with { Type = OnnxType.Float16, Data = System.Runtime.InteropServices.MemoryMarshal.AsBytes(halves.AsSpan()).ToArray() });
        }

        foreach (var port in model.Inputs)
        {
            var half = model.Fresh("half_");
            Rename(model, port.Name, half);
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

    private static void Rename(OnnxModel model, string from, string to)
    {
        for (var i = 0; i < model.Nodes.Count; i++)
        {
            var node = model.Nodes[i];
            model.Nodes[i] = node with { Inputs = [.. node.Inputs.Select(input => input == from ? to : input)] };
        }
    }
}

/// <summary>Makes matrix products with weights of the file products of int8.</summary>
/// <remarks>Source: ONNX Runtime <c>quantize_dynamic(per_channel=True)</c>: weights symmetric with a scale for each output, activations uint8 with a range measured for each batch.</remarks>
internal static class OnnxInt8
{
    private const float Largest = 127;

    public static OnnxModel Convert(OnnxModel model)
    {
        var nodes = model.Nodes.ToList();
        var quantized = new Dictionary<string, (string Values, string Scale, string Zero)>(StringComparer.Ordinal);
        var weights = new Dictionary<string, (string Values, string Scale)>(StringComparer.Ordinal);
        model.Nodes.Clear();
        foreach (var node in nodes)
        {
            if (node.Operator is not ("MatMul" or "Gemm") || !model.Initializers.TryGetValue(node.Inputs[1], out var weight) || weight.Type != OnnxType.Float || weight.Shape.Length != 2)
            {
                model.Nodes.Add(node);
                continue;
            }

            if (!quantized.TryGetValue(node.Inputs[0], out var input))
            {
                input = (model.Fresh("input_uint8_"), model.Fresh("input_scale_"), model.Fresh("input_zero_"));
                model.Nodes.Add(new OnnxNode("DynamicQuantizeLinear", [node.Inputs[0]], [input.Values, input.Scale, input.Zero]));
                quantized[node.Inputs[0]] = input;
            }

            if (!weights.TryGetValue(weight.Name, out var own))
            {
                weights[weight.Name] = own = Quantize(model, weight, outputsFirst: node.Operator == "Gemm");
            }

            var bias = node.Operator == "Gemm" && node.Inputs.Length > 2 && node.Inputs[2].Length > 0 ? node.Inputs[2] : null;
            var whole = model.Emit("Cast", [model.Emit("MatMulInteger", [input.Values, own.Values, input.Zero])], new OnnxAttribute("to", (long)OnnxType.Float));
            var product = bias is null ? node.Outputs[0] : model.Fresh("MatMul_");
            model.Emit(product, "Mul", [whole, model.Emit("Mul", [input.Scale, own.Scale])]);
            if (bias is not null)
            {
                model.Emit(node.Outputs[0], "Add", [product, bias]);
            }
        }

        var used = model.Nodes.SelectMany(n => n.Inputs).ToHashSet(StringComparer.Ordinal);
        foreach (var name in weights.Keys.Where(n => !used.Contains(n)))
        {
            model.Remove(name);
        }

        return model;
    }

    private static (string Values, string Scale) Quantize(OnnxModel model, OnnxTensor weight, bool outputsFirst)
    {
        var (inputs, outputs) = outputsFirst ? (weight.Shape[1], weight.Shape[0]) : (weight.Shape[0], weight.Shape[1]);
        var values = weight.Floats;
        var (scales, whole) = (new float[outputs], new byte[inputs * outputs]);
        for (var o = 0L; o < outputs; o++)
        {
            float largest = 0;
            for (var i = 0L; i < inputs; i++)
            {
                largest = Math.Max(largest, Math.Abs(At(values, i, o)));
            }

            scales[o] = largest == 0 ? 1 : largest / Largest;
            for (var i = 0L; i < inputs; i++)
            {
                whole[(i * outputs) + o] = (byte)(sbyte)Math.Round(At(values, i, o) / scales[o]);
            }
        }

        return (
            model.Add(new OnnxTensor(weight.Name + "_quantized", OnnxType.Int8, [inputs, outputs], whole)),
            model.Add(OnnxTensor.Of(weight.Name + "_scale", [outputs], scales)));

        float At(ReadOnlySpan<float> from, long i, long o) => from[(int)(outputsFirst ? (o * inputs) + i : (i * outputs) + o)];
    }
}
