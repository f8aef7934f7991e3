using System.Collections;
using System.Globalization;
using Vizsla.Imaging;

namespace Vizsla.Datasets;

/// <summary>From what a program gives to what a column stores.</summary>
/// <remarks>Source: <c>encode_example</c> of datasets' features.</remarks>
internal static class FeatureValues
{
    /// <summary>Stores a value: a path, bytes or a decoded picture in a picture column, a name or a number in a class column, and so on.</summary>
    /// <exception cref="DatasetException">The value does not fit the type.</exception>
    public static object? Encode(object? value, Feature type) => (type, value) switch
    {
        (_, null) => null,
        (ImageFeature, ImageSource source) => source,
        (ImageFeature, string path) => new ImageSource(path),
        (ImageFeature, byte[] bytes) => new ImageSource(null, bytes),
        (ImageFeature, Image image) => new ImageSource(null, Png(image)),
        (ImageFeature, IReadOnlyDictionary<string, object?> fields) => Stored(fields),
        (ClassLabel label, string name) => (long)label.Str2Int(name),
        (ClassLabel label, _) when ToInt64(value) is { } number => label.EncodeExample(number),
        (ValueFeature plain, _) when Convert(value, plain.DType) is { } converted => converted,
        (ListFeature list, IEnumerable items and not string) => items.Cast<object?>().Select(i => Encode(i, list.Element)).ToList(),
        (StructFeature fields, IReadOnlyDictionary<string, object?> values) => fields.Fields.ToDictionary(f => f.Key, f => Encode(values.GetValueOrDefault(f.Key), f.Value), StringComparer.Ordinal),
        (OtherFeature, _) => value,
        _ => throw new DatasetException(Invariant($"The value '{value}' ({value.GetType().Name}) does not fit a column of type {FeaturesJson.TypeName(type)}{(type is ValueFeature v ? $"('{v.DType}')" : "")}.")),
    };

    /// <summary>The type of column that holds such a value; null for null.</summary>
    /// <exception cref="DatasetException">No type of column does.</exception>
    public static Feature? Infer(object? value) => value switch
    {
        null => null,
        ImageSource or Image => new ImageFeature(),
        string => new ValueFeature("string"),
        bool => new ValueFeature("bool"),
        float => new ValueFeature("float32"),
        double => new ValueFeature("float64"),
        byte[] => new ValueFeature("binary"),
        IReadOnlyDictionary<string, object?> fields => new StructFeature(new Features(fields.Select(f => KeyValuePair.Create(f.Key, Infer(f.Value) ?? new ValueFeature("null"))))),
        IEnumerable items => new ListFeature(items.Cast<object?>().Select(Infer).FirstOrDefault(t => t is not null) ?? new ValueFeature("null")),
        _ when ToInt64(value) is not null => new ValueFeature("int64"),
        _ => throw new DatasetException($"No type of column holds a value of type {value.GetType().Name}."),
    };

    private static object? Convert(object value, string dtype) => dtype switch
    {
        "string" or "large_string" => System.Convert.ToString(value, CultureInfo.InvariantCulture),
        "bool" => value is bool flag ? flag : ToInt64(value) is { } number ? number != 0 : null,
        "float64" or "double" => ToDouble(value),
        "float32" or "float" or "float16" => ToDouble(value) is { } number ? (double)(float)number : null,
        "binary" or "large_binary" => value as byte[],
        _ when dtype.StartsWith("int", StringComparison.Ordinal) || dtype.StartsWith("uint", StringComparison.Ordinal) => ToInt64(value),
        _ => value,
    };

    private static double? ToDouble(object value) => value switch
    {
        string text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) ? parsed : null,
        double number => number,
        float number => number,
        _ => ToInt64(value),
    };

    private static long? ToInt64(object value) => value switch
    {
        string text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed) ? parsed : null,
        double number => number == Math.Floor(number) ? (long)number : null,
        bool flag => flag ? 1 : 0,
        sbyte or byte or short or ushort or int or uint or long or Enum => System.Convert.ToInt64(value, CultureInfo.InvariantCulture),
        _ => null,
    };

    // The struct that a picture column is without metadata.
    private static ImageSource Stored(IReadOnlyDictionary<string, object?> fields) => new(
        fields.GetValueOrDefault("path") as string,
        fields.GetValueOrDefault("bytes") is byte[] bytes ? new ReadOnlyMemory<byte>(bytes) : default(ReadOnlyMemory<byte>?));

    private static byte[] Png(Image image)
    {
        using var memory = new MemoryStream();
        ImageCodec.SavePng(image, memory);
        return memory.ToArray();
    }
}
