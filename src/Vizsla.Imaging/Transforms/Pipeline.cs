using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Pipelines as JSON and as Python.</summary>
public static class Pipeline
{
    /// <summary>Writes a pipeline as a list of transforms, each with the parameters that are not at their default.</summary>
    /// <param name="pipeline">The pipeline.</param>
    public static JsonArray ToJson(Compose pipeline)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        return PipelineWriter.ToJson(pipeline.Transforms);
    }

    /// <summary>Reads a pipeline from a list of transforms.</summary>
    /// <param name="json">The list: names, or objects with a name under <c>transform</c> and parameters under torchvision's names.</param>
    /// <exception cref="TransformException">Something in the list is wrong; every problem is listed.</exception>
    public static Compose FromJson(JsonNode? json)
    {
        var reader = new PipelineReader();
        var pipeline = reader.ReadPipeline(json, "transforms");
        reader.ThrowIfProblems();
        return pipeline!;
    }

    /// <summary>Reads a pipeline from the text of a list of transforms.</summary>
    /// <param name="text">JSON.</param>
    /// <exception cref="TransformException">The text is no JSON, or something in the list is wrong; every problem is listed.</exception>
    public static Compose FromJson(string text)
    {
        try
        {
            return FromJson(PythonJson.Parse(text));
        }
        catch (JsonException exception)
        {
            throw new TransformException($"The transforms are not JSON: {exception.Message}", exception);
        }
    }

    /// <summary>Writes a transform as a line of Python, for <c>from torchvision.transforms import v2</c>; a pipeline as <c>v2.Compose([...])</c>.</summary>
    /// <param name="transform">The transform or pipeline.</param>
    public static string ToPython(Transform transform)
    {
        ArgumentNullException.ThrowIfNull(transform);
        return PythonText.Write(transform);
    }
}

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
