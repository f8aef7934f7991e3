using Apache.Arrow;

namespace Vizsla.Datasets.Readers;

/// <summary>Cells of Arrow arrays as the values that a dataset hands out.</summary>
internal static class ArrowValues
{
    /// <summary>One cell, copied out of the array.</summary>
    /// <param name="array">The column.</param>
    /// <param name="row">Row of the array.</param>
    /// <param name="feature">Type of the column.</param>
    public static object? Read(IArrowArray array, int row, Feature feature)
    {
        if (array.IsNull(row))
        {
            return null;
        }

        return (array, feature) switch
        {
            (StructArray values, ImageFeature) => new ImageSource(Read(values.Fields[1], row, new ValueFeature("string")) as string, Read(values.Fields[0], row, new ValueFeature("binary")) is byte[] bytes ? new ReadOnlyMemory<byte>(bytes) : default(ReadOnlyMemory<byte>?)),
            (StructArray values, StructFeature fields) => fields.Fields.Index().ToDictionary(f => f.Item.Key, f => Read(values.Fields[f.Index], row, f.Item.Value), StringComparer.Ordinal),
            (ListArray list, ListFeature type) => Items(list.GetSlicedValues(row), type),
            (LargeListArray list, ListFeature type) => Items(list.GetSlicedValues(row), type),
            (FixedSizeListArray list, ListFeature type) => Items(list.GetSlicedValues(row), type),
            (DictionaryArray dictionary, _) => Read(dictionary.Dictionary, (int)(Integer(dictionary.Indices, row) ?? 0), feature),
            _ => Plain(array, row),
        };
    }

    private static List<object?> Items(IArrowArray items, ListFeature type) => [.. Enumerable.Range(0, items.Length).Select(i => Read(items, i, type.Element))];

    private static object? Plain(IArrowArray array, int row) => array switch
    {
        StringArray text => text.GetString(row),
        LargeStringArray text => text.GetString(row),
        BinaryArray binary => binary.GetBytes(row).ToArray(),
        LargeBinaryArray binary => binary.GetBytes(row).ToArray(),
        BooleanArray flag => flag.GetValue(row),
        FloatArray number => (double?)number.GetValue(row),
        DoubleArray number => number.GetValue(row),
        HalfFloatArray number => (double?)number.GetValue(row),
        TimestampArray time => time.GetTimestamp(row),
        Date32Array date => date.GetDateTime(row),
        Date64Array date => date.GetDateTime(row),
        _ => Integer(array, row) ?? throw new DatasetException($"Arrow values of type {array.Data.DataType.Name} are not read."),
    };

    private static long? Integer(IArrowArray array, int row) => array switch
    {
        Int64Array a => a.GetValue(row),
        Int32Array a => a.GetValue(row),
        Int16Array a => a.GetValue(row),
        Int8Array a => a.GetValue(row),
        UInt8Array a => a.GetValue(row),
        UInt16Array a => a.GetValue(row),
        UInt32Array a => a.GetValue(row),
        UInt64Array a => checked((long?)a.GetValue(row)),
        _ => null,
    };
}
