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
