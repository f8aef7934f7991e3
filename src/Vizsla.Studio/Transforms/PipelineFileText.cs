using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Studio.Transforms;

/// <summary>Pipelines as files and in addresses.</summary>
internal static class PipelineFileText
{
    /// <summary>The file that <c>vizsla train --transforms</c> takes.</summary>
    public static string Write(Compose pipeline) => PythonJson.Serialize(Pipeline.ToJson(pipeline), sortKeys: false) + "\n";

    /// <summary>The pipeline of a file; the one for training of a file that holds two.</summary>
    /// <exception cref="TransformException">The text is not JSON, or something in it is wrong.</exception>
    public static Compose Read(string text)
    {
        try
        {
            var file = PipelineFile.FromJson(PythonJson.Parse(text));
            return file.Train ?? file.Evaluation ?? throw new TransformException("The file holds no pipeline.");
        }
        catch (JsonException e)
        {
            throw new TransformException($"The file is not JSON: {e.Message}", e);
        }
    }

    /// <summary>The steps of an address; null when it holds none that can be built.</summary>
    public static JsonArray? TryRead(string? text)
    {
        try
        {
            return string.IsNullOrEmpty(text) ? null : Pipeline.ToJson(Pipeline.FromJson(text));
        }
        catch (Exception e) when (e is TransformException or JsonException)
        {
            return null;
        }
    }
}

/// <summary>The code line under a picture, written from the very object that made it.</summary>
internal static class TransformCode
{
    /// <summary>The languages, the first one to begin with.</summary>
    public static IReadOnlyList<string> Languages { get; } = ["C#", "Python", "JSON"];

    /// <summary>A transform or pipeline in a language.</summary>
    public static string Write(string language, Transform transform) => language switch
    {
        "Python" => Pipeline.ToPython(transform),
        "JSON" => transform is Compose pipeline
            ? PythonJson.Serialize(Pipeline.ToJson(pipeline), sortKeys: false)
            : PythonJson.Serialize(Pipeline.ToJson(new Compose([.. Before(transform), transform])).Last(), indent: null, sortKeys: false),
        _ => transform.ToString(),
    };

    /// <summary>What a transform needs before it to stand in a pipeline: a step of floats needs a conversion to floats.</summary>
    public static IReadOnlyList<Transform> Before(Transform transform) => transform is TensorTransform ? [new ToTensor()] : [];
}
