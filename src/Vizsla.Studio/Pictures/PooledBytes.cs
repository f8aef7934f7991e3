using System.Buffers;

namespace Vizsla.Studio.Pictures;

/// <summary>Bytes in a buffer that is used again: megabytes made anew for each move of a slider would keep the collector busy.</summary>
/// <param name="length">Number of bytes; they hold whatever the buffer held.</param>
internal sealed class PooledBytes(int length) : IDisposable
{
    private byte[]? _buffer = ArrayPool<byte>.Shared.Rent(length);

    /// <summary>The bytes.</summary>
    /// <exception cref="ObjectDisposedException">They were given back.</exception>
    public Memory<byte> Memory => (_buffer ?? throw new ObjectDisposedException(nameof(PooledBytes))).AsMemory(0, length);

    /// <summary>The bytes as a span.</summary>
    public Span<byte> Span => Memory.Span;

    /// <summary>Gives the buffer back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
