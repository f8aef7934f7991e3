namespace Vizsla.Datasets.Checks;

/// <summary>From where on a <see cref="DatasetCheck"/> complains.</summary>
public sealed record DatasetCheckOptions
{
    /// <summary>Most bits, 0 to 16, in which the hashes of near copies differ; default 8. At 0 only pictures of equal hash count as near.</summary>
    public int NearDistance { get; init; } = 8;

    /// <summary>Pictures whose shorter side has fewer pixels are tiny; default 32.</summary>
    public int MinSide { get; init; } = 32;

    /// <summary>Pictures whose longer side is more than this many times the shorter are extreme; default 4.</summary>
    public double MaxRatio { get; init; } = 4;

    /// <summary>Pictures of more million pixels are extreme; default 50.</summary>
    public double MaxMegapixels { get; init; } = 50;

    /// <summary>Classes of a split of which the largest has more than this many times the pictures of the smallest are out of balance; default 10.</summary>
    public double MaxImbalance { get; init; } = 10;

    /// <summary>Where what was seen in files is kept for the next time; null takes <c>vizsla/picture-facts</c> below <c>XDG_CACHE_HOME</c>, or the platform's folder for it.</summary>
    public string? CacheFolder { get; init; }
}
