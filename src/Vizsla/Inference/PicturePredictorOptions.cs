namespace Vizsla.Inference;

/// <summary>How many pictures are read and run at once.</summary>
public sealed record PicturePredictorOptions
{
    /// <summary>Pictures per forward pass, at least 1. Default 32.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Threads that read pictures beside the network, at least 1. Default: one per core.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Classes to report per picture, at least 1; more than the model has gives all. Default 5.</summary>
    public int TopK { get; init; } = 5;

    /// <summary>From logits to scores; null, the default, asks the model's configuration.</summary>
    public ScoreFunction? Function { get; init; }
}
