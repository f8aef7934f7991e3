using System.Text.Json.Nodes;

namespace Vizsla.Transforms;

/// <summary>A transform as a list shows it: what it is called, what it is for, what can be set.</summary>
public sealed class TransformInfo
{
    private readonly TransformType _type;

    internal TransformInfo(Type type, TransformGroup group)
    {
        Type = type;
        Group = group;
        _type = TransformType.Of(type);
    }

    /// <summary>Name in C#, in JSON, and in torchvision where torchvision has it.</summary>
    public string Name => Type.Name;

    /// <summary>What it is about.</summary>
    public TransformGroup Group { get; }

    /// <summary>The record.</summary>
    public Type Type { get; }

    /// <summary>What it does, in a sentence; empty where the documentation file is not beside the library.</summary>
    public string Documentation => XmlDocumentation.OfType(Type);

    /// <summary>What can be set, in torchvision's order.</summary>
    public IReadOnlyList<TransformParameter> Parameters => _type.Parameters;

    /// <summary>Makes one: with its defaults, and the examples where there is no default.</summary>
    public Transform CreateExample() => Create(new JsonObject());

    /// <summary>Makes one of parameters in JSON.</summary>
    /// <param name="parameters">Values by torchvision's name; what is missing has its default or, without one, its example.</param>
    /// <exception cref="TransformException">A value is impossible; every problem is listed.</exception>
    public Transform Create(JsonObject parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        var json = (JsonObject)parameters.DeepClone();
        json[PipelineReader.NameKey] = Name;
        foreach (var parameter in Parameters.Where(parameter => parameter.IsRequired && !json.ContainsKey(parameter.Name)))
        {
            json[parameter.Name] = JsonNode.Parse(parameter.Example ?? throw new InvalidOperationException($"{Name}.{parameter.Name} has neither a default nor an example."));
        }

        var reader = new PipelineReader();
        var transform = reader.ReadTransform(json, Name);
        reader.ThrowIfProblems();
        return transform!;
    }
}
