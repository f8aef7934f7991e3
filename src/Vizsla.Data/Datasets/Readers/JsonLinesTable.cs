using System.Text.Json;

namespace Vizsla.Datasets.Readers;

/// <summary>A file of one JSON object a line, with the types that its values have.</summary>
/// <remarks>Source: <c>pyarrow.json.read_json</c>: integers are int64, other numbers float64; a column takes integers and floats together as float64.</remarks>
internal static class JsonLinesTable
{
    /// <exception cref="DatasetException">A line is not a JSON object, or a column changes its type.</exception>
    public static ColumnTable Read(string path)
    {
        var names = new List<string>();
        var types = new Dictionary<string, Feature?>(StringComparer.Ordinal);
        var rows = new List<Dictionary<string, object?>>();
        foreach (var (i, line) in File.ReadLines(path).Index())
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            var row = ReadLine(path, i + 1, line);
            foreach (var (name, value) in row)
            {
                if (!types.ContainsKey(name))
                {
                    names.Add(name);
                }

                types[name] = Unify(path, i + 1, name, types.GetValueOrDefault(name), TypeOf(path, i + 1, name, value));
            }

            rows.Add(row);
        }

        var features = new Features(names.Select(n => KeyValuePair.Create(n, types[n] ?? new ValueFeature("null"))));
        return new(path, features, [.. features.Select(f => rows.Select(r => Fit(r.GetValueOrDefault(f.Key), f.Value)).ToArray())]);
    }

    private static Dictionary<string, object?> ReadLine(string path, int line, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return Value(document.RootElement) as Dictionary<string, object?> ?? throw new JsonException("expected an object");
        }
        catch (JsonException e)
        {
            throw new DatasetException($"The metadata file '{path}' is not readable as JSON lines at line {line}: {e.Message}", e);
        }
    }

    private static object? Value(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => element.TryGetInt64(out var integer) ? (object)integer : element.GetDouble(),
        JsonValueKind.Array => element.EnumerateArray().Select(Value).ToList(),
        JsonValueKind.Object => element.EnumerateObject().ToDictionary(p => p.Name, p => Value(p.Value), StringComparer.Ordinal),
        _ => null,
    };

    private static Feature? TypeOf(string path, int line, string name, object? value) => value switch
    {
        string => new ValueFeature("string"),
        bool => new ValueFeature("bool"),
        long => new ValueFeature("int64"),
        double => new ValueFeature("float64"),
        List<object?> items => new ListFeature(items.Aggregate((Feature?)null, (type, item) => Unify(path, line, name, type, TypeOf(path, line, name, item))) ?? new ValueFeature("null")),
        Dictionary<string, object?> fields => new StructFeature(new(fields.Select(f => KeyValuePair.Create(f.Key, TypeOf(path, line, f.Key, f.Value) ?? new ValueFeature("null"))))),
        _ => null,
    };

    private static Feature? Unify(string path, int line, string name, Feature? a, Feature? b)
    {
        switch (a, b)
        {
            case (null or ValueFeature { DType: "null" }, _):
                return b ?? a;
            case (_, null or ValueFeature { DType: "null" }):
                return a;
            case (ValueFeature { DType: "int64" or "float64" }, ValueFeature { DType: "int64" or "float64" }) when a != b:
                return new ValueFeature("float64");
            case (ListFeature left, ListFeature right):
                return new ListFeature(Unify(path, line, name, left.Element, right.Element) ?? left.Element);
            case (StructFeature left, StructFeature right):
                var names = left.Fields.Names.Concat(right.Fields.Names).Distinct();
                return new StructFeature(new(names.Select(n => KeyValuePair.Create(n, Unify(path, line, n, Field(left, n), Field(right, n)) ?? new ValueFeature("null")))));
            default:
                return a == b ? a : throw new DatasetException($"The metadata file '{path}' changes the type of '{name}' at line {line}. Give every row a value of one type.");
        }
    }

    private static Feature? Field(StructFeature type, string name) => type.Fields.IndexOf(name) < 0 ? null : type.Fields[name];

    private static object? Fit(object? value, Feature type) => (value, type) switch
    {
        (long integer, ValueFeature { DType: "float64" }) => (double)integer,
        (List<object?> items, ListFeature list) => items.Select(i => Fit(i, list.Element)).ToList(),
        (Dictionary<string, object?> fields, StructFeature named) => named.Fields.ToDictionary(f => f.Key, f => Fit(fields.GetValueOrDefault(f.Key), f.Value), StringComparer.Ordinal),
        _ => value,
    };
}
