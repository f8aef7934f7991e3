using System.Reflection;

namespace Vizsla.Training.Arguments;

/// <summary>One argument: a property of <see cref="TrainingArguments"/> under its name in flags and files.</summary>
public sealed class ArgumentField
{
    private static readonly TrainingArguments Defaults = new();
    private readonly PropertyInfo _property;

    internal ArgumentField(PropertyInfo property)
    {
        _property = property;
        Name = SnakeCase.Of(property.Name);
        Type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        IsNullable = Type != property.PropertyType
            || new NullabilityInfoContext().Create(property).ReadState == NullabilityState.Nullable;
    }

    /// <summary>Name in snake case.</summary>
    public string Name { get; }

    /// <summary>Name of the property.</summary>
    public string PropertyName => _property.Name;

    /// <summary>Type of the value, without null.</summary>
    public Type Type { get; }

    /// <summary>Whether null is a value.</summary>
    public bool IsNullable { get; }

    /// <summary>The values that are known, for an enumeration; else empty.</summary>
    public IReadOnlyList<string> Choices => Type.IsEnum ? [.. SnakeCase.Values(Type).Keys] : [];

    /// <summary>The value in a set of arguments.</summary>
    /// <param name="arguments">The arguments.</param>
    public object? ValueOf(TrainingArguments arguments) => _property.GetValue(arguments);

    /// <summary>The default.</summary>
    public object? Default => ValueOf(Defaults);

    /// <summary>Sets the value of a record that is being built.</summary>
    internal void Set(TrainingArguments arguments, object? value) => _property.SetValue(arguments, value);
}
