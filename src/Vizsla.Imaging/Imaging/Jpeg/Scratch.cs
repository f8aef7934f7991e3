using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Vizsla.Imaging.Jpeg;

/// <summary>Memory that stays in place and is used again for the next picture; grows as needed.</summary>
/// <typeparam name="T">What it holds.</typeparam>
internal sealed unsafe class Scratch<T>
    where T : unmanaged
{
    private T[] _array = [];

    /// <summary>Bytes held.</summary>
    public long Size => (long)_array.Length * sizeof(T);

    /// <summary>Room for so many values, which are not cleared; the room given before is gone.</summary>
    /// <param name="length">Number of values.</param>
    public T* Take(long length)
    {
        if (_array.LongLength < length)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Array.MaxLength);
            _array = GC.AllocateUninitializedArray<T>((int)Math.Min(length + length / 4, Array.MaxLength), pinned: true);
        }

        return (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_array));
    }
}
