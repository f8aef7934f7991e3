using static TorchSharp.torch;

namespace Vizsla.Models.Weights;

/// <summary>The element types of a safetensors file, in the order in which the format ranks them.</summary>
/// <remarks>Source: safetensors <c>tensor.rs</c>, <c>Dtype</c>.</remarks>
internal static class SafetensorsType
{
    // Name, bits per element, torch's type where it has one; ascending rank.
    private static readonly (string Name, int Bits, ScalarType? Type)[] _types =
    [
        ("BOOL", 8, ScalarType.Bool),
        ("F4", 4, null),
        ("F6_E2M3", 6, null),
        ("F6_E3M2", 6, null),
        ("U8", 8, ScalarType.Byte),
        ("I8", 8, ScalarType.Int8),
        ("F8_E5M2", 8, null),
        ("F8_E4M3", 8, null),
        ("F8_E8M0", 8, null),
        ("I16", 16, ScalarType.Int16),
        ("U16", 16, null),
        ("F16", 16, ScalarType.Float16),
        ("BF16", 16, ScalarType.BFloat16),
        ("I32", 32, ScalarType.Int32),
        ("U32", 32, null),
        ("F32", 32, ScalarType.Float32),
        ("C64", 64, ScalarType.ComplexFloat32),
        ("F64", 64, ScalarType.Float64),
        ("I64", 64, ScalarType.Int64),
        ("U64", 64, null),
    ];

    /// <summary>Bits per element of a type by its name in the file; null for a name that the format does not know.</summary>
    public static int? Bits(string name) => Array.Find(_types, t => t.Name == name) is { Name: not null } found ? found.Bits : null;

    /// <summary>Torch's type, or null where torch has none that is supported here.</summary>
    public static ScalarType? ToTorch(string name) => Array.Find(_types, t => t.Name == name).Type;

    /// <summary>Bytes per element of torch's type.</summary>
    public static int ElementSize(ScalarType type) => _types[FromTorch(type).Rank].Bits / 8;

    /// <summary>The name in the file and the rank of torch's type.</summary>
    public static (string Name, int Rank) FromTorch(ScalarType type)
    {
        var rank = Array.FindIndex(_types, t => t.Type == type);
        return rank < 0
            ? throw new ArgumentException($"A safetensors file cannot hold the type {type}.", nameof(type))
            : (_types[rank].Name, rank);
    }
}
