using System.Collections.Concurrent;

namespace Vizsla.Loading;

/// <summary>The pictures of one step as floats, with their labels.</summary>
/// <remarks>The arrays are pinned and reused: they may be longer than the batch, and belong to it until <see cref="Dispose"/>. Source: <c>pixel_values</c> and <c>labels</c> of the default collator.</remarks>
public sealed class ImageBatch : IDisposable
{
    /// <summary>The label of a row without one: torch's <c>ignore_index</c>.</summary>
    public const long NoLabel = -100;

    private readonly BatchPool? _pool;
    private BatchBuffers? _buffers;

    /// <summary>Makes a batch with arrays of its own whose values are not yet set.</summary>
    /// <param name="count">Pictures, at least 1.</param>
    /// <param name="channels">Channels of a picture, at least 1.</param>
    /// <param name="height">Height in pixels, at least 1.</param>
    /// <param name="width">Width in pixels, at least 1.</param>
    public ImageBatch(int count, int channels, int height, int width)
        : this(null, BatchBuffers.Create(count, checked(count * channels * height * width)), count, channels, height, width)
    {
    }

    internal ImageBatch(BatchPool? pool, BatchBuffers buffers, int count, int channels, int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        (_pool, _buffers) = (pool, buffers);
        (Count, Channels, Height, Width) = (count, channels, height, width);
    }

    /// <summary>Pictures in the batch.</summary>
    public int Count { get; }

    /// <summary>Channels of a picture (3 for RGB).</summary>
    public int Channels { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Float [Count, Channels, Height, Width]: the first Count * Channels * Height * Width values are valid.</summary>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public float[] Pixels => Buffers.Pixels;

    /// <summary>Class numbers, or <see cref="NoLabel"/>: the first Count are valid.</summary>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public long[] Labels => Buffers.Labels;

    /// <summary>Rows of the dataset: the first Count are valid.</summary>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public int[] Rows => Buffers.Rows;

    private BatchBuffers Buffers => _buffers ?? throw new ObjectDisposedException(nameof(ImageBatch));

    /// <summary>Gives the arrays back to the loader.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffers, null) is { } buffers)
        {
            _pool?.Return(buffers);
        }
    }
}

/// <summary>The arrays of batches that a loader hands out again and again; they die with the loader.</summary>
/// <param name="batchSize">Samples that a batch has room for.</param>
internal sealed class BatchPool(int batchSize)
{
    private readonly ConcurrentBag<BatchBuffers> _free = [];

    /// <summary>Arrays for a batch of pictures of one size.</summary>
    /// <param name="valuesPerSample">Floats of one picture.</param>
    public BatchBuffers Rent(int valuesPerSample)
    {
        var values = checked(batchSize * valuesPerSample);
        while (_free.TryTake(out var buffers))
        {
            if (buffers.Pixels.Length == values)
            {
                return buffers;
            }
        }

        return BatchBuffers.Create(batchSize, values);
    }

    /// <summary>Takes arrays back.</summary>
    /// <param name="buffers">Arrays that nobody reads any more.</param>
    public void Return(BatchBuffers buffers) => _free.Add(buffers);
}

/// <summary>The arrays of a batch, pinned so that libtorch can read them where they lie.</summary>
/// <param name="Pixels">Floats.</param>
/// <param name="Labels">Class numbers.</param>
/// <param name="Rows">Rows of the dataset.</param>
internal sealed record BatchBuffers(float[] Pixels, long[] Labels, int[] Rows)
{
    public static BatchBuffers Create(int count, int values) => new(
        GC.AllocateUninitializedArray<float>(values, pinned: true),
        GC.AllocateUninitializedArray<long>(count, pinned: true),
        new int[count]);
}
