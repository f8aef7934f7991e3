using System.Collections;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Vizsla.Transforms;

/// <summary>Writes transforms and their parameters as a person would write them in C#.</summary>
internal static class PipelineText
{
    private const int LongLine = 100;

    /// <summary>The C# of a transform, a parameter's value or a list of them.</summary>
    public static string ToCSharp(object? value) => value switch
    {
        null => "null",
        Transform transform => WriteTransform(transform),
        bool flag => flag ? "true" : "false",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        Enum choice => $"{choice.GetType().Name}.{choice}",
        string text => $"\"{text}\"",
        ITuple tuple => $"({string.Join(", ", Enumerable.Range(0, tuple.Length).Select(i => ToCSharp(tuple[i])))})",
        IEnumerable items => WriteList("[", items.Cast<object?>().Select(ToCSharp).ToList(), "]"),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string WriteTransform(Transform transform)
    {
        var name = transform.GetType().Name;
        if (transform is Compose compose)
        {
            return WriteList($"new {name}(", compose.Transforms.Select(ToCSharp).ToList(), ")");
        }

        var type = TransformType.Of(transform.GetType());
        var arguments = new List<string>();
        var skipped = false;
        foreach (var parameter in type.ConstructorParameters)
        {
            var value = parameter.Property.GetValue(transform);
            if (!parameter.IsRequired && Equals(value, parameter.ConstructorDefault))
            {
                skipped = true;
                continue;
            }

            arguments.Add(skipped ? $"{parameter.ArgumentName}: {ToCSharp(value)}" : ToCSharp(value));
        }

        var settings = type.ChangedSettings(transform).Select(setting => $"{setting.Parameter.PropertyName} = {ToCSharp(setting.Value)}").ToList();
        var call = WriteList($"new {name}(", arguments, ")");
        return settings.Count == 0 ? call : $"{(arguments.Count == 0 ? $"new {name}" : call)} {{ {string.Join(", ", settings)} }}";
    }

    private static string WriteList(string open, List<string> items, string close)
    {
        var line = open + string.Join(", ", items) + close;
        return line.Length <= LongLine && !line.Contains('\n', StringComparison.Ordinal)
            ? line
            : $"{open}\n    {string.Join(",\n", items).Replace("\n", "\n    ", StringComparison.Ordinal)}{close}";
    }
}
