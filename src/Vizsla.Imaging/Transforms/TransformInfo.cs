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

    /// <summary>Name in JSON, and in torchvision where torchvision has it; in C# the same but for upper case.</summary>
    public string Name => TransformType.NameOf(Type);

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
    /// <exception cref="TransformException">A value is invalid; every problem is listed.</exception>
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

/// <summary>What a transform is about.</summary>
public enum TransformGroup
{
    /// <summary>Moves pixels.</summary>
    Geometric,

    /// <summary>Changes colors.</summary>
    Photometric,

    /// <summary>Chooses among many changes by a policy.</summary>
    Augmentation,

    /// <summary>Runs other transforms.</summary>
    Container,

    /// <summary>Makes floats and changes them.</summary>
    Tensor,

    /// <summary>Mixes the pictures of a batch.</summary>
    Batch,

    /// <summary>Steps of image processors that torchvision does not have.</summary>
    Processor,
}

/// <summary>Puts a transform into a group of the list.</summary>
/// <param name="group">The group.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
internal sealed class GroupAttribute(TransformGroup group) : Attribute
{
    /// <summary>The group.</summary>
    public TransformGroup Group { get; } = group;

    /// <summary>Name in torchvision and in JSON; null, the default, where it is that of the type.</summary>
    public string? Name { get; init; }
}

/// <summary>What Python calls a parameter of a transform, and which numbers it takes.</summary>
/// <param name="name">Name in torchvision and in JSON (<c>p</c>, <c>kernel_size</c>).</param>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Property)]
internal sealed class ParameterAttribute(string name) : Attribute
{
    /// <summary>Name in torchvision and in JSON.</summary>
    public string Name { get; } = name;

    /// <summary>Smallest number allowed; every number of a pair or list must hold it.</summary>
    public double Minimum { get; init; } = double.NegativeInfinity;

    /// <summary>Largest number allowed; every number of a pair or list must hold it.</summary>
    public double Maximum { get; init; } = double.PositiveInfinity;

    /// <summary>JSON of a sensible value for a parameter that has no default, for a form to start from.</summary>
    public string? Example { get; init; }
}

/// <summary>What a parameter's JSON looks like: enough to choose a control.</summary>
public enum ParameterKind
{
    /// <summary>true or false.</summary>
    Flag,

    /// <summary>A whole number.</summary>
    WholeNumber,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A number, or two in a list.</summary>
    NumberOrPair,

    /// <summary>Two numbers in a list.</summary>
    Pair,

    /// <summary>One number or several in a list.</summary>
    Numbers,

    /// <summary>A text among <see cref="TransformParameter.Choices"/>.</summary>
    Choice,

    /// <summary>A whole number, or [height, width].</summary>
    Size,

    /// <summary>A level, or [red, green, blue], each 0 to 255.</summary>
    Color,

    /// <summary>A whole number, [left and right, top and bottom], or [left, top, right, bottom].</summary>
    Padding,

    /// <summary>A number, one per channel in a list, or "random".</summary>
    EraseValue,

    /// <summary>A list of transforms.</summary>
    Transforms,
}
