using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using static TorchSharp.torch;

namespace Vizsla.Training.PythonState;

/// <summary>Writes a pickle with the very operations that Python's <c>torch.save</c> writes for the same values.</summary>
/// <remarks>
/// Values are null, <see cref="bool"/>, <see cref="int"/>, <see cref="long"/>, <see cref="double"/>, <see cref="string"/>, <c>object?[]</c> for tuples,
/// <see cref="List{T}"/> of <c>object?</c> for lists, <see cref="OrderedDictionary{TKey, TValue}"/> for dictionaries, and tensors.
/// Source: CPython <c>_pickle.c</c>, protocol 2. Parity: the same bytes, where texts that are equal are one object, as names in Python are.
/// </remarks>
internal sealed class PickleWriter(Stream stream)
{
    private const int Batch = 1000;

    private static readonly Dictionary<ScalarType, string> Storages = new()
    {
        [ScalarType.Float32] = "FloatStorage",
        [ScalarType.Float64] = "DoubleStorage",
        [ScalarType.Float16] = "HalfStorage",
        [ScalarType.BFloat16] = "BFloat16Storage",
        [ScalarType.Int64] = "LongStorage",
        [ScalarType.Int32] = "IntStorage",
        [ScalarType.Byte] = "ByteStorage",
        [ScalarType.Bool] = "BoolStorage",
    };

    private readonly Dictionary<string, int> _memo = new(StringComparer.Ordinal);
    private readonly List<Tensor> _tensors = [];
    private int _memoCount;

    /// <summary>The tensors met, in the order of their storages 0, 1, 2 ...</summary>
    public IReadOnlyList<Tensor> Tensors => _tensors;

    /// <summary>Writes one value as a whole pickle.</summary>
    public void Write(object? value)
    {
        Put(0x80, 2);
        Save(value);
        Put((byte)'.');
    }

    private void Save(object? value)
    {
        switch (value)
        {
            case null:
                Put((byte)'N');
                break;
            case bool flag:
                Put(flag ? (byte)0x88 : (byte)0x89);
                break;
            case int or long:
                SaveInteger(Convert.ToInt64(value, null));
                break;
            case double number:
                Span<byte> bytes = stackalloc byte[8];
                BinaryPrimitives.WriteDoubleBigEndian(bytes, number);
                Put((byte)'G');
                stream.Write(bytes);
                break;
            case string text:
                SaveText(text);
                break;
            case Tensor tensor:
                SaveTensor(tensor);
                break;
            case object?[] tuple:
                SaveTuple(tuple);
                break;
            case List<object?> list:
                SaveList(list);
                break;
            case OrderedDictionary<object, object?> map:
                SaveMap(map);
                break;
            default:
                throw new NotSupportedException($"A value of type {value.GetType().Name} has no counterpart in a file of torch.save.");
        }
    }

    private void SaveInteger(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        switch (value)
        {
            case >= 0 and <= byte.MaxValue:
                Put((byte)'K', bytes[0]);
                break;
            case >= 0 and <= ushort.MaxValue:
                Put((byte)'M', bytes[0], bytes[1]);
                break;
            case >= int.MinValue and <= int.MaxValue:
                Put((byte)'J');
                stream.Write(bytes[..4]);
                break;
            default:
                var digits = new BigInteger(value).ToByteArray();
                Put(0x8A, (byte)digits.Length);
                stream.Write(digits);
                break;
        }
    }

    private void SaveText(string text)
    {
        if (Recalled("text " + text))
        {
            return;
        }

        var bytes = Encoding.UTF8.GetBytes(text);
        Put((byte)'X');
        PutLength(bytes.Length);
        stream.Write(bytes);
        Memoize("text " + text);
    }

    private void SaveGlobal(string module, string name)
    {
        var key = $"global {module} {name}";
        if (!Recalled(key))
        {
            stream.Write(Encoding.ASCII.GetBytes($"c{module}\n{name}\n"));
            Memoize(key);
        }
    }

    private void SaveTuple(object?[] items)
    {
        switch (items.Length)
        {
            case 0:
                Put((byte)')');
                return;
            case <= 3:
                SaveAll(items);
                Put((byte)(0x84 + items.Length));
                break;
            default:
                Put((byte)'(');
                SaveAll(items);
                Put((byte)'t');
                break;
        }

        Memoize(null);
    }

    private void SaveList(List<object?> items)
    {
        Put((byte)']');
        Memoize(null);
        foreach (var batch in items.Chunk(Batch))
        {
            if (items.Count == 1)
            {
                Save(batch[0]);
                Put((byte)'a');
            }
            else
            {
                Put((byte)'(');
                SaveAll(batch);
                Put((byte)'e');
            }
        }
    }

    private void SaveMap(OrderedDictionary<object, object?> map)
    {
        Put((byte)'}');
        Memoize(null);
        if (map.Count == 1)
        {
            Save(map.GetAt(0).Key);
            Save(map.GetAt(0).Value);
            Put((byte)'s');
            return;
        }

        // CPython ends a dictionary of exactly 1000, 2000 ... items with an empty batch.
        for (var start = 0; map.Count > 0 && start <= map.Count; start += Batch)
        {
            Put((byte)'(');
            foreach (var (key, value) in map.Skip(start).Take(Batch))
            {
                Save(key);
                Save(value);
            }

            Put((byte)'u');
            if (map.Count - start < Batch)
            {
                break;
            }
        }
    }

    /// <summary>A call of <c>_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)</c>.</summary>
    private void SaveTensor(Tensor tensor)
    {
        SaveGlobal("torch._utils", "_rebuild_tensor_v2");
        Put((byte)'(');
        Put((byte)'(');
        SaveText("storage");
        SaveGlobal("torch", Storages.TryGetValue(tensor.dtype, out var storage) ? storage : throw new NotSupportedException($"A tensor of {tensor.dtype} is not written."));
        SaveText(_tensors.Count.ToString(System.Globalization.CultureInfo.InvariantCulture));
        SaveText("cpu");
        SaveInteger(tensor.numel());
        Put((byte)'t');
        Memoize(null);
        Put((byte)'Q');
        SaveInteger(0);
        SaveTuple([.. tensor.shape.Select(n => (object?)n)]);
        SaveTuple([.. ContiguousStrides(tensor.shape).Select(n => (object?)n)]);
        Put(0x89);
        SaveGlobal("collections", "OrderedDict");
        Put((byte)')', (byte)'R');
        Memoize(null);
        Put((byte)'t');
        Memoize(null);
        Put((byte)'R');
        Memoize(null);
        _tensors.Add(tensor);
    }

    private static long[] ContiguousStrides(long[] shape)
    {
        var strides = new long[shape.Length];
        var step = 1L;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = step;
            step *= Math.Max(1, shape[i]);
        }

        return strides;
    }

    private void SaveAll(object?[] items)
    {
        foreach (var item in items)
        {
            Save(item);
        }
    }

    private bool Recalled(string key)
    {
        if (!_memo.TryGetValue(key, out var index))
        {
            return false;
        }

        PutIndexed((byte)'h', (byte)'j', index);
        return true;
    }

    private void Memoize(string? key)
    {
        if (key is not null)
        {
            _memo.Add(key, _memoCount);
        }

        PutIndexed((byte)'q', (byte)'r', _memoCount++);
    }

    private void PutIndexed(byte shortCode, byte longCode, int index)
    {
        if (index <= byte.MaxValue)
        {
            Put(shortCode, (byte)index);
        }
        else
        {
            Put(longCode);
            PutLength(index);
        }
    }

    private void PutLength(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private void Put(params ReadOnlySpan<byte> bytes) => stream.Write(bytes);
}
