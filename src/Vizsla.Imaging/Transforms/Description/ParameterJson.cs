using System.Collections;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Parameters in JSON, in the form Python's users know: numbers, lists, lower-case choices.</summary>
internal static class ParameterJson
{
    /// <summary>The kind of a type, and the words for what it expects.</summary>
    public static (ParameterKind Kind, string Expected) Describe(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            _ when type == typeof(bool) => (ParameterKind.Flag, "true or false"),
            _ when type == typeof(int) => (ParameterKind.WholeNumber, "a whole number"),
            _ when type == typeof(double) => (ParameterKind.Number, "a number"),
            _ when type == typeof(NumberOrPair) => (ParameterKind.NumberOrPair, "a number or [low, high]"),
            _ when type == typeof((double, double)) => (ParameterKind.Pair, "two numbers [a, b]"),
            _ when type == typeof(ValueList<double>) => (ParameterKind.Numbers, "a list of numbers"),
            _ when type == typeof(ImageSize) => (ParameterKind.Size, "a whole number or [height, width]"),
            _ when type == typeof(FillColor) => (ParameterKind.Color, "a level or [red, green, blue]"),
            _ when type == typeof(Padding) => (ParameterKind.Padding, "a whole number, [left and right, top and bottom] or [left, top, right, bottom]"),
            _ when type == typeof(EraseValue) => (ParameterKind.EraseValue, "a number, [red, green, blue] or \"random\""),
            _ when type.IsEnum => (ParameterKind.Choice, $"one of {string.Join(", ", Choices(type).Select(choice => $"\"{choice}\""))}"),
            _ when type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueList<>) => (ParameterKind.Transforms, "a list of transforms"),
            _ => throw new NotSupportedException($"A parameter of type {type.Name} cannot be written as JSON."),
        };
    }

    /// <summary>torchvision's words for the values of an enumeration.</summary>
    public static IEnumerable<string> Choices(Type type) => Enum.GetValues(type).Cast<Enum>().Select(Word);

    /// <summary>torchvision's word for a value of an enumeration.</summary>
    public static string Word(Enum choice) => choice is Interpolation.NearestExact ? "nearest-exact" : choice.ToString().ToLowerInvariant();

    /// <summary>A value as JSON.</summary>
    public static JsonNode? Write(object? value) => value switch
    {
        null => null,
        bool flag => JsonValue.Create(flag),
        int whole => JsonValue.Create(whole),
        double number => Number(number),
        Enum choice => JsonValue.Create(Word(choice)),
        NumberOrPair { IsPair: false } single => Number(single.Low),
        NumberOrPair pair => new JsonArray(Number(pair.Low), Number(pair.High)),
        ImageSize { IsSide: true } side => JsonValue.Create(side.Height),
        ImageSize size => new JsonArray(size.Height, size.Width),
        FillColor color when color.Red == color.Green && color.Green == color.Blue => JsonValue.Create(color.Red),
        FillColor color => new JsonArray(color.Red, color.Green, color.Blue),
        Padding padding when padding == padding.Left => JsonValue.Create(padding.Left),
        Padding padding when padding == (padding.Left, padding.Top) => new JsonArray(padding.Left, padding.Top),
        Padding padding => new JsonArray(padding.Left, padding.Top, padding.Right, padding.Bottom),
        EraseValue { IsRandom: true } => JsonValue.Create("random"),
        EraseValue { Numbers.Count: 1 } erase => Number(erase.Numbers[0]),
        EraseValue erase => Write(erase.Numbers),
        Transform transform => PipelineWriter.ToJson(transform),
        ITuple tuple => new JsonArray([.. Enumerable.Range(0, tuple.Length).Select(i => Write(tuple[i]))]),
        IEnumerable items => new JsonArray([.. items.Cast<object?>().Select(Write)]),
        _ => throw new NotSupportedException($"A value of type {value.GetType().Name} cannot be written as JSON."),
    };

    /// <summary>Reads a value that holds no transforms.</summary>
    /// <param name="node">The JSON; not null.</param>
    /// <param name="type">The parameter's type.</param>
    /// <param name="value">The value.</param>
    /// <returns>False when the JSON has another form.</returns>
    public static bool TryRead(JsonNode node, Type type, out object? value)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        value = Describe(type).Kind switch
        {
            ParameterKind.Flag => node is JsonValue flag && flag.TryGetValue<bool>(out var set) ? set : null,
            ParameterKind.WholeNumber => AsNumber(node) is { } number && IsWhole(number) ? (int)number : null,
            ParameterKind.Number => AsNumber(node),
            ParameterKind.NumberOrPair => AsNumbers(node) switch
            {
                [var single] when node is JsonValue => new NumberOrPair(single),
                [var low, var high] => new NumberOrPair(low, high),
                _ => null,
            },
            ParameterKind.Pair => AsNumbers(node) is [var first, var second] ? (first, second) : null,
            ParameterKind.Numbers => AsNumbers(node) is { } numbers ? ValueList.From(numbers) : null,
            ParameterKind.Size => AsIntegers(node) switch
            {
                [var side] => new ImageSize(side),
                [var height, var width] => new ImageSize(height, width),
                _ => null,
            },
            ParameterKind.Color => AsIntegers(node) switch
            {
                [var level] => (FillColor)level,
                [var red, var green, var blue] => new FillColor(red, green, blue),
                _ => null,
            },
            ParameterKind.Padding => AsIntegers(node) switch
            {
                [var all] => (Padding)all,
                [var across, var down] => (Padding)(across, down),
                [var left, var top, var right, var bottom] => new Padding(left, top, right, bottom),
                _ => null,
            },
            ParameterKind.EraseValue => AsText(node) == "random" ? EraseValue.Random : AsNumbers(node) is { Length: 1 or 3 } numbers ? EraseValue.From(ValueList.From(numbers)) : null,
            ParameterKind.Choice => AsText(node) is { } word ? Enum.GetValues(type).Cast<Enum>().FirstOrDefault(choice => Word(choice) == word) : null,
            _ => null,
        };
        return value is not null;
    }

    // A whole number without a point, as Python's users write it.
    private static JsonValue Number(double number) => IsWhole(number) ? JsonValue.Create((int)number) : JsonValue.Create(number);

    private static bool IsWhole(double number) => number == Math.Floor(number) && Math.Abs(number) <= int.MaxValue;

    private static double? AsNumber(JsonNode? node) => node is not JsonValue value ? null
        : value.TryGetValue<double>(out var real) ? real
        : value.TryGetValue<long>(out var whole) ? whole
        : value.TryGetValue<int>(out var small) ? small
        : null;

    private static string? AsText(JsonNode node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    // A number counts as a list of one.
    private static double[]? AsNumbers(JsonNode node)
    {
        var numbers = node is JsonArray array ? array.Select(AsNumber).ToArray() : [AsNumber(node)];
        return numbers.All(number => number is not null) ? [.. numbers.Select(number => number!.Value)] : null;
    }

    private static int[]? AsIntegers(JsonNode node) =>
        AsNumbers(node) is { } numbers && numbers.All(IsWhole) ? [.. numbers.Select(number => (int)number)] : null;
}
