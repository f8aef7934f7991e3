using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Hub;
using Vizsla.Primitives;

namespace Vizsla.Training.Arguments;

/// <summary>Values of arguments: from flags to JSON, from JSON to .NET, and back.</summary>
internal static class ArgumentText
{
    /// <summary>What stands for a token wherever arguments are written.</summary>
    /// <remarks>Source: <c>TrainingArguments.to_dict</c>.</remarks>
    internal const string HiddenToken = "<HUB_TOKEN>";

    /// <summary>The JSON value that a flag's text means for a type; the text itself where it does not fit.</summary>
    public static JsonNode? ToJson(Type type, string text)
    {
        if (text.Equals("none", StringComparison.OrdinalIgnoreCase) || text.Equals("null", StringComparison.OrdinalIgnoreCase))
        {
            return type == typeof(IReadOnlyList<string>) ? new JsonArray(text) : null;
        }

        if (type == typeof(bool))
        {
            return text.ToUpperInvariant() is "TRUE" or "1" or "YES" or "ON" ? true : text.ToUpperInvariant() is "FALSE" or "0" or "NO" or "OFF" ? false : text;
        }

        if (type == typeof(int) || type == typeof(long) || type == typeof(double))
        {
            return Guess(text);
        }

        if (type == typeof(IReadOnlyList<string>))
        {
            return text.StartsWith('[') ? Parsed(text) : new JsonArray([.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(t => (JsonNode)t)]);
        }

        return type == typeof(JsonObject) || type == typeof(IReadOnlyDictionary<string, double>) || type == typeof(ClassWeights)
            ? Structure(text)
            : text;
    }

    /// <summary>The JSON value that a text looks like: true, false, null, a number, else the text.</summary>
    public static JsonNode? Guess(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number
        : bool.TryParse(text, out var flag) ? flag
        : text is "None" or "null" ? null
        : text;

    /// <summary>The .NET value of an argument.</summary>
    /// <exception cref="FormatException">The value is of another kind; the message is the whole sentence.</exception>
    public static object? FromJson(ArgumentField field, JsonNode? value)
    {
        if (value is null)
        {
            return field.IsNullable ? null : throw Wrong(field, value, Expected(field.Type));
        }

        try
        {
            return field.Type switch
            {
                var t when t.IsEnum => Choice(field, value),
                var t when t == typeof(bool) => value.GetValue<bool>(),
                var t when t == typeof(int) => checked((int)Whole(value)),
                var t when t == typeof(long) => Whole(value),
                var t when t == typeof(double) => Number(value),
                // resume_from_checkpoint is a folder or true.
                var t when t == typeof(string) => value.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? value.ToJsonString() : value.GetValue<string>(),
                var t when t == typeof(IReadOnlyList<string>) => value is JsonArray list ? [.. list.Select(v => v!.GetValue<string>())] : (IReadOnlyList<string>)[value.GetValue<string>()],
                var t when t == typeof(JsonObject) => (JsonObject)value.DeepClone(),
                var t when t == typeof(ClassWeights) => Weights(value),
                var t when t == typeof(HubToken) => Token(field, value),
                _ => value.AsObject().ToDictionary(p => p.Key, p => Number(p.Value!)),
            };
        }
        catch (Exception e) when (e is InvalidOperationException or InvalidCastException or OverflowException or NullReferenceException)
        {
            throw Wrong(field, value, Expected(field.Type));
        }
    }

    /// <summary>The JSON value of an argument, as <c>training_args.json</c> holds it.</summary>
    public static JsonNode? ToJson(object? value) => value switch
    {
        null => null,
        bool flag => flag,
        int whole => whole,
        long whole => whole,
        double number => number,
        string text => text,
        Enum choice => SnakeCase.Of(choice.ToString()),
        JsonObject map => map.DeepClone(),
        ClassWeights weights => weights.ToJson(),
        HubToken => HiddenToken,
        IReadOnlyList<string> list => new JsonArray([.. list.Select(t => (JsonNode)t)]),
        IReadOnlyDictionary<string, double> map => new JsonObject(map.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value))),
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, "Not the value of an argument."),
    };

    private static object Choice(ArgumentField field, JsonNode value)
    {
        var text = value.GetValue<string>();
        var choices = SnakeCase.Values(field.Type);
        return choices.TryGetValue(text, out var choice)
            ? choice
            : throw new FormatException($"{field.Name} is '{text}'. Known: {string.Join(", ", choices.Keys)}.{Suggestion.DidYouMean(text, choices.Keys)}");
    }

    private static ClassWeights Weights(JsonNode value) => value switch
    {
        JsonArray list => ClassWeights.Of([.. list.Select(v => Number(v!))]),
        JsonObject map => ClassWeights.Of(map.ToDictionary(p => p.Key, p => Number(p.Value!))),
        _ when value.GetValue<string>() == "balanced" => ClassWeights.Balanced,
        _ => throw new InvalidOperationException(),
    };

    // Neither a token nor what was given in its place is ever repeated.
    private static HubToken? Token(ArgumentField field, JsonNode value)
    {
        var text = value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : "";
        try
        {
            return text == HiddenToken ? null : new HubToken(text);
        }
        catch (ArgumentException)
        {
            throw new FormatException($"{field.Name} is not an access token, expected a text without spaces such as 'hf_...'.");
        }
    }

    private static long Whole(JsonNode value) =>
        Number(value) is var number && number == Math.Floor(number) ? checked((long)number) : throw new InvalidOperationException();

    private static double Number(JsonNode value) => value.GetValueKind() == JsonValueKind.Number
        ? double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture)
        : throw new InvalidOperationException();

    private static JsonNode? Structure(string text)
    {
        if (text.StartsWith('{') || text.StartsWith('['))
        {
            return Parsed(text);
        }

        var pairs = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(p => p.Split('=', 2)).ToList();
        return pairs.All(p => p.Length == 2) ? new JsonObject(pairs.Select(p => KeyValuePair.Create(p[0].Trim(), Guess(p[1].Trim())))) : text;
    }

    private static JsonNode? Parsed(string text)
    {
        try
        {
            return PythonJson.Parse(text);
        }
        catch (JsonException)
        {
            return text;
        }
    }

    private static FormatException Wrong(ArgumentField field, JsonNode? value, string expected) =>
        new($"{field.Name} is {PythonJson.Serialize(value, indent: null)}, expected {expected}.");

    private static string Expected(Type type) => type switch
    {
        var t when t == typeof(bool) => "true or false",
        var t when t == typeof(int) || t == typeof(long) => "a whole number",
        var t when t == typeof(double) => "a number",
        var t when t == typeof(IReadOnlyList<string>) => "a list of texts",
        var t when t == typeof(JsonObject) => "an object of names and values",
        var t when t == typeof(ClassWeights) => "'balanced', one number per class, or numbers by class name",
        var t when t == typeof(IReadOnlyDictionary<string, double>) => "an object of numbers by name",
        var t when t.IsEnum => "one of " + string.Join(", ", SnakeCase.Values(t).Keys),
        _ => "a text",
    };
}

/// <summary>The names of Python: <c>AdamwTorchFused</c> is <c>adamw_torch_fused</c>.</summary>
internal static class SnakeCase
{
    public static string Of(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    public static string Of<T>(T value)
        where T : struct, Enum => Of(value.ToString());

    /// <summary>All values of an enumeration by their Python name, in the order of declaration.</summary>
    public static IReadOnlyDictionary<string, object> Values(Type enumeration) =>
        Enum.GetValues(enumeration).Cast<object>().ToDictionary(v => Of(v.ToString()!));
}
