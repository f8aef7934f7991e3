namespace Vizsla.Models.Weights;

/// <summary>One tensor as a safetensors header describes it.</summary>
/// <param name="Name">Name of the tensor.</param>
/// <param name="Type">Element type as the file spells it, such as <c>F32</c>.</param>
/// <param name="Shape">Length of each axis; empty for a single value.</param>
/// <param name="Begin">First byte, counted from the start of the data.</param>
/// <param name="End">Byte after the last.</param>
internal sealed record SafetensorsEntry(string Name, string Type, IReadOnlyList<long> Shape, long Begin, long End)
{
    /// <summary>Bytes of the tensor.</summary>
    public long Length => End - Begin;
}
