namespace Vizsla.Loading;

/// <summary>Where the draws of random transforms come from.</summary>
public enum RngMode
{
    /// <summary>Each sample has a generator of its own, made from seed, epoch and row: the same picture for any number of workers, any batch size, and after a resume.</summary>
    PerSample,

    /// <summary>All samples draw from one given generator in loading order, as Python's <c>DataLoader</c> with <c>num_workers=0</c> does; no workers.</summary>
    SharedStream,
}
