using Vizsla.Transforms;

namespace Vizsla.Loading;

/// <summary>Turns rows of a dataset into batches of floats: decodes, transforms and collates on worker threads ahead of the reader.</summary>
/// <remarks>The batches are the same, in the same order, for any number of workers. Source: torch <c>DataLoader</c> with the default collator.</remarks>
public sealed class BatchLoader
{
    private readonly ImageDataset _dataset;
    private readonly BatchPool _pool;

    /// <summary>Makes a loader; its batches reuse the loader's arrays.</summary>
    /// <param name="dataset">The pictures; its <see cref="ImageDataset.Transform"/> makes the floats.</param>
    /// <param name="options">How to load; null takes the defaults.</param>
    /// <exception cref="ArgumentException">The options cannot be met; lists every problem.</exception>
    public BatchLoader(ImageDataset dataset, BatchLoaderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        _dataset = dataset;
        Options = options ?? new BatchLoaderOptions();
        var problems = Options.Problems().ToList();
        if (problems.Count > 0)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(options));
        }

        _pool = new BatchPool(Options.BatchSize);
    }

    /// <summary>How this loader loads.</summary>
    public BatchLoaderOptions Options { get; }

    /// <summary>Number of batches of an order, those left out by <see cref="BatchLoaderOptions.StartBatch"/> counted.</summary>
    /// <param name="sampleCount">Samples in the order.</param>
    public int BatchCount(int sampleCount) =>
        (int)((sampleCount + (Options.DropLast ? 0L : Options.BatchSize - 1)) / Options.BatchSize);

    /// <summary>Loads the rows of an epoch in order.</summary>
    /// <param name="order">Rows of the dataset, as a sampler gives them.</param>
    /// <param name="epoch">Epoch from 0; with the seed and the row it fixes the draws of <see cref="RngMode.PerSample"/>.</param>
    /// <param name="cancellationToken">Stops the workers; the next step of the enumeration throws.</param>
    /// <returns>The batches, each owned and disposed by the caller. Workers start with the enumeration and end with it. Without workers nothing is loaded before it is asked for.</returns>
    /// <exception cref="ArgumentException">The dataset has no pipeline, or it makes several pictures of one, or it does not begin with a Resize and the options ask for <see cref="BatchLoaderOptions.FastDecode"/>.</exception>
    /// <exception cref="Datasets.DatasetException">While enumerating: a picture of the batch could not be loaded; names the file. The batches before it are handed out first.</exception>
    /// <exception cref="OperationCanceledException">While enumerating: the token was cancelled.</exception>
    public IEnumerable<ImageBatch> Load(IReadOnlyList<int> order, long epoch = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(order);
        var transform = _dataset.Transform ?? throw new ArgumentException("The dataset has no transform; call SetTransform with a pipeline that ends in floats.");
        if (transform.OutputCount > 1)
        {
            throw new ArgumentException($"The pipeline makes {transform.OutputCount} pictures of one; a batch takes one of each row.");
        }

        if (Options.FastDecode && transform.FastDecodeProblem is { } problem)
        {
            throw new ArgumentException(problem);
        }

        return Options.Workers == 0
            ? LoadHere(order, transform, epoch, cancellationToken)
            : LoadAhead(order, transform, epoch, cancellationToken);
    }

    private IEnumerable<ImageBatch> LoadHere(IReadOnlyList<int> order, Compose transform, long epoch, CancellationToken cancellationToken)
    {
        var loader = new SampleLoader(_dataset, transform, Options, epoch);
        for (var number = Options.StartBatch; number < BatchCount(order.Count); number++)
        {
            using var batch = NewBatch(order, transform, number);
            for (var position = 0; position < batch.Count; position++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!WorkerCrew.TryLoad(loader, batch, position))
                {
                    break;
                }
            }

            yield return batch.Finish(loader.Explain);
        }
    }

    private IEnumerable<ImageBatch> LoadAhead(IReadOnlyList<int> order, Compose transform, long epoch, CancellationToken cancellationToken)
    {
        var end = BatchCount(order.Count);
        if (Options.StartBatch >= end)
        {
            yield break;
        }

        using var crew = new WorkerCrew(
            Options,
            end,
            number => NewBatch(order, transform, number),
            () => new SampleLoader(_dataset, transform, Options, epoch),
            cancellationToken);
        for (var number = Options.StartBatch; number < end; number++)
        {
            yield return crew.Take();
        }
    }

    private PendingBatch NewBatch(IReadOnlyList<int> order, Compose transform, int number)
    {
        var start = number * Options.BatchSize;
        return new(_pool, order, start, Math.Min(Options.BatchSize, order.Count - start), transform.OutputSize);
    }
}
