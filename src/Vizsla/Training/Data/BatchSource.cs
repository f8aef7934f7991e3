using Vizsla.Loading;
using Vizsla.Primitives;

namespace Vizsla.Training.Data;

/// <summary>Loads batches in the way that the arguments ask for, drawing from libtorch's generator as Python's loader does.</summary>
internal sealed class BatchSource(ImageDataset dataset, TrainingArguments arguments, int batchSize)
{
    private readonly Rng? _stream = arguments.DataRng == DataRng.Torch ? new Rng(0) : null;

    /// <summary>Where the generator stood before the batch that is loaded but not yet handed out; null where there is none.</summary>
    public byte[]? StateBeforePending { get; private set; }

    /// <summary>Loads the rows of an epoch.</summary>
    /// <param name="order">The rows in order.</param>
    /// <param name="epoch">Epoch from 0.</param>
    /// <param name="firstBatch">Batches at the beginning that are left out.</param>
    /// <param name="pendingState">Where the generator stood before the first of these batches was loaded, when that was before a checkpoint; null otherwise.</param>
    /// <returns>The batches, each owned by the reader.</returns>
    public IEnumerable<ImageBatch> Load(IReadOnlyList<int> order, int epoch, int firstBatch = 0, byte[]? pendingState = null)
    {
        var loader = new BatchLoader(dataset, Options(firstBatch));
        return _stream is null ? loader.Load(order, epoch) : OneAhead(loader.Load(order, epoch), pendingState);
    }

    private BatchLoaderOptions Options(int firstBatch)
    {
        var options = new BatchLoaderOptions
        {
            BatchSize = batchSize,
            DropLast = arguments.DataloaderDropLast,
            StartBatch = firstBatch,
            Seed = (ulong)(arguments.DataSeed ?? arguments.Seed),
            Prefetch = arguments.DataloaderPrefetchFactor ?? 2,
        };
        return _stream is null
            ? options with { Workers = arguments.DataloaderNumWorkers ?? options.Workers }
            : options with { Workers = 0, RngMode = RngMode.SharedStream, SharedRng = _stream };
    }

    /// <summary>accelerate's loader has transformed the next batch when it hands one out.</summary>
    private IEnumerable<ImageBatch> OneAhead(IEnumerable<ImageBatch> batches, byte[]? pendingState)
    {
        using var source = batches.GetEnumerator();
        var afterwards = pendingState is null ? null : TorchGenerator.GetState();
        if (pendingState is not null)
        {
            TorchGenerator.SetState(pendingState);
        }

        var next = Fetch(source);
        if (afterwards is not null)
        {
            TorchGenerator.SetState(afterwards);
        }

        while (next is { } current)
        {
            next = Fetch(source);
            yield return current;
        }
    }

    private ImageBatch? Fetch(IEnumerator<ImageBatch> source)
    {
        var state = TorchGenerator.GetState();
        _stream!.SetState(state);
        if (!source.MoveNext())
        {
            StateBeforePending = null;
            return null;
        }

        StateBeforePending = state;
        TorchGenerator.SetState(_stream.GetState());
        return source.Current;
    }
}
