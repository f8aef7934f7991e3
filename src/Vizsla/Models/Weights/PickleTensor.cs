using static TorchSharp.torch;

namespace Vizsla.Models.Weights;

/// <summary>Where a tensor of a torch file lies.</summary>
/// <param name="Storage">Key of the storage that holds its bytes.</param>
/// <param name="Type">Element type.</param>
/// <param name="StorageLength">Elements of the whole storage.</param>
/// <param name="Offset">First element in the storage.</param>
/// <param name="Shape">Length of each axis.</param>
/// <param name="Strides">Elements from one index to the next on each axis.</param>
internal sealed record PickleTensor(
    string Storage, ScalarType Type, long StorageLength, long Offset, IReadOnlyList<long> Shape, IReadOnlyList<long> Strides);

/// <summary>A Python object that was described but never made: its class or function, what it would have been called with, and its state.</summary>
/// <param name="Name">Module and name, such as <c>numpy.ndarray</c>.</param>
/// <param name="Arguments">Arguments of the call.</param>
internal sealed record PickleObject(string Name, IReadOnlyList<object?> Arguments)
{
    /// <summary>What <c>__setstate__</c> would have been given; null when nothing.</summary>
    public object? State { get; internal set; }
}

/// <summary>A class or function that a torch file names; it is a name here and nothing more.</summary>
/// <param name="Name">Module and name, such as <c>torch.FloatStorage</c>.</param>
internal sealed record PickleGlobal(string Name);

/// <summary>The storage that a torch file refers to.</summary>
internal sealed record PickleStorage(string Key, ScalarType Type, long Length);
