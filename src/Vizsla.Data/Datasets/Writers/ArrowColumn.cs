using Apache.Arrow;
using Apache.Arrow.Types;
using Vizsla.Datasets.Storage;

namespace Vizsla.Datasets.Writers;

/// <summary>Values of one column as an Arrow array.</summary>
internal static class ArrowColumn
{
    /// <summary>Builds the array.</summary>
    /// <param name="feature">Type of the column.</param>
    /// <param name="values">Values as a dataset hands them out; a picture column takes what is to be stored of each.</param>
    /// <exception cref="DatasetException">A value or the type cannot be stored.</exception>
    public static IArrowArray Build(Feature feature, IReadOnlyList<object?> values) => feature switch
    {
        ImageFeature => Struct(feature, values, [
            Build(new ValueFeature("binary"), [.. values.Select(v => (v as ImageSource)?.Bytes?.ToArray())]),
            Build(new ValueFeature("string"), [.. values.Select(v => (v as ImageSource)?.Path)])]),
        StructFeature fields => Struct(feature, values, [.. fields.Fields.Select(f => Build(f.Value, [.. values.Select(v => (v as IReadOnlyDictionary<string, object?>)?.GetValueOrDefault(f.Key))]))]),
        ListFeature list => List(list, values),
        ClassLabel => Primitive(Int64Type.Default, values),
        _ => Primitive(ArrowTypes.Of(feature), values),
    };

    private static StructArray Struct(Feature feature, IReadOnlyList<object?> values, IArrowArray[] fields)
    {
        var (validity, nullCount) = Validity(values);
        return new(ArrowTypes.Of(feature), values.Count, fields, validity, nullCount);
    }

    private static ListArray List(ListFeature list, IReadOnlyList<object?> values)
    {
        var offsets = new ArrowBuffer.Builder<int>(values.Count + 1).Append(0);
        var items = new List<object?>();
        foreach (var value in values)
        {
            items.AddRange(value as IReadOnlyList<object?> ?? []);
            offsets.Append(items.Count);
        }

        var (validity, nullCount) = Validity(values);
        return new(ArrowTypes.Of(list), values.Count, offsets.Build(), Build(list.Element, items), validity, nullCount);
    }

    private static IArrowArray Primitive(IArrowType type, IReadOnlyList<object?> values) => type switch
    {
        NullType => new NullArray(values.Count),
        StringType => Fill(new StringArray.Builder(), values, (b, v) => b.Append((string)v), b => b.AppendNull()).Build(),
        BinaryType => Fill(new BinaryArray.Builder(), values, (b, v) => b.Append(((byte[])v).AsSpan()), b => b.AppendNull()).Build(),
        LargeStringType => Large(type, values, v => System.Text.Encoding.UTF8.GetBytes((string)v)),
        LargeBinaryType => Large(type, values, v => (byte[])v),
        BooleanType => Fill(new BooleanArray.Builder(), values, (b, v) => b.Append((bool)v), b => b.AppendNull()).Build(),
        DoubleType => Fill(new DoubleArray.Builder(), values, (b, v) => b.Append((double)v), b => b.AppendNull()).Build(),
        FloatType => Fill(new FloatArray.Builder(), values, (b, v) => b.Append((float)(double)v), b => b.AppendNull()).Build(),
        Int64Type => Fill(new Int64Array.Builder(), values, (b, v) => b.Append((long)v), b => b.AppendNull()).Build(),
        Int32Type => Fill(new Int32Array.Builder(), values, (b, v) => b.Append(checked((int)(long)v)), b => b.AppendNull()).Build(),
        Int16Type => Fill(new Int16Array.Builder(), values, (b, v) => b.Append(checked((short)(long)v)), b => b.AppendNull()).Build(),
        Int8Type => Fill(new Int8Array.Builder(), values, (b, v) => b.Append(checked((sbyte)(long)v)), b => b.AppendNull()).Build(),
        UInt64Type => Fill(new UInt64Array.Builder(), values, (b, v) => b.Append(checked((ulong)(long)v)), b => b.AppendNull()).Build(),
        UInt32Type => Fill(new UInt32Array.Builder(), values, (b, v) => b.Append(checked((uint)(long)v)), b => b.AppendNull()).Build(),
        UInt16Type => Fill(new UInt16Array.Builder(), values, (b, v) => b.Append(checked((ushort)(long)v)), b => b.AppendNull()).Build(),
        UInt8Type => Fill(new UInt8Array.Builder(), values, (b, v) => b.Append(checked((byte)(long)v)), b => b.AppendNull()).Build(),
        _ => throw new DatasetException($"Arrow values of type {type.Name} are not written."),
    };

    private static T Fill<T>(T builder, IReadOnlyList<object?> values, Action<T, object> append, Action<T> appendNull)
    {
        foreach (var value in values)
        {
            if (value is null)
            {
                appendNull(builder);
            }
            else
            {
                append(builder, value);
            }
        }

        return builder;
    }

    // The library has no builders for 64-bit offsets.
    private static Apache.Arrow.Array Large(IArrowType type, IReadOnlyList<object?> values, Func<object, byte[]> encode)
    {
        var offsets = new ArrowBuffer.Builder<long>(values.Count + 1).Append(0L);
        var data = new ArrowBuffer.Builder<byte>();
        foreach (var value in values)
        {
            data.Append(value is null ? [] : encode(value));
            offsets.Append(data.Length);
        }

        var (validity, nullCount) = Validity(values);
        return (Apache.Arrow.Array)ArrowArrayFactory.BuildArray(new ArrayData(type, values.Count, nullCount, 0, [validity, offsets.Build(), data.Build()]));
    }

    private static (ArrowBuffer Validity, int NullCount) Validity(IReadOnlyList<object?> values)
    {
        var nullCount = values.Count(v => v is null);
        if (nullCount == 0)
        {
            return (ArrowBuffer.Empty, 0);
        }

        var bits = new ArrowBuffer.BitmapBuilder(values.Count);
        foreach (var value in values)
        {
            bits.Append(value is not null);
        }

        return (bits.Build(), nullCount);
    }
}
