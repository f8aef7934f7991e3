using System.Globalization;
using System.Runtime.InteropServices;

namespace Vizsla.Export;

/// <summary>Types of ONNX tensors, by their numbers in <c>onnx.proto</c>.</summary>
internal enum OnnxType
{
    Float = 1,
    UInt8 = 2,
    Int8 = 3,
    Int32 = 6,
    Int64 = 7,
    String = 8,
    Bool = 9,
    Float16 = 10,
}

/// <summary>A tensor that the file holds.</summary>
/// <param name="Name">Its name; a weight's is the one it has in <c>model.safetensors</c>.</param>
/// <param name="Type">Its type.</param>
/// <param name="Shape">Its shape; empty for a single value.</param>
/// <param name="Data">Its values, little-endian.</param>
internal sealed record OnnxTensor(string Name, OnnxType Type, long[] Shape, byte[] Data)
{
    /// <summary>A float tensor.</summary>
    public static OnnxTensor Of(string name, long[] shape, ReadOnlySpan<float> values) => new(name, OnnxType.Float, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>A tensor of whole numbers.</summary>
    public static OnnxTensor Of(string name, long[] shape, ReadOnlySpan<long> values) => new(name, OnnxType.Int64, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>A tensor of texts, one axis.</summary>
    public static OnnxTensor Of(string name, IReadOnlyList<string> texts) =>
        new(name, OnnxType.String, [texts.Count], System.Text.Encoding.UTF8.GetBytes(string.Concat(texts.Select(t => t.Replace("\0", "", StringComparison.Ordinal) + '\0'))));

    /// <summary>The values of a float tensor.</summary>
    public ReadOnlySpan<float> Floats => MemoryMarshal.Cast<byte, float>(Data);
}

/// <summary>An attribute of a node: a long, long[], double or string.</summary>
internal readonly record struct OnnxAttribute(string Name, object Value);

/// <summary>One operation.</summary>
/// <param name="Operator">Name in the default domain, such as <c>MatMul</c>.</param>
/// <param name="Inputs">Names of tensors; empty for one that is left out.</param>
/// <param name="Outputs">Names of the results.</param>
/// <param name="Attributes">Its attributes.</param>
internal sealed record OnnxNode(string Operator, string[] Inputs, string[] Outputs, params OnnxAttribute[] Attributes);

/// <summary>An input or output: name, type and dimensions, each a number (long) or a name (string) for a length that is free.</summary>
internal sealed record OnnxPort(string Name, OnnxType Type, params object[] Dimensions);

/// <summary>An ONNX model in memory, and its file.</summary>
/// <remarks>Source: <c>onnx.proto</c>, IR version 8, opset 18 of the default domain.</remarks>
internal sealed class OnnxModel
{
    /// <summary>Above this the weights are in a file of their own beside the model, since one message of Protocol Buffers ends at 2 GiB.</summary>
    public const long LargestFile = 2_000_000_000;

    /// <summary>What is added to the model's file name for the weights beside it; where transformers.js looks.</summary>
    public const string DataSuffix = "_data";

    private const int SmallestExternal = 1024;
    private const int IrVersion = 8;
    private const int OpsetVersion = 18;

    private readonly Dictionary<string, OnnxTensor> _initializers = new(StringComparer.Ordinal);
    private int _counter;

    /// <summary>An empty model.</summary>
    public OnnxModel()
    {
    }

    /// <summary>A copy to change; the values of weights are shared.</summary>
    public OnnxModel(OnnxModel other)
    {
        (_initializers, _counter) = (new(other._initializers, StringComparer.Ordinal), other._counter);
        (Inputs, Outputs, Nodes) = ([.. other.Inputs], [.. other.Outputs], [.. other.Nodes]);
        (Metadata, Operations) = (new(other.Metadata, StringComparer.Ordinal), other.Operations);
    }

    /// <summary>Inputs in order.</summary>
    public List<OnnxPort> Inputs { get; } = [];

    /// <summary>Outputs in order.</summary>
    public List<OnnxPort> Outputs { get; } = [];

    /// <summary>Operations, each after those it takes from.</summary>
    public List<OnnxNode> Nodes { get; } = [];

    /// <summary>Weights and constants by name.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Initializers => _initializers;

    /// <summary>Texts about the model, such as its labels; they stay in the file.</summary>
    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Of each tensor that an operation of the network makes, the operation's place in the recorded graph.</summary>
    public Dictionary<string, int> Operations { get; } = new(StringComparer.Ordinal);

    /// <summary>Adds a weight or replaces the one of its name.</summary>
    public string Add(OnnxTensor tensor)
    {
        _initializers[tensor.Name] = tensor;
        return tensor.Name;
    }

    /// <summary>Takes away what no operation uses any more of some weights.</summary>
    public void RemoveUnused(IEnumerable<string> initializers)
    {
        var used = Nodes.SelectMany(n => n.Inputs).ToHashSet(StringComparer.Ordinal);
        foreach (var name in initializers.Where(n => !used.Contains(n)))
        {
            _initializers.Remove(name);
        }
    }

    /// <summary>Lets all operations take another tensor in place of one.</summary>
    public void Rename(string from, string to)
    {
        for (var i = 0; i < Nodes.Count; i++)
        {
            if (Nodes[i].Inputs.Contains(from))
            {
                Nodes[i] = Nodes[i] with { Inputs = [.. Nodes[i].Inputs.Select(input => input == from ? to : input)] };
            }
        }
    }

    /// <summary>Adds a constant, once for all equal ones.</summary>
    public string Constant(OnnxTensor tensor)
    {
        var same = _initializers.Values.FirstOrDefault(t =>
            IsConstant(t) && t.Type == tensor.Type && t.Shape.AsSpan().SequenceEqual(tensor.Shape) && t.Data.AsSpan().SequenceEqual(tensor.Data));
        return same?.Name ?? Add(tensor with { Name = Fresh(ConstantPrefix) });
    }

    /// <summary>Whether a tensor is a number of the network's own, and no weight.</summary>
    public static bool IsConstant(OnnxTensor tensor) => tensor.Name.StartsWith(ConstantPrefix, StringComparison.Ordinal);

    /// <summary>A constant of whole numbers, one axis.</summary>
    public string Constant(params ReadOnlySpan<long> values) => Constant(OnnxTensor.Of("", [values.Length], values));

    /// <summary>A single number as a constant.</summary>
    public string Constant(double value) => Constant(OnnxTensor.Of("", [], [(float)value]));

    /// <summary>Adds an operation of one result; its name.</summary>
    public string Emit(string operation, string?[] inputs, params OnnxAttribute[] attributes) => Emit(Fresh(operation + "_"), operation, inputs, attributes);

    /// <summary>Adds an operation whose result has a given name; that name.</summary>
    public string Emit(string output, string operation, string?[] inputs, params OnnxAttribute[] attributes)
    {
        Nodes.Add(new OnnxNode(operation, [.. inputs.Select(i => i ?? "")], [output], attributes));
        return output;
    }

    /// <summary>A name that no other tensor has.</summary>
    public string Fresh(string prefix) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{_counter++}");

    /// <summary>Writes the model, and beside it <c>FILE_data</c> where it is larger than <see cref="LargestFile"/>.</summary>
    /// <param name="file">Path of the file; it is replaced where it exists.</param>
    /// <param name="largestFile">Weights go to a file of their own above this size in bytes.</param>
    /// <returns>The files that were written.</returns>
    public IReadOnlyList<string> Save(string file, long largestFile = LargestFile)
    {
        var isExternal = _initializers.Values.Sum(t => (long)t.Data.Length) > largestFile;
        var data = file + DataSuffix;
        using (var stream = isExternal ? File.Create(data) : Stream.Null)
        {
            var message = Message(isExternal ? (stream, Path.GetFileName(data)) : null);
            using var model = File.Create(file);
            message.WriteTo(model);
        }

        return isExternal ? [file, data] : [file];
    }

    /// <summary>Writes the model so that it is there whole or not at all.</summary>
    /// <param name="file">Path of the file; its folder is made where it is missing.</param>
    /// <returns>The path.</returns>
    public string SaveWhole(string file)
    {
        // The data file is named inside the model, so both are written under their own names in a folder of their own and moved.
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        Directory.CreateDirectory(folder);
        var temporary = Directory.CreateDirectory(Path.Combine(folder, $".export-{Guid.NewGuid():N}"));
        try
        {
            foreach (var written in Save(Path.Combine(temporary.FullName, Path.GetFileName(file))).Reverse())
            {
                File.Move(written, Path.Combine(folder, Path.GetFileName(written)), overwrite: true);
            }
        }
        finally
        {
            temporary.Delete(recursive: true);
        }

        return file;
    }

    private const string ConstantPrefix = "constant_";

    private ProtoWriter Message((Stream Stream, string Name)? external)
    {
        var graph = new ProtoWriter();
        foreach (var (i, node) in Nodes.Index())
        {
            graph.Message(1, Message(node, string.Create(CultureInfo.InvariantCulture, $"{node.Operator}_{i}")));
        }

        graph.Text(2, "main");
        foreach (var tensor in _initializers.Values)
        {
            graph.Message(5, Message(tensor, external));
        }

        foreach (var (field, ports) in new[] { (11, Inputs), (12, Outputs) })
        {
            foreach (var port in ports)
            {
                graph.Message(field, Message(port));
            }
        }

        var model = new ProtoWriter().Integer(1, IrVersion).Text(2, "vizsla").Message(7, graph).Message(8, new ProtoWriter().Integer(2, OpsetVersion));
        foreach (var (key, value) in Metadata)
        {
            model.Message(14, new ProtoWriter().Text(1, key).Text(2, value));
        }

        return model;
    }

    private static ProtoWriter Message(OnnxNode node, string name)
    {
        var message = new ProtoWriter();
        foreach (var input in node.Inputs)
        {
            // An empty name stands for an input that is left out, and is written.
            message.Bytes(1, System.Text.Encoding.UTF8.GetBytes(input));
        }

        foreach (var output in node.Outputs)
        {
            message.Text(2, output);
        }

        message.Text(3, name).Text(4, node.Operator);
        foreach (var attribute in node.Attributes)
        {
            message.Message(5, Message(attribute));
        }

        return message;
    }

    private static ProtoWriter Message(OnnxAttribute attribute)
    {
        var message = new ProtoWriter().Text(1, attribute.Name);
        switch (attribute.Value)
        {
            case long whole:
                return message.Integer(3, whole).Integer(20, 2);
            case double number:
                return message.Float(2, (float)number).Integer(20, 1);
            case string text:
                return message.Text(4, text).Integer(20, 3);
            case long[] wholes:
                foreach (var whole in wholes)
                {
                    message.Element(8, whole);
                }

                return message.Integer(20, 7);
            default:
                throw new InvalidOperationException($"The attribute '{attribute.Name}' is a {attribute.Value.GetType().Name}.");
        }
    }

    private static ProtoWriter Message(OnnxTensor tensor, (Stream Stream, string Name)? external)
    {
        var message = new ProtoWriter();
        foreach (var length in tensor.Shape)
        {
            message.Element(1, length);
        }

        message.Integer(2, (long)tensor.Type);
        if (tensor.Type == OnnxType.String)
        {
            // The data are the texts, each with a zero after it.
            foreach (var text in System.Text.Encoding.UTF8.GetString(tensor.Data).Split('\0')[..^1])
            {
                message.Bytes(6, System.Text.Encoding.UTF8.GetBytes(text));
            }

            return message.Text(8, tensor.Name);
        }

        message.Text(8, tensor.Name);
        // Shapes and other small constants are looked at while the model is loaded, and so stay in it.
        if (tensor.Data.Length < SmallestExternal || external is not ({ } stream, { } name))
        {
            return message.Bytes(9, tensor.Data);
        }

        message.Message(13, Entry("location", name))
            .Message(13, Entry("offset", stream.Position.ToString(CultureInfo.InvariantCulture)))
            .Message(13, Entry("length", tensor.Data.Length.ToString(CultureInfo.InvariantCulture)));
        stream.Write(tensor.Data);
        return message.Integer(14, 1);

        static ProtoWriter Entry(string key, string value) => new ProtoWriter().Text(1, key).Text(2, value);
    }

    private static ProtoWriter Message(OnnxPort port)
    {
        var shape = new ProtoWriter();
        foreach (var dimension in port.Dimensions)
        {
            shape.Message(1, dimension is string name ? new ProtoWriter().Text(2, name) : new ProtoWriter().Element(1, (long)dimension));
        }

        return new ProtoWriter().Text(1, port.Name).Message(2, new ProtoWriter().Message(1, new ProtoWriter().Integer(1, (long)port.Type).Message(2, shape)));
    }
}
