using Vizsla.Primitives;

namespace Vizsla.Loading;

/// <summary>How a <see cref="BatchLoader"/> loads.</summary>
public sealed record BatchLoaderOptions
{
    /// <summary>Samples in a batch, at least 1; default 8 (HF <c>per_device_train_batch_size</c>).</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Threads that load; 0 loads in the caller's thread when the next batch is asked for. Default: one for each core (HF <c>dataloader_num_workers</c>, default 0).</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Batches that may be loaded or in the making beyond the one handed out, at least 1; default 2 (HF <c>dataloader_prefetch_factor</c>). Bounds the memory.</summary>
    public int Prefetch { get; init; } = 2;

    /// <summary>Seed of the samples' generators in <see cref="RngMode.PerSample"/>; default 42 (HF <c>data_seed</c>, <c>seed</c>).</summary>
    public ulong Seed { get; init; } = 42;

    /// <summary>Whether a last batch that is not full is left out; default false (HF <c>dataloader_drop_last</c>).</summary>
    public bool DropLast { get; init; }

    /// <summary>Batches at the beginning of the order that are not loaded, to go on inside an epoch; default 0.</summary>
    public int StartBatch { get; init; }

    /// <summary>
    /// Whether a JPEG is decoded at the smallest of libjpeg's scales that is not below the size of the pipeline's first step, which must be a <c>Resize</c>: faster, with other pixels.
    /// Default false. Pictures that <c>ImageDataset.Map</c> prepared are taken as they are.
    /// </summary>
    public bool FastDecode { get; init; }

    /// <summary>Where draws come from; default <see cref="RngMode.PerSample"/>.</summary>
    public RngMode RngMode { get; init; }

    /// <summary>The one generator of <see cref="RngMode.SharedStream"/>; null otherwise.</summary>
    public Rng? SharedRng { get; init; }

    /// <summary>Every problem of these options, as sentences.</summary>
    internal IEnumerable<string> Problems()
    {
        if (BatchSize < 1)
        {
            yield return Invariant($"BatchSize is {BatchSize} and must be at least 1.");
        }

        if (Workers < 0)
        {
            yield return Invariant($"Workers is {Workers} and must be 0 or more.");
        }

        if (Prefetch < 1)
        {
            yield return Invariant($"Prefetch is {Prefetch} and must be at least 1.");
        }

        if (StartBatch < 0)
        {
            yield return Invariant($"StartBatch is {StartBatch} and must be 0 or more.");
        }

        if (RngMode == RngMode.SharedStream && Workers > 0)
        {
            yield return Invariant($"RngMode SharedStream draws in loading order and needs Workers 0, got {Workers}.");
        }

        if (RngMode == RngMode.SharedStream && SharedRng is null)
        {
            yield return "RngMode SharedStream needs a SharedRng.";
        }

        if (RngMode == RngMode.PerSample && SharedRng is not null)
        {
            yield return "SharedRng is only used by RngMode SharedStream.";
        }
    }
}

/// <summary>Where the draws of random transforms come from.</summary>
public enum RngMode
{
    /// <summary>Each sample has a generator of its own, made from seed, epoch and row: the same picture for any number of workers, any batch size, and after a resume.</summary>
    PerSample,

    /// <summary>All samples draw from one given generator in loading order, as Python's <c>DataLoader</c> with <c>num_workers=0</c> does; no workers.</summary>
    SharedStream,
}
