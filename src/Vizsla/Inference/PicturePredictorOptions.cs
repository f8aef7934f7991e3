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

    /// <summary>Whether a JPEG is decoded at the smallest of libjpeg's scales 1/8 to 8/8 that is not below the pipeline's leading Resize; false by default, since scores move. Pays most for large photos.</summary>
    public bool FastDecode { get; init; }

    /// <summary>Whether batch norms are folded into the convolutions before them while many pictures are predicted; true by default. Scores move by rounding alone.</summary>
    public bool FoldsBatchNorm { get; init; } = true;

    /// <summary>Divides the logits before they become scores, above 0; 1, the default, changes nothing. <see cref="Calibration"/> keeps the one that was fitted for a model.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Views of each picture whose logits are averaged; null, the default, takes the picture as the model's pipeline gives it. Explanations are of that one.</summary>
    public TestTimeAugmentation? Augmentation { get; init; }

    /// <summary>Whether the network runs in bfloat16; false by default, since it moves scores by up to 2e-2. Pays only on processors that multiply it (see <c>vizsla doctor</c>).</summary>
    public bool UsesBfloat16 { get; init; }
}
