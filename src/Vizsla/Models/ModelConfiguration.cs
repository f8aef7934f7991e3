using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Models;

/// <summary>A model's <c>config.json</c>: typed reading, the label maps, and every unknown key kept as it was.</summary>
/// <remarks>Source: transformers <c>PretrainedConfig</c>; timm's <c>config.json</c> is recognized by its key <c>architecture</c>.</remarks>
public sealed partial class ModelConfiguration
{
    /// <summary>The file's name in a model folder.</summary>
    public const string FileName = "config.json";

    /// <summary>The version of transformers whose files are written where the configuration came without one.</summary>
    internal const string WrittenVersion = "4.57.6";

    private static readonly HashSet<string> _integerKeyed = ["id2label"];
    private static readonly string[] _problemTypes = ["regression", "single_label_classification", "multi_label_classification"];

    private readonly string _origin;

    /// <summary>Wraps a JSON object.</summary>
    /// <param name="json">The object; kept, not copied.</param>
    /// <param name="origin">Where it came from, for messages.</param>
    /// <exception cref="ModelLoadException">The label maps or the problem type make no sense.</exception>
    public ModelConfiguration(JsonObject json, string origin = FileName)
    {
        ArgumentNullException.ThrowIfNull(json);
        Json = json;
        _origin = origin;
        Id2Label = ReadLabels();
        CheckProblemType(ProblemType);
    }

    /// <summary>Every key as it stands in the file, those included that no model here reads.</summary>
    public JsonObject Json { get; }

    /// <summary>Whether the file is timm's own: it names an <c>architecture</c>.</summary>
    public bool IsTimm => Json["architecture"] is JsonValue;

    /// <summary>The architecture family, such as <c>vit</c>; <c>timm_wrapper</c> for a file of timm's.</summary>
    /// <exception cref="ModelLoadException">The file names none.</exception>
    public string ModelType => TextOrNull("model_type") ?? (IsTimm ? "timm_wrapper" : throw Bad("model_type", "the name of an architecture, such as \"vit\""));

    /// <summary>Class names in Python, such as <c>ViTForImageClassification</c>; empty when the file names none.</summary>
    public IReadOnlyList<string> Architectures =>
        Json["architectures"] is JsonArray list ? [.. list.Select(n => n?.ToString() ?? "")] : [];

    /// <summary>The class names in order of their index.</summary>
    public IReadOnlyList<string> Id2Label { get; private set; }

    /// <summary>Whether the classes have names of their own, not only numbers.</summary>
    public bool HasLabelNames { get; private set; }

    /// <summary>Number of classes, and of the model's outputs.</summary>
    public int LabelCount => Id2Label.Count;

    /// <summary>Index of each class name; of equal names the last.</summary>
    public IReadOnlyDictionary<string, int> Label2Id
    {
        get
        {
            var map = new Dictionary<string, int>(StringComparer.Ordinal);
            for (var i = 0; i < Id2Label.Count; i++)
            {
                map[Id2Label[i]] = i;
            }

            return map;
        }
    }

    /// <summary><c>regression</c>, <c>single_label_classification</c> or <c>multi_label_classification</c>; null until the first labelled step decides.</summary>
    /// <exception cref="ModelLoadException">Set to another value.</exception>
    public string? ProblemType
    {
        get => TextOrNull("problem_type");
        set
        {
            CheckProblemType(value);
            Set("problem_type", value);
        }
    }

    /// <summary>Reads <c>config.json</c> from a folder.</summary>
    /// <param name="folder">A model folder.</param>
    /// <exception cref="ModelLoadException">There is no such file, or it is not a JSON object.</exception>
    public static ModelConfiguration Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        var adapter = Path.Combine(folder, "adapter_config.json");
        if (!File.Exists(path) && File.Exists(adapter))
        {
            throw new ModelLoadException($"'{folder}' holds an adapter ({Path.GetFileName(adapter)}), not a whole model; merge it into its base model first, and give that folder.");
        }

        if (!File.Exists(path))
        {
            throw new ModelLoadException($"'{folder}' holds no {FileName}; a model folder has one beside its weights.");
        }

        return Parse(File.ReadAllText(path), path);
    }

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <param name="text">JSON.</param>
    /// <param name="origin">Where it came from, for messages.</param>
    /// <exception cref="ModelLoadException">It is not a JSON object.</exception>
    public static ModelConfiguration Parse(string text, string origin = FileName)
    {
        try
        {
            return PythonJson.Parse(text) is JsonObject json
                ? new ModelConfiguration(json, origin)
                : throw new ModelLoadException($"'{origin}' is JSON but not an object.");
        }
        catch (JsonException e)
        {
            throw new ModelLoadException($"'{origin}' is not JSON: {e.Message}", e);
        }
    }

    /// <summary>A copy that shares nothing.</summary>
    public ModelConfiguration Clone() => new((JsonObject)Json.DeepClone(), _origin);

    /// <summary>The file's text as transformers writes it: sorted keys, ids as numbers in order, non-ASCII escaped, a newline at the end; timm's keep their own order.</summary>
    public string ToJson() =>
        PythonJson.Serialize(Json, 2, sortKeys: !IsTimm || TextOrNull("model_type") is not null, integerKeyed: _integerKeyed) + "\n";

    /// <summary>Sets a key; null removes it.</summary>
    /// <param name="key">Name in the file.</param>
    /// <param name="value">Value.</param>
    public void Set(string key, JsonNode? value)
    {
        if (value is null)
        {
            Json.Remove(key);
        }
        else
        {
            Json[key] = value;
        }
    }

    /// <summary>A number, or the default where the key is absent or null.</summary>
    /// <param name="key">Name in the file.</param>
    /// <param name="missing">The default.</param>
    /// <exception cref="ModelLoadException">The value is not a whole number of 32 bits.</exception>
    public int WholeNumber(string key, int missing) => Json[key] is { } node ? AsInteger(node, key) : missing;

    /// <summary>A number, or null where the key is absent or null.</summary>
    /// <param name="key">Name in the file.</param>
    public int? WholeNumberOrNull(string key) => Json[key] is { } node ? AsInteger(node, key) : null;

    /// <summary>A number, or the default where the key is absent or null.</summary>
    /// <param name="key">Name in the file.</param>
    /// <param name="missing">The default.</param>
    /// <exception cref="ModelLoadException">The value is not a number.</exception>
    public double Number(string key, double missing) => Json[key] is { } node ? AsNumber(node) ?? throw Bad(key, "a number") : missing;

    /// <summary>A truth value, or the default where the key is absent or null.</summary>
    /// <param name="key">Name in the file.</param>
    /// <param name="missing">The default.</param>
    /// <exception cref="ModelLoadException">The value is neither true nor false.</exception>
    public bool Flag(string key, bool missing) => Json[key] switch
    {
        null => missing,
        JsonValue value when KindOf(value) is JsonValueKind.True or JsonValueKind.False => value.GetValue<bool>(),
        _ => throw Bad(key, "true or false"),
    };

    /// <summary>A list of truth values, or the default where the key is absent or null.</summary>
    /// <param name="key">Name in the file.</param>
    /// <param name="missing">The default.</param>
    /// <exception cref="ModelLoadException">The value is not a list of true and false.</exception>
    internal IReadOnlyList<bool> Flags(string key, params bool[] missing) => Json[key] switch
    {
        null => missing,
        JsonArray list when list.All(n => n is JsonValue v && KindOf(v) is JsonValueKind.True or JsonValueKind.False) => [.. list.Select(n => n!.GetValue<bool>())],
        _ => throw Bad(key, "a list of true and false"),
    };

    /// <summary>A text, or the default where the key is absent or null.</summary>
    /// <param name="key">Name in the file.</param>
    /// <param name="missing">The default.</param>
    public string Text(string key, string missing) => TextOrNull(key) ?? missing;

    /// <summary>A text, or null where the key is absent or null.</summary>
    /// <param name="key">Name in the file.</param>
    /// <exception cref="ModelLoadException">The value is not a text.</exception>
    public string? TextOrNull(string key) => Json[key] switch
    {
        null => null,
        JsonValue value when KindOf(value) == JsonValueKind.String => value.GetValue<string>(),
        _ => throw Bad(key, "a text"),
    };

    /// <summary>The keys of an object within, such as <c>vision_config</c>; none where it is absent.</summary>
    /// <param name="key">Name of the object.</param>
    internal ModelConfiguration Section(string key) => Json[key] switch
    {
        null => new([], $"{key} of {_origin}"),
        JsonObject section => new((JsonObject)section.DeepClone(), $"{key} of {_origin}"),
        _ => throw Bad(key, "an object"),
    };

    /// <summary>One of several texts, or the default where the key is absent or null.</summary>
    /// <param name="key">Name in the file.</param>
    /// <param name="missing">The default.</param>
    /// <param name="known">The texts that are understood.</param>
    /// <exception cref="ModelLoadException">The value is another text; the message lists those that are known.</exception>
    internal string OneOf(string key, string missing, IReadOnlyList<string> known)
    {
        var value = Text(key, missing);
        return known.Contains(value)
            ? value
            : throw new ModelLoadException($"Unknown {key} '{value}'. Known: {string.Join(", ", known)}.{Suggestion.DidYouMean(value, known)}");
    }

    /// <summary>A list of whole numbers, or the default where the key is absent or null.</summary>
    /// <param name="key">Name in the file.</param>
    /// <param name="missing">The default.</param>
    /// <exception cref="ModelLoadException">The value is not a list of whole numbers.</exception>
    public IReadOnlyList<int> WholeNumbers(string key, params int[] missing) => Json[key] switch
    {
        null => missing,
        JsonArray list => [.. list.Select(n => n is null ? throw Bad(key, "a list of whole numbers") : AsInteger(n, key))],
        _ => throw Bad(key, "a list of whole numbers"),
    };

    /// <summary>A list of numbers, or the default where the key is absent or null.</summary>
    /// <param name="key">Name in the file.</param>
    /// <param name="missing">The default.</param>
    /// <exception cref="ModelLoadException">The value is not a list of numbers.</exception>
    public IReadOnlyList<double> Numbers(string key, params double[] missing) => Json[key] switch
    {
        null => missing,
        JsonArray list => [.. list.Select(n => (n is null ? null : AsNumber(n)) ?? throw Bad(key, "a list of numbers"))],
        _ => throw Bad(key, "a list of numbers"),
    };

    /// <summary>Height and width: one number for both, or a list of two.</summary>
    /// <param name="key">Name in the file.</param>
    /// <param name="missing">The default of both.</param>
    /// <exception cref="ModelLoadException">The value is neither.</exception>
    public (int Height, int Width) Size(string key, int missing)
    {
        if (Json[key] is not JsonArray)
        {
            var side = WholeNumber(key, missing);
            return (side, side);
        }

        return WholeNumbers(key) is [var height, var width] ? (height, width) : throw Bad(key, "one number, or height and width");
    }

    private int AsInteger(JsonNode node, string key) =>
        AsNumber(node) is { } number && number == Math.Truncate(number) && Math.Abs(number) <= int.MaxValue
            ? (int)number
            : throw Bad(key, "a whole number");

    /// <summary>What a value is; Python's NaN and infinities, which JSON has not, are nothing.</summary>
    internal static JsonValueKind KindOf(JsonValue value) =>
        value.TryGetValue<double>(out var number) && !double.IsFinite(number) ? JsonValueKind.Undefined : value.GetValueKind();

    /// <summary>The whole number of at least 1 within a list; null for anything else.</summary>
    internal static int? Count(JsonNode? node) => node is not null && AsNumber(node) is { } number && number == Math.Truncate(number) && number is >= 1 and <= int.MaxValue ? (int)number : null;

    private static double? AsNumber(JsonNode node) =>
        node is JsonValue value && KindOf(value) == JsonValueKind.Number
            ? double.Parse(value.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture)
            : null;

    /// <summary>The refusal of a key's value.</summary>
    internal ModelLoadException Refused(string key, string expected) => Bad(key, expected);

    private ModelLoadException Bad(string key, string expected) =>
        new($"'{_origin}': \"{key}\" is {PythonJson.Serialize(Json[key], null)}, expected {expected}.");

    private void CheckProblemType(string? value)
    {
        if (value is not null && !_problemTypes.Contains(value))
        {
            throw new ModelLoadException(
                $"'{_origin}': unknown problem_type '{value}'. Known: {string.Join(", ", _problemTypes)}.{Suggestion.DidYouMean(value, _problemTypes)}");
        }
    }
}
