using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Reads transforms from JSON and collects what is wrong with all of them.</summary>
internal sealed class PipelineReader
{
    /// <summary>The key of a transform's name.</summary>
    public const string NameKey = "transform";

    private readonly List<string> _problems = [];

    /// <summary>Refuses the file when anything was wrong.</summary>
    /// <exception cref="TransformException">Every problem is listed.</exception>
    public void ThrowIfProblems()
    {
        if (_problems.Count > 0)
        {
            throw new TransformException(_problems);
        }
    }

    /// <summary>Adds a problem.</summary>
    public void Add(string problem) => _problems.Add(problem);

    /// <summary>Reads a list as a pipeline; null when anything in it is wrong.</summary>
    /// <param name="node">The JSON.</param>
    /// <param name="place">Where it stands, for messages.</param>
    public Compose? ReadPipeline(JsonNode? node, string place)
    {
        var before = _problems.Count;
        var transforms = ReadList(node, place, typeof(Transform));
        if (_problems.Count == before)
        {
            _problems.AddRange(PipelineProblems.Find(transforms, (index, transform) => $"{place}[{index}], {TransformType.NameOf(transform.GetType())}"));
        }

        return _problems.Count == before ? new Compose(transforms) : null;
    }

    /// <summary>Reads one transform: its name, or an object with its name and its parameters; null when anything in it is wrong.</summary>
    public Transform? ReadTransform(JsonNode? node, string place)
    {
        var json = node is JsonValue ? new JsonObject { [NameKey] = node.DeepClone() } : node as JsonObject;
        if (json?[NameKey] is not JsonValue value || !value.TryGetValue<string>(out var name))
        {
            Add($"{place}: got {Short(node)}, expected {{\"{NameKey}\": name, ...}} or a name.");
            return null;
        }

        if (TransformList.Find(name) is not { } info)
        {
            var names = TransformList.All.Select(known => known.Name).Order(StringComparer.Ordinal).ToList();
            Add($"{place}: unknown transform '{name}'. Known: {string.Join(", ", names)}.{Suggestion.DidYouMean(name, names)}");
            return null;
        }

        return ReadParameters(json, info, $"{place}, {name}");
    }

    private Transform? ReadParameters(JsonObject json, TransformInfo info, string place)
    {
        var before = _problems.Count;
        var values = new Dictionary<TransformParameter, object?>();
        foreach (var (key, node) in json.Where(pair => pair.Key != NameKey))
        {
            if (info.Parameters.FirstOrDefault(parameter => parameter.Name == key) is { } parameter)
            {
                values[parameter] = ReadValue(node, parameter, place);
                continue;
            }

            var names = info.Parameters.Select(known => known.Name).ToList();
            Add(names.Count == 0
                ? $"{place}: unknown parameter '{key}'; it has none."
                : $"{place}: unknown parameter '{key}'. Known: {string.Join(", ", names)}.{Suggestion.DidYouMean(key, names)}");
        }

        foreach (var parameter in info.Parameters.Where(parameter => parameter.IsRequired && !values.ContainsKey(parameter)))
        {
            Add($"{place}: {parameter.Name} is missing; give {ParameterJson.Describe(parameter.Type).Expected}.");
        }

        if (_problems.Count == before && info.Type == typeof(Compose))
        {
            // A pipeline checks its steps when it is made; here their problems join the others'.
            _problems.AddRange(PipelineProblems.Find((ValueList<Transform>)values.Values.Single()!, (index, step) => $"{place}[{index}], {TransformType.NameOf(step.GetType())}"));
        }

        return _problems.Count == before ? TransformType.Of(info.Type).Create(values) : null;
    }

    private object? ReadValue(JsonNode? node, TransformParameter parameter, string place)
    {
        if (node is null && parameter.IsNullable)
        {
            return null;
        }

        if (node is not null && parameter.Kind == ParameterKind.Transforms)
        {
            var item = parameter.Type.GetGenericArguments()[0];
            return TransformType.MakeList(ReadList(node, $"{place}.{parameter.Name}", item), item);
        }

        if (node is not null && ParameterJson.TryRead(node, parameter.Type, out var value))
        {
            return value;
        }

        var choices = parameter.Kind == ParameterKind.Choice && node is JsonValue text && text.TryGetValue<string>(out var word)
            ? Suggestion.DidYouMean(word, parameter.Choices)
            : "";
        Add($"{place}: {parameter.Name} is {Short(node)}, expected {ParameterJson.Describe(parameter.Type).Expected}.{choices}");
        return null;
    }

    private List<Transform> ReadList(JsonNode? node, string place, Type item)
    {
        var transforms = new List<Transform>();
        if (node is not JsonArray array)
        {
            Add($"{place}: got {Short(node)}, expected a list of transforms.");
            return transforms;
        }

        for (var i = 0; i < array.Count; i++)
        {
            if (ReadTransform(array[i], $"{place}[{i}]") is not { } transform)
            {
                continue;
            }

            if (item.IsInstanceOfType(transform))
            {
                transforms.Add(transform);
            }
            else
            {
                Add($"{place}[{i}], {TransformType.NameOf(transform.GetType())}: expected a transform of {(item == typeof(BatchTransform) ? "whole batches, such as MixUp" : "8-bit pictures, such as RandomRotation")}.");
            }
        }

        return transforms;
    }

    private static string Short(JsonNode? node)
    {
        var text = PythonJson.Serialize(node, indent: null, ensureAscii: false);
        return text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 57), "...");
    }
}
