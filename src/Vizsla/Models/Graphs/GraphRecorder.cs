using static TorchSharp.torch;

namespace Vizsla.Models.Graphs;

/// <summary>Notes what a network computes while it computes, on the thread that opened it.</summary>
/// <remarks>
/// The operations of <c>Models/Layers</c> hand over each result with its inputs; tensors are known by their identity. A network's parameters, buffers and
/// <see cref="Constant"/>s are known from the start. What is neither was made by an operation that is not recorded, and is refused.
/// </remarks>
internal sealed class GraphRecorder : IDisposable
{
    [ThreadStatic]
    private static GraphRecorder? _current;

    private readonly Dictionary<Tensor, GraphValue> _values = new(ReferenceEqualityComparer.Instance);
    private readonly List<GraphNode> _nodes = [];
    private readonly Dictionary<Tensor, string> _parameters = new(ReferenceEqualityComparer.Instance);
    private readonly Action<int, Tensor>? _observe;
    private string _lastParameter = "";

    private GraphRecorder(IEnumerable<(string Name, Tensor Value)> state, Action<int, Tensor>? observe)
    {
        _observe = observe;
        foreach (var (name, value) in state)
        {
            _parameters[value] = name;
        }
    }

    /// <summary>The recorder of this thread; null while nothing is recorded.</summary>
    public static GraphRecorder? Current => _current;

    /// <summary>Computes once and gives what was computed.</summary>
    /// <param name="state">Parameters and buffers by name.</param>
    /// <param name="compute">From the input to the output; in evaluation mode.</param>
    /// <param name="input">The network's input.</param>
    /// <param name="observe">Told the place of each operation in the list and its result, before another operation may write over it; null tells nobody.</param>
    /// <exception cref="NotSupportedException">A tensor on the way was made by an operation that is not recorded; the message names the operator and the layer before it.</exception>
    public static NetworkGraph Record(IEnumerable<(string Name, Tensor Value)> state, Func<Tensor, Tensor> compute, Tensor input, Action<int, Tensor>? observe = null)
    {
        if (_current is not null)
        {
            throw new InvalidOperationException("This thread is already recording a network.");
        }

        using var mode = no_grad();
        using var recorder = new GraphRecorder(state, observe);
        var pixels = new GraphValue(NetworkGraph.InputName, input.shape, input.dtype, null);
        recorder._values[input] = pixels;
        _current = recorder;
        try
        {
            using var output = compute(input);
            return new NetworkGraph(pixels, [.. recorder._nodes], recorder.ValueOf(output, "output"));
        }
        finally
        {
            _current = null;
        }
    }

    /// <summary>Notes one operation.</summary>
    /// <param name="kind">What was computed.</param>
    /// <param name="result">The result; a tensor written in place stands for its new value from here on.</param>
    /// <param name="inputs">What it was computed from, in the order that <see cref="GraphOperator"/> tells; null for one that is left out.</param>
    /// <param name="attributes">Numbers that belong to the operator.</param>
    public void Add(GraphOperator kind, Tensor result, ReadOnlySpan<Tensor?> inputs, params ReadOnlySpan<GraphAttribute> attributes)
    {
        var values = new GraphValue?[inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
        {
            values[i] = inputs[i] is { } input ? ValueOf(input, kind.ToString()) : null;
        }

        Add(kind, result, values, attributes);
    }

    /// <summary>Notes an operation of a tensor and a number.</summary>
    public void Add(GraphOperator kind, Tensor result, Tensor left, double right) =>
        Add(kind, result, [ValueOf(left, kind.ToString()), GraphValue.Number(right)], []);

    /// <summary>Notes that a tensor is another one by a new name, such as an alias.</summary>
    public void Same(Tensor result, Tensor input) => _values[result] = ValueOf(input, "Alias");

    /// <summary>Notes a tensor that does not depend on the input; its values are copied.</summary>
    public void Constant(Tensor value)
    {
        using var copy = value.cpu().contiguous();
        _values[value] = new GraphValue(null, value.shape, value.dtype, copy.bytes.ToArray());
    }

    public void Dispose() => _values.Clear();

    private void Add(GraphOperator kind, Tensor result, GraphValue?[] inputs, ReadOnlySpan<GraphAttribute> attributes)
    {
        var output = new GraphValue(null, result.shape, result.dtype, null);
        _nodes.Add(new GraphNode(kind, inputs, output, attributes.ToArray()));
        _values[result] = output;
        _observe?.Invoke(_nodes.Count - 1, result);
    }

    private GraphValue ValueOf(Tensor tensor, string user)
    {
        if (_values.TryGetValue(tensor, out var value))
        {
            return value;
        }

        if (_parameters.TryGetValue(tensor, out var name))
        {
            _lastParameter = name;
            return _values[tensor] = new GraphValue(name, tensor.shape, tensor.dtype, null);
        }

        throw new NotSupportedException(
            $"{user} takes a tensor [{string.Join(", ", tensor.shape)}] that no recorded operation made{(_lastParameter.Length == 0 ? "" : $", after the layer of '{_lastParameter}'")}: networks are exported whose operations are all Vizsla's own (Models/Layers) or constants.");
    }
}
