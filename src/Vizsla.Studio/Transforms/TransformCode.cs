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
        "JSON" => PythonJson.Serialize(transform is Compose pipeline ? Pipeline.ToJson(pipeline) : Pipeline.ToJson(new Compose(transform))[0], indent: transform is Compose ? 2 : null, sortKeys: false),
        _ => transform.ToString(),
    };
}
