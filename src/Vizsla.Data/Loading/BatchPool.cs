using System.Collections.Concurrent;

namespace Vizsla.Loading;

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
