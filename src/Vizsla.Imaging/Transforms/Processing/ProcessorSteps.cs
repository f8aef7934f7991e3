using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>The steps of image processors, family by family.</summary>
/// <remarks>Source: transformers <c>PilBackend._preprocess</c> and the families' own <c>resize</c>.</remarks>
internal static class ProcessorSteps
{
    // ConvNeXT warps to a square from this side on, and crops below it.
    private const int ConvNextWarpsFrom = 384;

    /// <summary>The steps in order.</summary>
    public static IEnumerable<Transform> Of(ImageProcessor processor)
    {
        if (processor.DoResize)
        {
            foreach (var step in Resizing(processor))
            {
                yield return step;
            }
        }

        if (processor is { DoCenterCrop: true, CropSize: { } crop })
        {
            yield return new ProcessorCenterCrop(crop);
        }

        if (processor.DoFlipChannelOrder == true)
        {
            yield return new ReverseChannels();
        }

        yield return processor.DoRescale
            ? new Rescale(processor.RescaleFactor, processor.RescaleOffset == true ? -1 : 0)
            : new ToDtype();
        if (processor.DoNormalize == true)
        {
            yield return new Normalize(processor.ImageMean, processor.ImageStd);
        }

        if (processor.IncludeTop == true)
        {
            yield return new Normalize([0], processor.ImageStd);
        }
    }

    private static IEnumerable<Transform> Resizing(ImageProcessor processor)
    {
        var (size, filter) = (processor.Size, processor.Resample);
        switch (processor.ImageProcessorType)
        {
            case "ConvNextImageProcessor" when size.Height >= ConvNextWarpsFrom:
                return [new Resize((size.Height, size.Height), filter)];
            case "ConvNextImageProcessor":
                return [new Resize((int)(size.Height / (processor.CropPct ?? 1)), filter), new ProcessorCenterCrop(size.Height)];
            case "LevitImageProcessor" when size.IsSide:
                return [new Resize((int)(256.0 / 224 * size.Height), filter)];
            case "PoolFormerImageProcessor" when processor.CropPct is { } share:
                var scaled = size.IsSide || size.Height == size.Width
                    ? new ImageSize((int)(size.Height / share))
                    : new ImageSize((int)(size.Height / share), (int)(size.Width / share));
                return [new Resize(scaled, filter)];
            default:
                return [new Resize(size, filter)];
        }
    }
}
