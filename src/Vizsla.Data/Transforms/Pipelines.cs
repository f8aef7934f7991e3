namespace Vizsla.Transforms;

/// <summary>Ready-made pipelines.</summary>
public static class Pipelines
{
    /// <summary>The tutorial's training pipeline: warp to the processor's size, flips, rotation, jitter and blur at random, then floats normalized as the model wants them.</summary>
    /// <param name="processor">The model's image processor.</param>
    public static Compose Tutorial(ImageProcessor processor)
    {
        ArgumentNullException.ThrowIfNull(processor);
        return new(
            new Resize(InputSize(processor)),
            new RandomHorizontalFlip(0.4),
            new RandomVerticalFlip(0.1),
            new RandomApply([new RandomRotation(0, 90)], 0.5),
            new RandomApply([new ColorJitter(Brightness: 0.3, Hue: 0.1)], 0.3),
            new RandomApply([new GaussianBlur(5, 9)], 0.3),
            new ToDtype(Scale: true),
            new Normalize(processor.ImageMean, processor.ImageStd));
    }

    /// <summary>The tutorial's pipeline without its random steps, for validation and test.</summary>
    /// <param name="processor">The model's image processor.</param>
    public static Compose TutorialEvaluation(ImageProcessor processor)
    {
        ArgumentNullException.ThrowIfNull(processor);
        return new(
            new Resize(InputSize(processor)),
            new ToDtype(Scale: true),
            new Normalize(processor.ImageMean, processor.ImageStd));
    }

    // The size the network sees: that of the crop where the processor crops.
    private static ImageSize InputSize(ImageProcessor processor)
    {
        var size = processor is { DoCenterCrop: true, CropSize: { } crop } ? crop : processor.Size;
        return (size.Height, size.Width);
    }
}
