
namespace Vizsla.Imaging;

/// <summary>The float values of one picture as a model takes them: channel by channel, each row by row.</summary>
/// <remarks>Pooled like <see cref="Image"/>. Source: a torch tensor <c>float32 [C, H, W]</c>, contiguous.</remarks>
public sealed class ImageTensor : IDisposable
{
    private const int MostValues = 1 << 28;
    private readonly int _offset;
    private readonly bool _pooled;
    private float[]? _buffer;

    /// <summary>Makes a tensor with a pooled buffer whose values are not yet set.</summary>
    /// <param name="channels">Channels, at least 1.</param>
    /// <param name="height">Height in pixels, at least 1.</param>
    /// <param name="width">Width in pixels, at least 1.</param>
    /// <exception cref="ImageFormatException">It would take more than 1 GiB.</exception>
    public ImageTensor(int channels, int height, int width)
        : this(channels, height, width, PixelPool<float>.Shared.Rent(Length(channels, height, width)), 0, pooled: true)
    {
    }

    private ImageTensor(int channels, int height, int width, float[] buffer, int offset, bool pooled)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        (Channels, Height, Width) = (channels, height, width);
        (_buffer, _offset, _pooled) = (buffer, offset, pooled);
    }

    /// <summary>A view of a part of a batch's buffer; disposing it gives nothing back.</summary>
    /// <param name="channels">Channels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="buffer">The batch's buffer.</param>
    /// <param name="offset">First value of this picture in the buffer.</param>
    public static ImageTensor Over(int channels, int height, int width, float[] buffer, int offset)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)offset + (long)channels * height * width, buffer.Length, nameof(offset));
        return new(channels, height, width, buffer, offset, pooled: false);
    }

    /// <summary>Number of channels (3 for RGB).</summary>
    public int Channels { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>The Channels * Height * Width values, channel by channel.</summary>
    public Span<float> Values => Memory.Span;

    /// <summary>The values where they lie, for code that is given no span.</summary>
    internal Memory<float> Memory => (_buffer ?? throw new ObjectDisposedException(nameof(ImageTensor))).AsMemory(_offset, Channels * Height * Width);

    /// <summary>The Height * Width values of one channel.</summary>
    /// <param name="channel">0 to Channels - 1.</param>
    public Span<float> Channel(int channel) => Values.Slice(channel * Height * Width, Height * Width);

    private static int Length(long channels, long height, long width) => channels * height * width is var values and <= MostValues
        ? (int)Math.Max(values, 0)
        : throw new ImageFormatException($"a step would make {channels} x {height} x {width} floats of it, more than the limit of {MostValues}; end the pipeline in a smaller size");

    /// <summary>Gives a pooled buffer back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer && _pooled)
        {
            PixelPool<float>.Shared.Return(buffer);
        }
    }
}
