using System.Runtime.InteropServices;
using Google.Protobuf;

namespace Vizsla.Models.Weights;

/// <summary>The operators and constants of an ONNX file, as far as weights are found by them.</summary>
/// <remarks>Source: <c>onnx.proto</c>, messages <c>ModelProto</c>, <c>GraphProto</c>, <c>NodeProto</c>, <c>AttributeProto</c> and <c>TensorProto</c>.</remarks>
internal sealed class OnnxGraph
{
    private const int FloatType = 1;

    private readonly Dictionary<string, OnnxNode> _producers = new(StringComparer.Ordinal);

    private OnnxGraph(string path) => Path = path;

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Constants under their names.</summary>
    public Dictionary<string, OnnxConstant> Constants { get; } = new(StringComparer.Ordinal);

    /// <summary>The last operator; null in a graph without one.</summary>
    public OnnxNode? Last { get; private set; }

    /// <summary>The operator whose result has a name; null where it is an input or a constant.</summary>
    public OnnxNode? Producer(string name) => _producers.GetValueOrDefault(name);

    /// <summary>Reads a file.</summary>
    /// <exception cref="ModelLoadException">It is not an ONNX file, or cannot be read.</exception>
    public static OnnxGraph Read(string path)
    {
        var graph = new OnnxGraph(path);
        try
        {
            using var file = File.OpenRead(path);
            using var model = CodedInputStream.CreateWithLimits(file, int.MaxValue, recursionLimit: 100);
            foreach (var (field, value) in Fields(model))
            {
                // ModelProto.graph
                if (field == 7)
                {
                    graph.Add(value);
                }
            }
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ModelLoadException($"'{path}' cannot be read as ONNX: {e.Message.TrimEnd('.')}.", e);
        }

        return graph.Last is not null ? graph : throw new ModelLoadException($"'{path}' is not an ONNX file: it holds no operator.");
    }

    private void Add(ByteString graph)
    {
        foreach (var (field, value) in Fields(graph.CreateCodedInput()))
        {
            if (field == 1)
            {
                Last = OnnxNode.Read(value);
                foreach (var output in Last.Outputs)
                {
                    _producers[output] = Last;
                }
            }
            else if (field == 5 && ReadConstant(value) is var (name, constant))
            {
                Constants[name] = constant;
            }
        }
    }

    // Other types than float hold no weights.
    private static (string Name, OnnxConstant Value)? ReadConstant(ByteString tensor)
    {
        var (name, shape, type) = ("", new List<long>(), 0);
        ReadOnlyMemory<byte> values = default;
        var input = tensor.CreateCodedInput();
        while (input.ReadTag() is not 0 and var tag)
        {
            switch (WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag))
            {
                case (1, WireFormat.WireType.Varint):
                    shape.Add(input.ReadInt64());
                    break;
                case (1, WireFormat.WireType.LengthDelimited):
                    shape.AddRange(Integers(input.ReadBytes()));
                    break;
                case (2, WireFormat.WireType.Varint):
                    type = input.ReadInt32();
                    break;
                // float_data in one piece, or raw_data: little-endian both.
                case (4 or 9, WireFormat.WireType.LengthDelimited):
                    values = input.ReadBytes().Memory;
                    break;
                case (8, WireFormat.WireType.LengthDelimited):
                    name = input.ReadString();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return type == FloatType && values.Length == sizeof(float) * shape.Aggregate(1L, (count, length) => count * length) ? (name, new OnnxConstant(shape, values)) : null;
    }

    /// <summary>The fields of a message that hold bytes, a text or a message.</summary>
    internal static IEnumerable<(int Field, ByteString Value)> Fields(CodedInputStream input)
    {
        while (input.ReadTag() is not 0 and var tag)
        {
            if (WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
            {
                yield return (WireFormat.GetTagFieldNumber(tag), input.ReadBytes());
            }
            else
            {
                input.SkipLastField();
            }
        }
    }

    /// <summary>Integers in one piece.</summary>
    internal static IEnumerable<long> Integers(ByteString packed)
    {
        var input = packed.CreateCodedInput();
        while (!input.IsAtEnd)
        {
            yield return input.ReadInt64();
        }
    }
}

/// <summary>A constant of an ONNX file.</summary>
/// <param name="Shape">Its shape.</param>
/// <param name="Bytes">Its floats, little-endian.</param>
internal sealed record OnnxConstant(IReadOnlyList<long> Shape, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Its floats.</summary>
    public ReadOnlySpan<float> Values => MemoryMarshal.Cast<byte, float>(Bytes.Span);
}

/// <summary>An operator of an ONNX file.</summary>
/// <param name="Kind">Its name, such as <c>Conv</c>.</param>
/// <param name="Inputs">Names of what it works on.</param>
/// <param name="Outputs">Names of its results.</param>
/// <param name="Numbers">Attributes of whole numbers.</param>
internal sealed record OnnxNode(string Kind, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, IReadOnlyDictionary<string, IReadOnlyList<long>> Numbers)
{
    /// <summary>Reads one.</summary>
    public static OnnxNode Read(ByteString node)
    {
        var (kind, inputs, outputs) = ("", new List<string>(), new List<string>());
        var numbers = new Dictionary<string, IReadOnlyList<long>>(StringComparer.Ordinal);
        foreach (var (field, value) in OnnxGraph.Fields(node.CreateCodedInput()))
        {
            switch (field)
            {
                case 1:
                    inputs.Add(value.ToStringUtf8());
                    break;
                case 2:
                    outputs.Add(value.ToStringUtf8());
                    break;
                case 4:
                    kind = value.ToStringUtf8();
                    break;
                case 5:
                    AddNumbers(value, numbers);
                    break;
            }
        }

        return new(kind, inputs, outputs, numbers);
    }

    private static void AddNumbers(ByteString attribute, Dictionary<string, IReadOnlyList<long>> numbers)
    {
        var (name, list) = ("", new List<long>());
        var input = attribute.CreateCodedInput();
        while (input.ReadTag() is not 0 and var tag)
        {
            switch (WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag))
            {
                case (1, WireFormat.WireType.LengthDelimited):
                    name = input.ReadString();
                    break;
                case (3 or 8, WireFormat.WireType.Varint):
                    list.Add(input.ReadInt64());
                    break;
                case (8, WireFormat.WireType.LengthDelimited):
                    list.AddRange(OnnxGraph.Integers(input.ReadBytes()));
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        numbers[name] = list;
    }
}
