using Apache.Arrow;
using Apache.Arrow.Types;

namespace Vizsla.Datasets.Storage;

/// <summary>Between features and the types of Arrow columns.</summary>
/// <remarks>Source: datasets <c>generate_from_arrow_type</c> and <c>get_nested_type</c>.</remarks>
internal static class ArrowTypes
{
    private static readonly StructType s_image = new([new Field("bytes", BinaryType.Default, true), new Field("path", StringType.Default, true)]);

    /// <summary>The Arrow type that a feature is stored as.</summary>
    /// <exception cref="DatasetException">The feature has no Arrow type here.</exception>
    public static IArrowType Of(Feature feature) => feature switch
    {
        ImageFeature => s_image,
        ClassLabel => Int64Type.Default,
        ListFeature list => new ListType(new Field("item", Of(list.Element), true)),
        StructFeature fields => new StructType([.. fields.Fields.Select(f => new Field(f.Key, Of(f.Value), true))]),
        ValueFeature value => Primitive(value.DType) ?? throw new DatasetException($"A column of type '{value.DType}' cannot be written to Parquet; cast it first."),
        _ => throw new DatasetException($"A column of type {FeaturesJson.TypeName(feature)} cannot be written to Parquet; cast or remove it first."),
    };

    /// <summary>The feature that an Arrow type is without more knowledge.</summary>
    public static Feature FeatureOf(IArrowType type) => type switch
    {
        ListType list => new ListFeature(FeatureOf(list.ValueDataType)),
        LargeListType list => new ListFeature(FeatureOf(list.ValueDataType)),
        FixedSizeListType list => new ListFeature(FeatureOf(list.ValueDataType), list.ListSize),
        StructType fields => new StructFeature(new Features(fields.Fields.Select(f => KeyValuePair.Create(f.Name, FeatureOf(f.DataType))))),
        DictionaryType dictionary => FeatureOf(dictionary.ValueType),
        _ => new ValueFeature(Name(type)),
    };

    /// <summary>Whether the values of a column are read; a column of another type is left out.</summary>
    public static bool IsRead(IArrowType type) => type switch
    {
        ListType or LargeListType or FixedSizeListType or StructType => ((NestedType)type).Fields.All(f => IsRead(f.DataType)),
        DictionaryType dictionary => IsRead(dictionary.ValueType),
        NullType or BooleanType or Int8Type or Int16Type or Int32Type or Int64Type or UInt8Type or UInt16Type or UInt32Type or UInt64Type or HalfFloatType or FloatType or DoubleType => true,
        StringType or LargeStringType or BinaryType or LargeBinaryType or TimestampType or Date32Type or Date64Type => true,
        _ => false,
    };

    /// <summary>Whether an Arrow column can hold a feature as it is; where not, the metadata of a file is not believed.</summary>
    public static bool Fits(Feature feature, IArrowType type) => (feature, type) switch
    {
        (ImageFeature, StructType { Fields: [{ Name: "bytes", DataType: BinaryType or LargeBinaryType }, { Name: "path", DataType: StringType or LargeStringType }] }) => true,
        (ImageFeature, _) => false,
        (ClassLabel, Int64Type) => true,
        (ListFeature list, ListType array) => Fits(list.Element, array.ValueDataType),
        (ListFeature list, LargeListType array) => Fits(list.Element, array.ValueDataType),
        (ListFeature list, FixedSizeListType array) => Fits(list.Element, array.ValueDataType),
        (StructFeature fields, StructType array) => fields.Fields.Count == array.Fields.Count
            && fields.Fields.Zip(array.Fields).All(p => p.First.Key == p.Second.Name && Fits(p.First.Value, p.Second.DataType)),
        (ValueFeature value, DictionaryType dictionary) => value.DType == Name(dictionary.ValueType),
        (ValueFeature value, _) => value.DType == Name(type),
        _ => feature is OtherFeature,
    };

    private static IArrowType? Primitive(string dtype) => dtype switch
    {
        "null" => NullType.Default,
        "bool" => BooleanType.Default,
        "int8" => Int8Type.Default,
        "int16" => Int16Type.Default,
        "int32" => Int32Type.Default,
        "int64" => Int64Type.Default,
        "uint8" => UInt8Type.Default,
        "uint16" => UInt16Type.Default,
        "uint32" => UInt32Type.Default,
        "uint64" => UInt64Type.Default,
        "float32" => FloatType.Default,
        "float64" => DoubleType.Default,
        "string" => StringType.Default,
        "large_string" => LargeStringType.Default,
        "binary" => BinaryType.Default,
        "large_binary" => LargeBinaryType.Default,
        _ => null,
    };

    private static string Name(IArrowType type) => type switch
    {
        StringType => "string",
        LargeStringType => "large_string",
        LargeBinaryType => "large_binary",
        DoubleType => "float64",
        FloatType => "float32",
        HalfFloatType => "float16",
        TimestampType { Timezone: { Length: > 0 } zone } time => $"timestamp[{Unit(time.Unit)}, tz={zone}]",
        TimestampType time => $"timestamp[{Unit(time.Unit)}]",
        _ => type.Name,
    };

    private static string Unit(TimeUnit unit) => unit switch
    {
        TimeUnit.Second => "s",
        TimeUnit.Millisecond => "ms",
        TimeUnit.Microsecond => "us",
        _ => "ns",
    };
}
