using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Vizsla.Transforms;

/// <summary>One parameter of a transform: enough to build a control for it.</summary>
public sealed class TransformParameter
{
    private readonly Type _owner;

    private TransformParameter(Type owner, PropertyInfo property, ParameterAttribute? attribute, bool isRequired)
    {
        _owner = owner;
        Property = property;
        IsNullable = Nullable.GetUnderlyingType(property.PropertyType) is not null
            || new NullabilityInfoContext().Create(property).ReadState == NullabilityState.Nullable;
        Name = attribute?.Name ?? property.Name;
        Minimum = attribute?.Minimum ?? double.NegativeInfinity;
        Maximum = attribute?.Maximum ?? double.PositiveInfinity;
        Example = attribute?.Example;
        IsRequired = isRequired;
    }

    /// <summary>Name in torchvision and in JSON.</summary>
    public string Name { get; }

    /// <summary>Name in C#.</summary>
    public string PropertyName => Property.Name;

    /// <summary>Type in C#.</summary>
    public Type Type => Property.PropertyType;

    /// <summary>Whether it has no default.</summary>
    public bool IsRequired { get; }

    /// <summary>Smallest number allowed, or negative infinity.</summary>
    public double Minimum { get; }

    /// <summary>Largest number allowed, or infinity.</summary>
    public double Maximum { get; }

    /// <summary>JSON of a sensible value where there is no default.</summary>
    public string? Example { get; }

    /// <summary>What its JSON looks like.</summary>
    public ParameterKind Kind => ParameterJson.Describe(Type).Kind;

    /// <summary>The words to choose from; empty unless it is a choice.</summary>
    public IReadOnlyList<string> Choices => Kind == ParameterKind.Choice ? [.. ParameterJson.Choices(Nullable.GetUnderlyingType(Type) ?? Type)] : [];

    /// <summary>Whether null is a value: absent.</summary>
    public bool IsNullable { get; }

    /// <summary>JSON of its default; of its example where there is no default.</summary>
    public JsonNode? Default => ParameterJson.Write(Property.GetValue(TransformType.Of(_owner).Plain));

    /// <summary>What it means, in a sentence; empty where the documentation file is not beside the library.</summary>
    public string Documentation => XmlDocumentation.OfParameter(_owner, PropertyName) is { Length: > 0 } own
        ? own
        : XmlDocumentation.OfParameter(Property.DeclaringType!, PropertyName);

    internal PropertyInfo Property { get; }

    /// <summary>Name of the constructor's argument.</summary>
    internal string ArgumentName { get; private init; } = "";

    /// <summary>Default of the constructor's argument; meaningless where it is required.</summary>
    internal object? ConstructorDefault { get; private init; }

    internal static TransformParameter Of(Type owner, PropertyInfo property, ParameterInfo argument)
    {
        var attribute = argument.GetCustomAttribute<ParameterAttribute>() ?? property.GetCustomAttribute<ParameterAttribute>();
        return new(owner, property, attribute, isRequired: !argument.HasDefaultValue)
        {
            ArgumentName = argument.Name!,
            ConstructorDefault = DefaultOf(argument),
        };
    }

    internal static TransformParameter Of(Type owner, PropertyInfo property) =>
        new(owner, property, property.GetCustomAttribute<ParameterAttribute>(), isRequired: false);

    /// <summary>A sentence when a number of the value is out of range, else null.</summary>
    internal string? RangeProblem(object? value) => Numbers(value).All(number => number >= Minimum && number <= Maximum)
        ? null
        : $"{Name} is {PipelineText.ToCSharp(value)}, expected {RangeText}.";

    // Reflection reports the default of a struct as null, and of an enum as its number.
    private static object? DefaultOf(ParameterInfo argument) => (argument.HasDefaultValue, argument.DefaultValue, argument.ParameterType) switch
    {
        (false, _, _) => null,
        (_, null, { IsValueType: true } type) => Activator.CreateInstance(type),
        (_, { } value, { IsEnum: true } type) => Enum.ToObject(type, value),
        (_, var value, _) => value,
    };

    private string RangeText => (Minimum, Maximum) switch
    {
        (_, double.PositiveInfinity) => FormattableString.Invariant($"at least {Minimum}"),
        (double.NegativeInfinity, _) => FormattableString.Invariant($"at most {Maximum}"),
        _ => FormattableString.Invariant($"{Minimum} to {Maximum}"),
    };

    private static IEnumerable<double> Numbers(object? value) => value switch
    {
        double number => [number],
        int number => [number],
        NumberOrPair range => [range.Low, range.High],
        ImageSize size => [size.Height, size.Width],
        FillColor color => [color.Red, color.Green, color.Blue],
        Padding padding => [padding.Left, padding.Top, padding.Right, padding.Bottom],
        string => [],
        ITuple tuple => Enumerable.Range(0, tuple.Length).SelectMany(i => Numbers(tuple[i])),
        IEnumerable items => items.Cast<object?>().SelectMany(Numbers),
        _ => [],
    };
}
