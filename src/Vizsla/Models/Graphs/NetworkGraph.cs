using TorchSharp;

namespace Vizsla.Models.Graphs;

/// <summary>What a network computes, as a list of operations in the order of their work.</summary>
/// <param name="Input">The pictures, float [B, C, H, W].</param>
/// <param name="Nodes">The operations.</param>
/// <param name="Output">The class scores, float [B, L].</param>
internal sealed record NetworkGraph(GraphValue Input, IReadOnlyList<GraphNode> Nodes, GraphValue Output)
{
    /// <summary>Name of the input, as Hugging Face's files have it.</summary>
    public const string InputName = "pixel_values";
}

/// <summary>A tensor of a graph.</summary>
/// <param name="Name">Name of a parameter or buffer in the network's file, or of the input; null for constants and what a node makes.</param>
/// <param name="Shape">Its shape while it was recorded.</param>
/// <param name="Type">Its type.</param>
/// <param name="Constant">The values of a constant, in the machine's order of bytes; null for all others.</param>
internal sealed record GraphValue(string? Name, long[] Shape, TorchSharp.torch.ScalarType Type, byte[]? Constant)
{
    /// <summary>A constant float without axes.</summary>
    public static GraphValue Number(double value) => new(null, [], torch.ScalarType.Float32, BitConverter.GetBytes((float)value));

    /// <summary>Two values are one only where they are the same object: equal shapes say nothing.</summary>
    public bool Equals(GraphValue? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}

/// <summary>One operation.</summary>
/// <param name="Operator">What is computed.</param>
/// <param name="Inputs">From what; null for an input that is left out.</param>
/// <param name="Output">The result.</param>
/// <param name="Attributes">Numbers that belong to the operator.</param>
internal sealed record GraphNode(
    GraphOperator Operator, IReadOnlyList<GraphValue?> Inputs, GraphValue Output, IReadOnlyList<GraphAttribute> Attributes)
{
    /// <summary>The whole numbers of an attribute.</summary>
    public IReadOnlyList<GraphLength> Lengths(string name) => Attributes.First(a => a.Name == name).Lengths;

    /// <summary>The one whole number of an attribute.</summary>
    public long Whole(string name) => Lengths(name)[0].Value;

    /// <summary>The number of an attribute.</summary>
    public double Number(string name) => Attributes.First(a => a.Name == name).Number;
}

/// <summary>An attribute of an operation: whole numbers, or one number.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Lengths">Whole numbers; empty for a number.</param>
/// <param name="Number">A number; 0 where there are whole ones.</param>
internal sealed record GraphAttribute(string Name, IReadOnlyList<GraphLength> Lengths, double Number)
{
    /// <summary>An attribute of whole numbers.</summary>
    public static GraphAttribute Of(string name, params ReadOnlySpan<long> values) => new(name, [.. values.ToArray().Select(v => new GraphLength(v))], 0);

    /// <summary>An attribute of one number.</summary>
    public static GraphAttribute OfNumber(string name, double value) => new(name, [], value);

    /// <summary>An attribute that is true or false.</summary>
    public static GraphAttribute OfFlag(string name, bool value) => Of(name, value ? 1 : 0);
}

/// <summary>A whole number in an attribute.</summary>
/// <param name="Value">The number while it was recorded; -1 in a <see cref="GraphOperator.Reshape"/> stands for what the others leave.</param>
/// <param name="Source">Where it follows from the pictures: the value whose axis it is the length of; null where it is the same for all pictures.</param>
/// <param name="Axis">The axis of <paramref name="Source"/>.</param>
internal readonly record struct GraphLength(long Value, GraphValue? Source = null, int Axis = 0);
