namespace Vizsla.Models;

/// <summary>A model that can be named without a folder.</summary>
/// <param name="Name">What <c>--model</c> takes: timm's name, a Hub name, or a size that starts from random weights.</param>
/// <param name="Weights">Repository of its weights; null where they are drawn.</param>
/// <param name="License">Licence of the weights as their publisher gives it; null where they are drawn.</param>
/// <param name="InputSide">Side of the pictures in pixels that the weights are used with.</param>
/// <param name="Configure">Makes its <c>config.json</c>.</param>
internal sealed record KnownModel(string Name, string? Weights, string? License, int InputSide, Func<ModelConfiguration> Configure)
{
    /// <summary>Parameters, and multiplications for one picture, where they come with the program; null where only measuring tells.</summary>
    public (long Parameters, long Products)? Size { get; init; }

    /// <summary>The <c>model_type</c> of transformers, or timm's class.</summary>
    public required string Family { get; init; }

    /// <summary>First-class accuracy of the weights on ImageNet in percent, as their publisher gives it; null where none is published.</summary>
    public double? Accuracy { get; init; }

    /// <summary>Measures it at its own picture size; no weights are needed.</summary>
    public ModelSummary Summarize() => ModelSummary.Of(Configure(), InputSide, InputSide);
}
