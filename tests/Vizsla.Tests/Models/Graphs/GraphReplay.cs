using System.Buffers.Binary;
using TorchSharp;
using Vizsla.Models.Graphs;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models.Graphs;

/// <summary>Computes what a recorded graph says, operator by operator, with nothing of the network but its weights.</summary>
internal static class GraphReplay
{
    /// <summary>The output for other pictures than those of the recording.</summary>
    public static Tensor Run(NetworkGraph graph, IEnumerable<(string Name, Tensor Value)> state, Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var named = state.ToDictionary(s => s.Name, s => s.Value, StringComparer.Ordinal);
        var values = new Dictionary<GraphValue, Tensor> { [graph.Input] = pixels };
        foreach (var node in graph.Nodes)
        {
            var inputs = node.Inputs.Select(i => i is null ? null : ValueOf(i, values, named)).ToArray();
            values[node.Output] = Compute(node, inputs!, values);
        }

        return values[graph.Output].MoveToOuterDisposeScope();
    }

    private static Tensor ValueOf(GraphValue value, Dictionary<GraphValue, Tensor> values, Dictionary<string, Tensor> named)
    {
        if (values.TryGetValue(value, out var known))
        {
            return known;
        }

        return value.Name is { } name ? named[name] : value.Type == ScalarType.Int64
            ? tensor(Numbers(value.Constant!, 8, b => BinaryPrimitives.ReadInt64LittleEndian(b)), value.Shape)
            : tensor(Numbers(value.Constant!, 4, b => BinaryPrimitives.ReadSingleLittleEndian(b)), value.Shape);
    }

    private static T[] Numbers<T>(byte[] bytes, int width, Func<byte[], T> read) => [.. bytes.Chunk(width).Select(read)];

    private static Tensor Compute(GraphNode node, Tensor[] x, Dictionary<GraphValue, Tensor> values)
    {
        long[] Lengths(string name) => [.. node.Lengths(name).Select(l => l.Source is { } source ? values[source].shape[l.Axis] : l.Value)];
        long Length(string name) => Lengths(name)[0];
        bool Flag(string name) => node.Whole(name) == 1;
        return node.Operator switch
        {
            GraphOperator.Add => x[0].Plus(x[1]),
            GraphOperator.Subtract => x[0] - x[1],
            GraphOperator.Multiply => x[0] * x[1],
            GraphOperator.Divide => x[0] / x[1],
            GraphOperator.MatMul => x[0].matmul(x[1]),
            GraphOperator.Linear => nn.functional.linear(x[0], x[1], x[2]),
            GraphOperator.Convolution => Convolve(x, Lengths, Flag("same")),
            GraphOperator.BatchNormalization => nn.functional.batch_norm(x[0], x[3], x[4], x[1], x[2], eps: node.Number("epsilon")),
            GraphOperator.LayerNormalization => nn.functional.layer_norm(x[0], [x[0].shape[^1]], x[1], x[2], node.Number("epsilon")),
            GraphOperator.GroupNormalization => nn.functional.group_norm(x[0], Length("groups"), x[1], x[2], node.Number("epsilon")),
            GraphOperator.Softmax => x[0].softmax(Length("axis")),
            GraphOperator.Gelu => nn.functional.gelu(x[0], Flag("approximate") ? TorchSharp.Modules.GELU.Approximate.tanh : TorchSharp.Modules.GELU.Approximate.none),
            GraphOperator.Relu => x[0].relu(),
            GraphOperator.LeakyRelu => x[0].leaky_relu(KeptScalars.Kept(node.Number("alpha"))),
            GraphOperator.Clamp => x[0].clamp(KeptScalars.Kept(node.Number("min")), KeptScalars.Kept(node.Number("max"))),
            GraphOperator.HardSwish => x[0].hardswish(),
            GraphOperator.HardSigmoid => nn.functional.hardsigmoid(x[0]),
            GraphOperator.Silu => x[0].silu(),
            GraphOperator.Mish => x[0] * x[0].exp().Plus(1).log().tanh(),
            GraphOperator.Selu => nn.functional.selu(x[0]),
            GraphOperator.Softplus => x[0].exp().Plus(1).log(),
            GraphOperator.Sigmoid => x[0].sigmoid(),
            GraphOperator.Tanh => x[0].tanh(),
            GraphOperator.Exp => x[0].exp(),
            GraphOperator.Sqrt => x[0].sqrt(),
            GraphOperator.Sin => x[0].sin(),
            GraphOperator.Cos => x[0].cos(),
            GraphOperator.Mean => x[0].mean(Lengths("axes"), Flag("keepdims")),
            GraphOperator.Sum => x[0].sum(Lengths("axes"), Flag("keepdims")),
            GraphOperator.Max => x[0].amax(Lengths("axes"), Flag("keepdims")),
            GraphOperator.Norm => (x[0] * x[0]).sum(Lengths("axes"), Flag("keepdims")).sqrt(),
            GraphOperator.Reshape => x[0].reshape(Lengths("shape")),
            GraphOperator.Permute => x[0].permute(Lengths("order")),
            GraphOperator.Slice => x[0].slice(Length("axis"), Length("start"), Length("end"), Length("step")),
            GraphOperator.Select => x[0].select(Length("axis"), Length("index")),
            GraphOperator.Gather => x[0].index_select(Length("axis"), x[1]),
            GraphOperator.Concat => cat(x, Length("axis")),
            GraphOperator.Expand => x[0].expand(Lengths("shape")),
            GraphOperator.Tile => x[0].repeat(Lengths("repeats")),
            GraphOperator.Pad => Pad(x[0], Lengths("pads"), node.Number("value")),
            GraphOperator.MaxPool => nn.functional.max_pool2d(
                x[0], Lengths("kernel"), Lengths("strides"), [Lengths("pads")[0], Lengths("pads")[1]], ceil_mode: Flag("ceil")),
            GraphOperator.AveragePool => nn.functional.avg_pool2d(
                x[0], Lengths("kernel"), Lengths("strides"), [Lengths("pads")[0], Lengths("pads")[1]], Flag("ceil"), Flag("counts_padding")),
            GraphOperator.AdaptiveAveragePool => nn.functional.adaptive_avg_pool2d(x[0], Lengths("size")),
            GraphOperator.Resize => nn.functional.interpolate(
                x[0], Lengths("size"), mode: new[] { InterpolationMode.Nearest, InterpolationMode.Bilinear, InterpolationMode.Bicubic }[node.Whole("mode")],
                align_corners: node.Whole("mode") == 0 ? null : Flag("align_corners")),
            _ => throw new InvalidOperationException($"No replay of {node.Operator}."),
        };
    }

    private static Tensor Convolve(Tensor[] x, Func<string, long[]> lengths, bool isSame)
    {
        var (strides, pads, dilations) = (lengths("strides"), lengths("pads"), lengths("dilations"));
        for (var i = 0; i < 2 && isSame; i++)
        {
            var (size, kernel) = (x[0].shape[2 + i], x[1].shape[2 + i]);
            var total = Math.Max(0, ((size + strides[i] - 1) / strides[i] - 1) * strides[i] + (kernel - 1) * dilations[i] + 1 - size);
            (pads[i], pads[2 + i]) = (total / 2, total - total / 2);
        }

        return nn.functional.conv2d(Pad(x[0], [0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]], 0), x[1], x[2], strides, [0, 0], dilations, lengths("group")[0]);
    }

    private static Tensor Pad(Tensor x, long[] pads, double value)
    {
        var axes = pads.Length / 2;
        return nn.functional.pad(x, [.. Enumerable.Range(0, axes).Reverse().SelectMany(a => new[] { pads[a], pads[axes + a] })], value: value);
    }
}
