using Vizsla.Distributed;
using Vizsla.Loading;
using Vizsla.Native;
using Vizsla.Primitives;

namespace Vizsla.Training.Data;

/// <summary>Loads batches in the way that the arguments ask for, drawing from libtorch's generator as Python's loader does.</summary>
/// <param name="dataset">The pictures.</param>
/// <param name="arguments">How to load.</param>
/// <param name="batchSize">Pictures in a batch.</param>
/// <param name="mixer">Mixes batches; null leaves them.</param>
/// <param name="processes">The processes whose batches come in turn; null for this one alone.</param>
internal sealed class BatchSource(ImageDataset dataset, TrainingArguments arguments, int batchSize, BatchMixer? mixer = null, ProcessGroup? processes = null)
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
    public IEnumerable<TrainingBatch> Load(IReadOnlyList<int> order, int epoch, int firstBatch = 0, byte[]? pendingState = null)
    {
        var images = new BatchLoader(dataset, Options(firstBatch, order.Count)).Load(order, epoch);
        var batches = images.Select((batch, i) => new TrainingBatch(batch, mixer?.Mix(batch, epoch, NumberOf(firstBatch + i), _stream)));
        return _stream is null ? batches : OneAhead(batches, _stream, pendingState);
    }

    // Among the batches of all processes, so that no two are mixed alike.
    private int NumberOf(int batch) => processes is null ? batch : (batch * processes.Size) + processes.Rank;

    private BatchLoaderOptions Options(int firstBatch, int rowCount)
    {
        var options = new BatchLoaderOptions
        {

            // Room for pictures that there are not is no room to ask for.
            BatchSize = arguments.DataloaderDropLast ? batchSize : Math.Clamp(rowCount, 1, batchSize),
            DropLast = arguments.DataloaderDropLast,
            StartBatch = firstBatch,
            FastDecode = arguments.FastDecode,
            Seed = (ulong)(arguments.DataSeed ?? arguments.Seed),
            Prefetch = arguments.DataloaderPrefetchFactor ?? 2,
        };
        return _stream is null
            ? options with { Workers = arguments.DataloaderNumWorkers ?? options.Workers }
            : options with { Workers = 0, RngMode = RngMode.SharedStream, SharedRng = _stream };
    }

    /// <summary>accelerate's loader has transformed the next batch when it hands one out.</summary>
    private IEnumerable<TrainingBatch> OneAhead(IEnumerable<TrainingBatch> batches, Rng stream, byte[]? pendingState)
    {
        using var source = batches.GetEnumerator();
        var next = pendingState is null ? Fetch(source, stream) : FetchAgain(source, stream, pendingState);
        while (next is { } current)
        {
            next = Fetch(source, stream);
            yield return current;
        }
    }

    /// <summary>Loads the batch that was loaded ahead of a checkpoint, as it was then, and leaves the generator where the checkpoint has it.</summary>
    private TrainingBatch? FetchAgain(IEnumerator<TrainingBatch> source, Rng stream, byte[] pendingState)
    {
        var afterwards = TorchGenerator.GetState();
        TorchGenerator.SetState(pendingState);
        var batch = Fetch(source, stream);
        TorchGenerator.SetState(afterwards);
        return batch;
    }

    private TrainingBatch? Fetch(IEnumerator<TrainingBatch> source, Rng stream)
    {
        var state = TorchGenerator.GetState();
        stream.SetState(state);
        if (!source.MoveNext())
        {
            StateBeforePending = null;
            return null;
        }

        StateBeforePending = state;
        TorchGenerator.SetState(stream.GetState());
        return source.Current;
    }
}
