namespace Vizsla.Export;

/// <summary>Makes matrix products with weights of the file products of int8.</summary>
/// <remarks>Source: ONNX Runtime <c>quantize_dynamic(per_channel=True)</c>: weights symmetric with a scale for each output, activations uint8 with a range measured for each batch.</remarks>
internal static class OnnxDynamicInt8
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

        model.RemoveUnused(weights.Keys);
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

/// <summary>Makes convolutions, and what stands between two of them, operations of int8 with ranges that were observed.</summary>
/// <remarks>
/// Each value is rounded to uint8 and back (QuantizeLinear, DequantizeLinear), which ONNX Runtime joins with the operation between them; weights are int8 with a scale for each output.
/// Source: ONNX Runtime <c>quantize_static(QuantFormat.QDQ, per_channel=True, activation_type=QUInt8, weight_type=QInt8)</c>, ranges by <c>CalibrationMethod.MinMax</c>.
/// </remarks>
internal sealed class OnnxStaticInt8
{
    private const float LargestWeight = 127;
    private const float Levels = 255;

    // Sums are whole numbers of 32 bits, and a bias is one of their terms.
    private const double LargestBias = 1 << 30;

    private static readonly HashSet<string> s_follow = new(StringComparer.Ordinal) { "Add", "Mul", "Sigmoid", "GlobalAveragePool", "Concat" };

    private readonly OnnxModel _model;
    private readonly HashSet<string> _floatLayers;
    private readonly Dictionary<string, (float Least, float Most)> _ranges;
    private readonly Dictionary<string, string> _rounded = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Scale, string Zero, double Step)> _scales = new(StringComparer.Ordinal);

    public OnnxStaticInt8(OnnxModel model, IReadOnlyDictionary<string, (float Least, float Most)> ranges, IEnumerable<string> floatLayers)
    {
        _model = model;
        _floatLayers = floatLayers.ToHashSet(StringComparer.Ordinal);
        _ranges = new(ranges, StringComparer.Ordinal);
        foreach (var node in model.Nodes.Where(n => n.Operator == "Sigmoid"))
        {
            _ranges.TryAdd(node.Outputs[0], (0, 1));
        }
    }

    /// <summary>Names of the convolutions whose input and output have a range.</summary>
    public static IReadOnlyList<string> Convolutions(OnnxModel model, IReadOnlyDictionary<string, (float Least, float Most)> ranges) =>
    [
        .. model.Nodes.Where(n => n.Operator == "Conv" && model.Initializers.ContainsKey(n.Inputs[1]) && ranges.ContainsKey(n.Inputs[0]) && ranges.ContainsKey(n.Outputs[0]))
            .Select(n => n.Inputs[1]).Distinct(),
    ];

    /// <summary>Changes the model.</summary>
    public OnnxModel Convert()
    {
        var chosen = Convolutions(_model, _ranges).Except(_floatLayers).ToHashSet(StringComparer.Ordinal);
        var nodes = _model.Nodes.ToList();
        var uses = nodes.SelectMany(n => n.Inputs).Concat(_model.Outputs.Select(o => o.Name)).CountBy(n => n).ToDictionary(StringComparer.Ordinal);
        // What an activation makes of a convolution is rounded once, after the activation.
        var activations = nodes.Where(n => n.Operator is "Relu" or "Clip" && uses[n.Inputs[0]] == 1).ToDictionary(n => n.Inputs[0], StringComparer.Ordinal);
        var whole = new HashSet<string>(StringComparer.Ordinal);
        _model.Nodes.Clear();
        foreach (var node in nodes)
        {
            if (node.Operator == "Conv" && chosen.Contains(node.Inputs[1]))
            {
                Convolve(node);
                whole.UnionWith(node.Outputs);
                if (!activations.ContainsKey(node.Outputs[0]))
                {
                    Round(node.Outputs[0]);
                }
            }
            else if (activations.TryGetValue(node.Inputs[0], out var activation) && activation == node && whole.Contains(node.Inputs[0]) && _ranges.ContainsKey(node.Outputs[0]))
            {
                _model.Nodes.Add(node);
                Round(node.Outputs[0]);
            }
            else if (node.Operator == "MaxPool" && _rounded.ContainsKey(node.Inputs[0]))
            {
                // The largest of rounded values is one of them.
                _model.Nodes.Add(Rounded(node));
                _ranges[node.Outputs[0]] = _ranges[node.Inputs[0]];
                Round(node.Outputs[0]);
            }
            else if (s_follow.Contains(node.Operator) && _ranges.ContainsKey(node.Outputs[0]) && node.Inputs.All(_rounded.ContainsKey))
            {
                _model.Nodes.Add(Rounded(node));
                Round(node.Outputs[0]);
            }
            else
            {
                _model.Nodes.Add(Rounded(node));
            }
        }

        _model.RemoveUnused(chosen.Concat(nodes.Where(n => n.Operator == "Conv" && chosen.Contains(n.Inputs[1])).SelectMany(n => n.Inputs.Skip(2))).ToList());
        return _model;
    }

    private OnnxNode Rounded(OnnxNode node) => node with { Inputs = [.. node.Inputs.Select(input => _rounded.GetValueOrDefault(input, input))] };

    private void Convolve(OnnxNode node)
    {
        var input = _rounded.TryGetValue(node.Inputs[0], out var known) ? known : Round(node.Inputs[0]);
        var weight = _model.Initializers[node.Inputs[1]];
        var bias = node.Inputs.Length > 2 && node.Inputs[2].Length > 0 ? _model.Initializers[node.Inputs[2]] : null;
        var step = _scales[node.Inputs[0]].Step;
        var outputs = (int)weight.Shape[0];
        var values = weight.Floats;
        var each = values.Length / outputs;
        var (scales, rounded, sums) = (new float[outputs], new byte[values.Length], new int[outputs]);
        for (var o = 0; o < outputs; o++)
        {
            var own = values.Slice(o * each, each);
            var largest = System.Numerics.Tensors.TensorPrimitives.MaxMagnitude(own);
            var added = bias is null ? 0 : bias.Floats[o];
            scales[o] = (float)Math.Max(largest == 0 ? 1 : Math.Abs(largest) / LargestWeight, Math.Abs(added) / (step * LargestBias));
            for (var i = 0; i < each; i++)
            {
                rounded[(o * each) + i] = (byte)(sbyte)Math.Round(own[i] / scales[o]);
            }

            sums[o] = (int)Math.Round(added / (step * scales[o]));
        }

        var scale = Add("_scale", OnnxType.Float, [outputs], System.Runtime.InteropServices.MemoryMarshal.AsBytes(scales.AsSpan()));
        var zeros = Add("_zero", OnnxType.Int8, [outputs], new byte[outputs]);
        string[] inputs = [input, _model.Emit("DequantizeLinear", [Add("_quantized", OnnxType.Int8, weight.Shape, rounded), scale, zeros], new OnnxAttribute("axis", 0L))];
        if (bias is not null)
        {
            var sumScale = Add("_sum_scale", OnnxType.Float, [outputs], System.Runtime.InteropServices.MemoryMarshal.AsBytes(scales.Select(s => (float)(s * step)).ToArray().AsSpan()));
            var sum = Add("_sum", OnnxType.Int32, [outputs], System.Runtime.InteropServices.MemoryMarshal.AsBytes(sums.AsSpan()));
            inputs = [.. inputs, _model.Emit("DequantizeLinear", [sum, sumScale], new OnnxAttribute("axis", 0L))];
        }

        _model.Nodes.Add(node with { Inputs = inputs });

        // A second convolution with the same weight has values of its own.
        string Add(string suffix, OnnxType type, long[] shape, ReadOnlySpan<byte> data) => _model.Add(new OnnxTensor(
            _model.Initializers.ContainsKey(weight.Name + suffix) ? _model.Fresh(weight.Name + suffix + "_") : weight.Name + suffix, type, shape, data.ToArray()));
    }

    /// <summary>Rounds a value to uint8 and back; what takes it from here on takes the rounded one.</summary>
    private string Round(string name)
    {
        var (least, most) = _ranges[name];
        // Zero is a level of its own: borders are padded with it.
        (least, most) = (Math.Min(least, 0), Math.Max(most, 0));
        var step = most > least ? (double)(most - least) / Levels : 1;
        var scale = _model.Constant((float)step);
        var zero = _model.Constant(new OnnxTensor("", OnnxType.UInt8, [], [(byte)Math.Clamp(Math.Round(-least / step), 0, Levels)]));
        _scales[name] = (scale, zero, (float)step);
        var levels = _model.Emit("QuantizeLinear", [name, scale, zero]);
        return _rounded[name] = _model.Emit("DequantizeLinear", [levels, scale, zero]);
    }
}
