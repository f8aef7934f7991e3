using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Vizsla.Models.Graphs;
using static TorchSharp.torch;

namespace Vizsla.Export;

/// <summary>Says a network's graph in the operators of ONNX.</summary>
/// <remarks>
/// One case for each entry of <see cref="GraphOperator"/>, so that every network that computes with the operations of <c>Models/Layers</c> is exported.
/// Batch norms after a convolution are folded into it. Source: ONNX operators, opset 18.
/// </remarks>
internal sealed class OnnxTranslation
{
    private readonly OnnxModel _model = new();
    private readonly NetworkGraph _graph;
    private readonly Dictionary<string, Tensor> _state;
    private readonly Dictionary<GraphValue, string> _names = [];
    private readonly Dictionary<(GraphValue Value, int Axis), string> _lengths = [];
    private readonly Dictionary<GraphValue, GraphNode> _makers;
    private readonly Dictionary<GraphValue, int> _uses;

    private OnnxTranslation(NetworkGraph graph, IEnumerable<(string Name, Tensor Value)> state)
    {
        _graph = graph;
        _state = state.ToDictionary(s => s.Name, s => s.Value, StringComparer.Ordinal);
        _makers = graph.Nodes.ToDictionary(n => n.Output);
        _uses = graph.Nodes.SelectMany(n => n.Inputs).OfType<GraphValue>().Append(graph.Output).CountBy(v => v).ToDictionary();
    }

    /// <summary>Makes the model of a graph.</summary>
    /// <param name="graph">What the network computes in evaluation mode.</param>
    /// <param name="state">Parameters and buffers by name.</param>
    /// <returns>Input <c>pixel_values</c> [batch_size, num_channels, height, width], output <c>logits</c> [batch_size, L], both float32.</returns>
    /// <exception cref="NotSupportedException">An operation has no counterpart for pictures of free size; the message names it.</exception>
    public static OnnxModel Translate(NetworkGraph graph, IEnumerable<(string Name, Tensor Value)> state) => new OnnxTranslation(graph, state).Translate();

    private OnnxModel Translate()
    {
        _names[_graph.Input] = NetworkGraph.InputName;
        _model.Inputs.Add(new OnnxPort(NetworkGraph.InputName, OnnxType.Float, "batch_size", "num_channels", "height", "width"));
        var folded = _graph.Nodes.Where(IsFoldedIntoNext).ToHashSet();
        foreach (var (i, node) in _graph.Nodes.Index().Where(n => !folded.Contains(n.Item) && !IsMergedIntoNext(n.Item)))
        {
            _model.Operations[_names[node.Output] = Emit(node)] = i;
        }

        var last = _model.Nodes[^1];
        if (last.Outputs[0] != NameOf(_graph.Output))
        {
            throw new InvalidOperationException("The network's output is not its last operation.");
        }

        _model.Nodes[^1] = last with { Outputs = ["logits"] };
        _model.Outputs.Add(new OnnxPort("logits", OnnxType.Float, "batch_size", _graph.Output.Shape[^1]));
        return _model;
    }

    private string Emit(GraphNode node)
    {
        // What was joined with the operation before it has no name of its own.
        var x = node.Operator is GraphOperator.BatchNormalization or GraphOperator.Permute ? "" : NameOf(node.Inputs[0]!);
        return node.Operator switch
        {
            GraphOperator.Add => Plain("Add", node),
            GraphOperator.Subtract => Plain("Sub", node),
            GraphOperator.Multiply => Plain("Mul", node),
            GraphOperator.Divide => Plain("Div", node),
            GraphOperator.MatMul => Plain("MatMul", node),
            GraphOperator.Relu => Plain("Relu", node),
            GraphOperator.HardSwish => Plain("HardSwish", node),
            GraphOperator.Selu => Plain("Selu", node),
            GraphOperator.Softplus => Plain("Softplus", node),
            GraphOperator.Sigmoid => Plain("Sigmoid", node),
            GraphOperator.Tanh => Plain("Tanh", node),
            GraphOperator.Exp => Plain("Exp", node),
            GraphOperator.Sqrt => Plain("Sqrt", node),
            GraphOperator.Sin => Plain("Sin", node),
            GraphOperator.Cos => Plain("Cos", node),
            GraphOperator.Linear => Linear(node),
            GraphOperator.Convolution => Convolution(node, NameOf(node.Inputs[1]!), NameOf(node.Inputs[2])),
            GraphOperator.BatchNormalization => BatchNormalization(node),
            GraphOperator.LayerNormalization => _model.Emit(
                "LayerNormalization", [x, NameOf(node.Inputs[1]) ?? Filled(node.Inputs[0]!.Shape[^1], 1), NameOf(node.Inputs[2])], new("axis", -1L), new("epsilon", node.Number("epsilon"))),
            GraphOperator.GroupNormalization => GroupNormalization(node, x),
            GraphOperator.Softmax => _model.Emit("Softmax", [x], new OnnxAttribute("axis", node.Whole("axis"))),
            GraphOperator.Gelu => node.Whole("approximate") == 1 ? GeluByTanh(x) : Gelu(x),
            GraphOperator.LeakyRelu => _model.Emit("LeakyRelu", [x], new OnnxAttribute("alpha", node.Number("alpha"))),
            GraphOperator.Clamp => _model.Emit("Clip", [x, Bound(node.Number("min")), Bound(node.Number("max"))]),
            GraphOperator.HardSigmoid => _model.Emit("HardSigmoid", [x], new("alpha", 1.0 / 6), new("beta", 0.5)),
            GraphOperator.Silu => _model.Emit("Mul", [x, _model.Emit("Sigmoid", [x])]),
            GraphOperator.Mish => _model.Emit("Mul", [x, _model.Emit("Tanh", [_model.Emit("Softplus", [x])])]),
            GraphOperator.Mean => Mean(node, x),
            GraphOperator.Sum => Reduce("ReduceSum", node, x),
            GraphOperator.Max => Reduce("ReduceMax", node, x),
            GraphOperator.Norm => Reduce("ReduceL2", node, x),
            GraphOperator.Reshape => _model.Emit("Reshape", [x, Lengths(node.Lengths("shape"))]),
            GraphOperator.Permute => Permute(node),
            GraphOperator.Slice => _model.Emit(
                "Slice", [x, Lengths(node.Lengths("start")), Lengths(node.Lengths("end")), Lengths(node.Lengths("axis")), Lengths(node.Lengths("step"))]),
            GraphOperator.Select => _model.Emit("Gather", [x, _model.Constant(OnnxTensor.Of("", [], [node.Whole("index")]))], new OnnxAttribute("axis", node.Whole("axis"))),
            GraphOperator.Gather => _model.Emit("Gather", [x, NameOf(node.Inputs[1])], new OnnxAttribute("axis", node.Whole("axis"))),
            GraphOperator.Concat => Plain("Concat", node, new OnnxAttribute("axis", node.Whole("axis"))),
            GraphOperator.Expand => _model.Emit("Expand", [x, Lengths(node.Lengths("shape"))]),
            GraphOperator.Tile => _model.Emit("Tile", [x, Lengths(node.Lengths("repeats"))]),
            GraphOperator.Pad => _model.Emit("Pad", [x, Lengths(node.Lengths("pads")), _model.Constant(Border(node))]),
            GraphOperator.MaxPool => _model.Emit("MaxPool", [x], Windows(node)),
            GraphOperator.AveragePool => _model.Emit("AveragePool", [x], [.. Windows(node), new("count_include_pad", node.Whole("counts_padding"))]),
            GraphOperator.AdaptiveAveragePool => AdaptiveAveragePool(node, x),
            GraphOperator.Resize => Resize(node, x),
            _ => throw new NotSupportedException($"{node.Operator} has no counterpart in ONNX."),
        };
    }

    private string Plain(string operation, GraphNode node, params OnnxAttribute[] attributes) => _model.Emit(operation, [.. node.Inputs.Select(NameOf)], attributes);

    private string Linear(GraphNode node)
    {
        var (input, weight, bias) = (node.Inputs[0]!, node.Inputs[1]!, node.Inputs[2]);
        if (input.Shape.Length == 2)
        {
            return _model.Emit("Gemm", [NameOf(input), NameOf(weight), NameOf(bias)], new OnnxAttribute("transB", 1L));
        }

        var product = _model.Emit("MatMul", [NameOf(input), weight.Name is null ? _model.Emit("Transpose", [NameOf(weight)], new OnnxAttribute("perm", (long[])[1, 0])) : Transposed(weight)]);
        return bias is null ? product : _model.Emit("Add", [product, NameOf(bias)]);
    }

    // The weight as MatMul takes it, [inputs, outputs], under its own name; under another one where the network also uses it as it is.
    private string Transposed(GraphValue weight)
    {
        var isShared = _graph.Nodes.Any(n => n.Inputs.Contains(weight) && (n.Operator != GraphOperator.Linear || n.Inputs[1] != weight || n.Inputs[0]!.Shape.Length == 2));
        var name = isShared ? weight.Name + "_transposed" : weight.Name!;
        if (!_model.Initializers.ContainsKey(name))
        {
            using var turned = _state[weight.Name!].t();
            _model.Add(OnnxTensor.Of(name, turned.shape, ValuesOf(turned)));
        }

        return name;
    }

    private string Convolution(GraphNode node, string weight, string? bias)
    {
        var kernel = node.Inputs[1]!.Shape;
        OnnxAttribute[] padding = node.Whole("same") == 1
            ? [new("auto_pad", "SAME_UPPER")]
            : [new("pads", Fixed(node, "pads"))];
        return _model.Emit(
            "Conv", [NameOf(node.Inputs[0]!), weight, bias],
            [new("kernel_shape", kernel[2..]), new("strides", Fixed(node, "strides")), .. padding, new("dilations", Fixed(node, "dilations")), new("group", node.Whole("group"))]);
    }

    private bool IsFoldedIntoNext(GraphNode node) =>
        node.Operator == GraphOperator.Convolution && node.Inputs[1]!.Name is not null && (node.Inputs[2] is null or { Name: not null }) && _uses[node.Output] == 1
        && _graph.Nodes.Any(n => n.Operator == GraphOperator.BatchNormalization && n.Inputs[0] == node.Output && n.Inputs.Skip(1).All(p => p?.Name is not null));

    private string BatchNormalization(GraphNode node)
    {
        var input = node.Inputs[0]!;
        if (!_makers.TryGetValue(input, out var convolution) || !IsFoldedIntoNext(convolution))
        {
            return _model.Emit("BatchNormalization", [.. node.Inputs.Select(NameOf)], new OnnxAttribute("epsilon", node.Number("epsilon")));
        }

        var weight = convolution.Inputs[1]!;
        var values = ValuesOf(_state[weight.Name!]);
        var (scale, shift, mean, variance) = (Parameter(node, 1), Parameter(node, 2), Parameter(node, 3), Parameter(node, 4));
        var bias = convolution.Inputs[2] is { } own ? ValuesOf(_state[own.Name!]) : new float[scale.Length];
        var perChannel = values.Length / scale.Length;
        for (var c = 0; c < scale.Length; c++)
        {
            var factor = scale[c] / Math.Sqrt(variance[c] + node.Number("epsilon"));
            bias[c] = (float)(((bias[c] - (double)mean[c]) * factor) + shift[c]);
            for (var i = c * perChannel; i < (c + 1) * perChannel; i++)
            {
                values[i] = (float)(values[i] * factor);
            }
        }

        _model.Add(OnnxTensor.Of(weight.Name!, weight.Shape, values));
        var biasName = convolution.Inputs[2]?.Name ?? (weight.Name!.EndsWith("weight", StringComparison.Ordinal) ? weight.Name![..^"weight".Length] : weight.Name! + ".") + "bias";
        _model.Add(OnnxTensor.Of(biasName, [bias.Length], bias));

        // A length that was read from the convolution's own result is one of this.
        return _names[convolution.Output] = Convolution(convolution, weight.Name!, biasName);
    }

    private float[] Parameter(GraphNode node, int index) => ValuesOf(_state[node.Inputs[index]!.Name!]);

    private string GroupNormalization(GraphNode node, string x)
    {
        var (groups, rank) = (node.Whole("groups"), node.Inputs[0]!.Shape.Length);
        var grouped = _model.Emit("Reshape", [x, _model.Constant(0, groups, -1)]);
        var normal = _model.Emit("InstanceNormalization", [grouped, Filled(groups, 1), Filled(groups, 0)], new OnnxAttribute("epsilon", node.Number("epsilon")));
        var back = _model.Emit("Reshape", [normal, _model.Emit("Shape", [x])]);
        var places = _model.Constant([-1, .. Enumerable.Repeat(1L, rank - 2)]);
        return _model.Emit("Add", [_model.Emit("Mul", [back, _model.Emit("Reshape", [NameOf(node.Inputs[1]), places])]), _model.Emit("Reshape", [NameOf(node.Inputs[2]), places])]);
    }

    /// <summary>What a plane is padded with. ONNX Runtime makes a pooling's own padding, which never wins, of zeros before it: a number next to zero stays.</summary>
    private double Border(GraphNode node)
    {
        const double NextToZero = 1e-7;
        var value = node.Number("value");
        return value == 0 && _graph.Nodes.Any(n => n.Operator == GraphOperator.MaxPool && n.Inputs[0] == node.Output) ? NextToZero : value;
    }

    private string Gelu(string x)
    {
        var error = _model.Emit("Erf", [_model.Emit("Div", [x, _model.Constant(Math.Sqrt(2))])]);
        return _model.Emit("Mul", [_model.Emit("Mul", [x, _model.Emit("Add", [error, _model.Constant(1.0)])]), _model.Constant(0.5)]);
    }

    private string GeluByTanh(string x)
    {
        var cube = _model.Emit("Mul", [_model.Emit("Mul", [x, x]), x]);
        var inner = _model.Emit("Add", [x, _model.Emit("Mul", [cube, _model.Constant(0.044715)])]);
        var bent = _model.Emit("Tanh", [_model.Emit("Mul", [inner, _model.Constant(Math.Sqrt(2 / Math.PI))])]);
        return _model.Emit("Mul", [_model.Emit("Mul", [x, _model.Emit("Add", [bent, _model.Constant(1.0)])]), _model.Constant(0.5)]);
    }

    private string? Bound(double value) => double.IsInfinity(value) ? null : _model.Constant(value);

    private string Mean(GraphNode node, string x)
    {
        var isPlane = node.Inputs[0]!.Shape.Length == 4 && Fixed(node, "axes").Order().SequenceEqual([2L, 3L]);
        if (!isPlane)
        {
            return Reduce("ReduceMean", node, x);
        }

        var pooled = _model.Emit("GlobalAveragePool", [x]);
        return node.Whole("keepdims") == 1 ? pooled : _model.Emit("Flatten", [pooled], new OnnxAttribute("axis", 1L));
    }

    private string Reduce(string operation, GraphNode node, string x) =>
        _model.Emit(operation, [x, _model.Constant(Fixed(node, "axes"))], new OnnxAttribute("keepdims", node.Whole("keepdims")));

    // Two permutations in a row are one.
    private bool IsMergedIntoNext(GraphNode node) =>
        node.Operator == GraphOperator.Permute && _uses[node.Output] == 1 && _graph.Nodes.Any(n => n.Operator == GraphOperator.Permute && n.Inputs[0] == node.Output);

    private string Permute(GraphNode node)
    {
        var (input, order) = (node.Inputs[0]!, Fixed(node, "order"));
        while (_makers.TryGetValue(input, out var before) && IsMergedIntoNext(before))
        {
            var inner = Fixed(before, "order");
            order = [.. order.Select(axis => inner[axis])];
            input = before.Inputs[0]!;
        }

        return _model.Emit("Transpose", [NameOf(input)], new OnnxAttribute("perm", order));
    }

    private static OnnxAttribute[] Windows(GraphNode node) =>
    [
        new("kernel_shape", Fixed(node, "kernel")), new("strides", Fixed(node, "strides")), new("pads", Fixed(node, "pads")), new("ceil_mode", node.Whole("ceil")),
    ];

    private string AdaptiveAveragePool(GraphNode node, string x)
    {
        var (input, size) = (node.Inputs[0]!.Shape, Fixed(node, "size"));
        if (size is [1, 1])
        {
            return _model.Emit("GlobalAveragePool", [x]);
        }

        // Windows of unequal size are products with the shares of each place.
        var rows = _model.Emit("MatMul", [_model.Constant(OnnxTensor.Of("", [size[0], input[2]], Shares(input[2], size[0]))), x]);
        var shares = Shares(input[3], size[1]);
        var turned = new float[shares.Length];
        for (var i = 0; i < shares.Length; i++)
        {
            turned[(i % input[3] * size[1]) + (i / input[3])] = shares[i];
        }

        return _model.Emit("MatMul", [rows, _model.Constant(OnnxTensor.Of("", [input[3], size[1]], turned))]);
    }

    private static float[] Shares(long from, long to)
    {
        var shares = new float[to * from];
        for (var i = 0L; i < to; i++)
        {
            var (start, end) = (i * from / to, ((i + 1) * from + to - 1) / to);
            shares.AsSpan((int)((i * from) + start), (int)(end - start)).Fill(1f / (end - start));
        }

        return shares;
    }

    private string Resize(GraphNode node, string x)
    {
        var corners = node.Whole("align_corners") == 1 ? "align_corners" : "pytorch_half_pixel";
        OnnxAttribute[] mode = node.Whole("mode") switch
        {
            0 => [new("mode", "nearest"), new("coordinate_transformation_mode", "asymmetric"), new("nearest_mode", "floor")],
            1 => [new("mode", "linear"), new("coordinate_transformation_mode", corners)],
            _ => [new("mode", "cubic"), new("coordinate_transformation_mode", corners), new("cubic_coeff_a", -0.75)],
        };
        // Sizes of all axes: ONNX Runtime up to 1.31 takes those of some for those of all when it moves a transposition across.
        var sizes = _model.Emit("Concat", [_model.Emit("Shape", [x], new("start", 0L), new("end", 2L)), Lengths(node.Lengths("size"))], new OnnxAttribute("axis", 0L));
        return _model.Emit("Resize", [x, null, null, sizes], [.. mode, new("antialias", node.Whole("antialias"))]);
    }

    private string Filled(long count, float value)
    {
        var values = new float[count];
        values.AsSpan().Fill(value);
        return _model.Constant(OnnxTensor.Of("", [count], values));
    }

    // Whole numbers as a tensor: a constant, or the lengths of axes put together.
    private string Lengths(IReadOnlyList<GraphLength> lengths)
    {
        if (lengths.All(l => l.Source is null))
        {
            return _model.Constant([.. lengths.Select(l => l.Value)]);
        }

        string[] parts = [.. lengths.Select(l => l.Source is null ? _model.Constant(l.Value) : LengthOf(l.Source, l.Axis))];
        return parts.Length == 1 ? parts[0] : _model.Emit("Concat", parts, new OnnxAttribute("axis", 0L));
    }

    private string LengthOf(GraphValue value, int axis)
    {
        if (!_lengths.TryGetValue((value, axis), out var name))
        {
            _lengths[(value, axis)] = name = _model.Emit("Shape", [NameOf(value)], new("start", (long)axis), new("end", axis + 1L));
        }

        return name;
    }

    private static long[] Fixed(GraphNode node, string attribute) =>
        node.Lengths(attribute).Any(l => l.Source is not null)
            ? throw new NotSupportedException($"'{attribute}' of {node.Operator} depends on the size of the picture; export for one size.")
            : [.. node.Lengths(attribute).Select(l => l.Value)];

    [return: NotNullIfNotNull(nameof(value))]
    private string? NameOf(GraphValue? value)
    {
        if (value is null)
        {
            return null;
        }

        if (_names.TryGetValue(value, out var name))
        {
            return name;
        }

        if (value.Name is { } parameter)
        {
            return _names[value] = _model.Initializers.ContainsKey(parameter) ? parameter : _model.Add(OnnxTensor.Of(parameter, value.Shape, ValuesOf(_state[parameter])));
        }

        return _names[value] = _model.Constant(new OnnxTensor("", value.Type == ScalarType.Int64 ? OnnxType.Int64 : OnnxType.Float, value.Shape, value.Constant ?? throw new InvalidOperationException($"A tensor [{string.Join(", ", value.Shape)}] is used before it is made.")));
    }

    private static float[] ValuesOf(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return MemoryMarshal.Cast<byte, float>(tensor.detach().to(ScalarType.Float32).cpu().contiguous().bytes).ToArray();
    }
}
