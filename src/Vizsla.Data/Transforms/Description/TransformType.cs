using System.Collections.Concurrent;
using System.Reflection;

namespace Vizsla.Transforms;

/// <summary>What the code of a transform says about it: its constructor and its parameters.</summary>
internal sealed class TransformType
{
    private static readonly ConcurrentDictionary<Type, TransformType> Known = new();

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
        ConstructorParameters = [.. arguments.Select(argument => TransformParameter.Of(FindProperty(type, argument)!, argument))];
        Parameters =
        [
            .. ConstructorParameters,
            .. type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
                .Where(property => property.GetCustomAttribute<ParameterAttribute>() is not null
                    && property.CanWrite
                    && !ConstructorParameters.Any(parameter => parameter.Property == property))
                .OrderBy(property => property.MetadataToken)
                .Select(TransformParameter.Of),
        ];
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

    private static PropertyInfo? FindProperty(Type type, ParameterInfo argument) =>
        type.GetProperty(argument.Name!, BindingFlags.Instance | BindingFlags.Public | BindingFlags.IgnoreCase);

    /// <summary>The parameters set by an initializer to something else than their default.</summary>
    public IEnumerable<(TransformParameter Parameter, object? Value)> ChangedSettings(Transform transform)
    {
        if (Parameters.Count == ConstructorParameters.Count)
        {
            return [];
        }

        var arguments = ConstructorParameters.Select(parameter => parameter.Property.GetValue(transform)).ToArray();
        var plain = Constructor.Invoke(arguments);
        return Parameters.Skip(ConstructorParameters.Count)
            .Select(parameter => (Parameter: parameter, Value: parameter.Property.GetValue(transform)))
            .Where(setting => !Equals(setting.Value, setting.Parameter.Property.GetValue(plain)));
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
