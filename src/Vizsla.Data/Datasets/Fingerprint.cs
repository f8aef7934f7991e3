using System.Buffers.Binary;
using System.Collections;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Vizsla.Primitives;

namespace Vizsla.Datasets;

/// <summary>Builds the short name of a dataset's content: equal content, equal name, on any machine and in any folder.</summary>
/// <remarks>Pictures on disk count by relative path and length, pictures in memory by their bytes; modification times do not count.</remarks>
internal sealed class Fingerprint : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public void Add(string? text)
    {
        Add(text?.Length ?? -1);
        if (text is not null)
        {
            _hash.AppendData(Encoding.UTF8.GetBytes(text));
        }
    }

    public void Add(long number)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        _hash.AppendData(bytes);
    }

    public void AddValue(object? value)
    {
        switch (value)
        {
            case ImageSource { Bytes: { } bytes } source:
                Add(source.Path);
                _hash.AppendData(bytes.Span);
                break;
            case ImageSource source:
                Add(source.Path);
                break;
            case string text:
                Add(text);
                break;
            case IReadOnlyDictionary<string, object?> fields:
                foreach (var (name, field) in fields)
                {
                    Add(name);
                    AddValue(field);
                }

                break;
            case IEnumerable items:
                foreach (var item in items)
                {
                    AddValue(item);
                }

                Add(-2);
                break;
            default:
                Add(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }

    /// <summary>16 hexadecimal digits.</summary>
    public string Finish() => Convert.ToHexStringLower(_hash.GetHashAndReset().AsSpan(0, 8));

    public void Dispose() => _hash.Dispose();
}

/// <summary>Orders cell values of one column: numbers by size, text by code points, false before true.</summary>
internal sealed class ValueComparer : IComparer<object?>
{
    private ValueComparer()
    {
    }

    public static ValueComparer Instance { get; } = new();

    public int Compare(object? x, object? y) => (x, y) switch
    {
        (null, null) => 0,
        (null, _) => 1,
        (_, null) => -1,
        (string a, string b) => CodePointComparer.Instance.Compare(a, b),
        (IComparable a, _) => a.CompareTo(y),
        _ => throw new DatasetException($"Values of type {x.GetType().Name} have no order to sort by."),
    };
}
