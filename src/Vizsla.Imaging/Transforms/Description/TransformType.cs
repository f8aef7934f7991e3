using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>What the code of a transform says about it: its constructor and its parameters.</summary>
internal sealed class TransformType
{
    private static readonly ConcurrentDictionary<Type, TransformType> Known = new();
    private readonly Lazy<object> _plain;

    private TransformType(Type type)
    {
        // Of several constructors the one whose parameters are described, else the one whose parameters are properties, is the transform's own; the others are shorthands.
        Constructor = type.GetConstructors()
            .Where(constructor => constructor.GetParameters().All(parameter => FindProperty(type, parameter) is not null))
            .OrderByDescending(constructor => constructor.GetParameters().Count(parameter => parameter.IsDefined(typeof(ParameterAttribute))))
            .ThenByDescending(constructor => constructor.GetParameters().Length)
            .FirstOrDefault()
            ?? throw new ArgumentException($"Transform '{type.Name}' has no public constructor whose parameters are all properties.", nameof(type));
        var arguments = Constructor.GetParameters();
        ConstructorParameters = [.. arguments.Select(argument => TransformParameter.Of(type, FindProperty(type, argument)!, argument))];
        Parameters =
        [
            .. ConstructorParameters,
            .. type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
                .Where(property => property.GetCustomAttribute<ParameterAttribute>() is not null
                    && property.CanWrite
                    && !ConstructorParameters.Any(parameter => parameter.Property == property))
                .OrderBy(property => property.MetadataToken)
                .Select(property => TransformParameter.Of(type, property)),
        ];
        _plain = new(() => Constructor.Invoke(
            [.. ConstructorParameters.Select(parameter => parameter.IsRequired ? ExampleOf(parameter) : parameter.ConstructorDefault)]));
    }

    /// <summary>The transform's own constructor.</summary>
    public ConstructorInfo Constructor { get; }

    /// <summary>The parameters of the constructor, in its order.</summary>
    public IReadOnlyList<TransformParameter> ConstructorParameters { get; }

    /// <summary>All parameters: those of the constructor, then those set by an initializer.</summary>
    public IReadOnlyList<TransformParameter> Parameters { get; }

    /// <summary>The description of a type of transform.</summary>
    /// <param name="type">A type derived from <see cref="Transform"/>.</param>
    public static TransformType Of(Type type) => Known.GetOrAdd(type, static key => new TransformType(key));

    /// <summary>The name of a type of transform in JSON, in Python and in messages.</summary>
    /// <param name="type">A type derived from <see cref="Transform"/>.</param>
    public static string NameOf(Type type) => type.GetCustomAttribute<GroupAttribute>()?.Name ?? type.Name;

    /// <summary>One with every default, and the examples where there is no default; its problems do not matter.</summary>
    public object Plain => _plain.Value;

    /// <summary>A list of one type of transform.</summary>
    /// <param name="transforms">The transforms.</param>
    /// <param name="item">The item's type: <see cref="Transform"/> or one derived from it.</param>
    public static object MakeList(IReadOnlyList<Transform> transforms, Type item) => item == typeof(Transform) ? ValueList.From(transforms)
        : item == typeof(BatchTransform) ? ValueList.From(transforms.OfType<BatchTransform>())
        : ValueList.From(transforms.OfType<ImageTransform>());

    /// <summary>Makes a transform.</summary>
    /// <param name="values">The values given; all others keep their default.</param>
    public Transform Create(IReadOnlyDictionary<TransformParameter, object?> values)
    {
        var arguments = ConstructorParameters
            .Select(parameter => values.TryGetValue(parameter, out var given) ? given : parameter.ConstructorDefault)
            .ToArray();
        var transform = Constructor.Invoke(arguments);
        foreach (var setting in Parameters.Skip(ConstructorParameters.Count))
        {
            if (values.TryGetValue(setting, out var given))
            {
                setting.Property.SetValue(transform, given);
            }
        }

        return (Transform)transform;
    }

    /// <summary>The parameters that must be written down: those without a default, and those that differ from it.</summary>
    public IEnumerable<(TransformParameter Parameter, object? Value)> ChangedParameters(Transform transform) => ConstructorParameters
        .Select(parameter => (Parameter: parameter, Value: parameter.Property.GetValue(transform)))
        .Where(entry => entry.Parameter.IsRequired || !Equals(entry.Value, entry.Parameter.ConstructorDefault))
        .Concat(ChangedSettings(transform));

    /// <summary>The parameters set by an initializer to something else than their default.</summary>
    public IEnumerable<(TransformParameter Parameter, object? Value)> ChangedSettings(Transform transform) => Parameters
        .Skip(ConstructorParameters.Count)
        .Select(parameter => (Parameter: parameter, Value: parameter.Property.GetValue(transform)))
        .Where(setting => !Equals(setting.Value, setting.Parameter.Property.GetValue(Plain)));

    private static PropertyInfo? FindProperty(Type type, ParameterInfo argument) =>
        type.GetProperty(argument.Name!, BindingFlags.Instance | BindingFlags.Public | BindingFlags.IgnoreCase);

    private static object? ExampleOf(TransformParameter parameter)
    {
        if (parameter.Kind == ParameterKind.Transforms)
        {
            var item = parameter.Type.GetGenericArguments()[0];
            return MakeList([item == typeof(BatchTransform) ? new MixUp() : new Grayscale()], item);
        }

        return parameter.Example is { } example && ParameterJson.TryRead(JsonNode.Parse(example)!, parameter.Type, out var value) ? value : null;
    }

    /// <summary>Adds a sentence for each parameter with a number out of its range.</summary>
    public void CheckRanges(Transform transform, ICollection<string> problems)
    {
        foreach (var parameter in Parameters)
        {
            if (parameter.RangeProblem(parameter.Property.GetValue(transform)) is { } problem)
            {
                problems.Add(problem);
            }
        }
    }
}
