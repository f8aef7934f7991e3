using System.Text.Json.Nodes;

namespace Vizsla.Transforms;

/// <summary>Writes transforms as JSON: <c>{"transform": "RandomRotation", "degrees": [0, 90]}</c>, with the parameters that are not at their default.</summary>
internal static class PipelineWriter
{
    /// <summary>One transform.</summary>
    public static JsonObject ToJson(Transform transform)
    {
        var type = TransformType.Of(transform.GetType());
        var json = new JsonObject { [PipelineReader.NameKey] = TransformType.NameOf(transform.GetType()) };
        foreach (var (parameter, value) in type.ChangedParameters(transform))
        {
            json[parameter.Name] = ParameterJson.Write(value);
        }

        return json;
    }

    /// <summary>A list of transforms.</summary>
    public static JsonArray ToJson(IEnumerable<Transform> transforms) => new([.. transforms.Select(ToJson)]);
}
