using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Studio.Transforms;

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
