using Vizsla.Datasets;
using Vizsla.Imaging;

namespace Vizsla.Loading;

/// <summary>A batch in the making: samples arrive in any order, from any thread.</summary>
internal sealed class PendingBatch : IDisposable
{
    private readonly BatchPool _pool;
    private readonly IReadOnlyList<int> _order;
    private readonly int _start;
    private readonly (int Channels, int Height, int Width)? _shape;
    private readonly ImageTensor?[]? _kept;
    private readonly long[] _labels;
    private BatchBuffers? _buffers;
    private readonly Lock _failing = new();
    private (int Position, Exception Error)? _failure;

    /// <summary>Makes room for a run of samples.</summary>
    /// <param name="pool">Where arrays come from.</param>
    /// <param name="order">Rows in the order of the epoch.</param>
    /// <param name="start">First sample in the order.</param>
    /// <param name="count">Number of samples.</param>
    /// <param name="shape">Shape of every sample where it is known in advance; else the samples are kept and put together at the end.</param>
    public PendingBatch(BatchPool pool, IReadOnlyList<int> order, int start, int count, (int Channels, int Height, int Width)? shape)
    {
        (_pool, _order, _start, _shape) = (pool, order, start, shape);
        (Count, Missing) = (count, count);
        _labels = new long[count];
        if (shape is var (channels, height, width))
        {
            _buffers = pool.Rent(channels * height * width);
        }
        else
        {
            _kept = new ImageTensor?[count];
        }
    }

    /// <summary>Number of samples.</summary>
    public int Count { get; }

    /// <summary>Samples that have not arrived; changed under the lock of whoever shares the batch.</summary>
    public int Missing { get; set; }

    /// <summary>The row at a place.</summary>
    /// <param name="position">Place in the batch.</param>
    public int Row(int position) => _order[_start + position];

    /// <summary>Where the floats of a sample go, or null where the shape is not known in advance.</summary>
    /// <param name="position">Place in the batch.</param>
    public ImageTensor? Slot(int position) => _shape is var (channels, height, width)
        ? ImageTensor.Over(channels, height, width, _buffers!.Pixels, position * channels * height * width)
        : null;

    /// <summary>Keeps the floats of a sample whose shape was not known.</summary>
    /// <param name="position">Place in the batch.</param>
    /// <param name="tensor">The floats, owned by this batch from here on.</param>
    public void Keep(int position, ImageTensor tensor) => _kept![position] = tensor;

    /// <summary>Sets the label of a sample.</summary>
    /// <param name="position">Place in the batch.</param>
    /// <param name="label">Class number.</param>
    public void SetLabel(int position, long label) => _labels[position] = label;

    /// <summary>Notes that a sample failed; the first in order counts, whichever thread came first.</summary>
    /// <param name="position">Place in the batch.</param>
    /// <param name="error">What went wrong.</param>
    public void Fail(int position, Exception error)
    {
        lock (_failing)
        {
            if (_failure is not { } earlier || position < earlier.Position)
            {
                _failure = (position, error);
            }
        }
    }

    /// <summary>Hands the whole batch over.</summary>
    /// <param name="explain">Makes the exception of a failed row.</param>
    /// <returns>The batch; the caller owns it.</returns>
    public ImageBatch Finish(Func<int, Exception, Exception> explain)
    {
        if (_failure is var (position, error))
        {
            Dispose();
            throw explain(Row(position), error);
        }

        var (channels, height, width) = _shape ?? Assemble();
        var buffers = _buffers!;
        _buffers = null;
        _labels.CopyTo(buffers.Labels, 0);
        for (var i = 0; i < Count; i++)
        {
            buffers.Rows[i] = Row(i);
        }

        return new ImageBatch(_pool, buffers, Count, channels, height, width);
    }

    /// <summary>Gives everything back.</summary>
    public void Dispose()
    {
        foreach (var tensor in _kept ?? [])
        {
            tensor?.Dispose();
        }

        if (_buffers is { } buffers)
        {
            _buffers = null;
            _pool.Return(buffers);
        }
    }

    private (int Channels, int Height, int Width) Assemble()
    {
        var first = _kept![0]!;
        var shape = (first.Channels, first.Height, first.Width);
        for (var i = 0; i < Count; i++)
        {
            var (c, h, w) = (_kept[i]!.Channels, _kept[i]!.Height, _kept[i]!.Width);
            if ((c, h, w) != shape)
            {
                Dispose();
                throw new DatasetException(
                    $"The pipeline makes pictures of different sizes: [{shape.Channels}, {shape.Height}, {shape.Width}] of row {Row(0)}, [{c}, {h}, {w}] of row {Row(i)}; "
                    + "end it in one size, for instance with a Resize((height, width)) or a CenterCrop.");
            }
        }

        var values = shape.Channels * shape.Height * shape.Width;
        _buffers = _pool.Rent(values);
        for (var i = 0; i < Count; i++)
        {
            _kept[i]!.Values.CopyTo(_buffers.Pixels.AsSpan(i * values));
            _kept[i]!.Dispose();
            _kept[i] = null;
        }

        return shape;
    }
}
