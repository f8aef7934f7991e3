using System.Buffers.Binary;
using System.Text;

namespace Vizsla.Export;

/// <summary>Writes one message of Protocol Buffers; large values are referred to and not copied.</summary>
/// <remarks>Source: "Protocol Buffers: Encoding". Zeros and empty texts are left out, as proto3 does, unless a method says otherwise.</remarks>
internal sealed class ProtoWriter
{
    private const int VarintType = 0;
    private const int Fixed64Type = 1;
    private const int LengthType = 2;
    private const int Fixed32Type = 5;

    // From this size on a value stands as a part of its own.
    private const int Large = 4096;

    private readonly List<ReadOnlyMemory<byte>> _parts = [];
    private readonly List<byte> _open = [];

    /// <summary>Bytes of the message so far.</summary>
    public long Length { get; private set; }

    /// <summary>The message so far.</summary>
    public byte[] ToArray()
    {
        using var stream = new MemoryStream();
        WriteTo(stream);
        return stream.ToArray();
    }

    /// <summary>Writes the message so far.</summary>
    public void WriteTo(Stream stream)
    {
        Close();
        foreach (var part in _parts)
        {
            stream.Write(part.Span);
        }
    }

    /// <summary>An integer, enumeration or boolean.</summary>
    public ProtoWriter Integer(int field, long value) => value == 0 ? this : Element(field, value);

    /// <summary>An integer of a repeated field, written also when it is 0.</summary>
    public ProtoWriter Element(int field, long value)
    {
        Tag(field, VarintType);
        Varint((ulong)value);
        return this;
    }

    /// <summary>A double.</summary>
    public ProtoWriter Double(int field, double value)
    {
        if (BitConverter.DoubleToInt64Bits(value) != 0)
        {
            Tag(field, Fixed64Type);
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
            Append(bytes);
        }

        return this;
    }

    /// <summary>A float that is one of several choices, and so is written even when it is 0.</summary>
    public ProtoWriter Float(int field, float value)
    {
        Tag(field, Fixed32Type);
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        Append(bytes);
        return this;
    }

    /// <summary>A text.</summary>
    public ProtoWriter Text(int field, string value) => value.Length == 0 ? this : Bytes(field, Encoding.UTF8.GetBytes(value));

    /// <summary>Bytes; they must not change until the message is written.</summary>
    public ProtoWriter Bytes(int field, ReadOnlyMemory<byte> value)
    {
        Tag(field, LengthType);
        Varint((ulong)value.Length);
        Append(value);
        return this;
    }

    /// <summary>A message within this one, as it is at this moment.</summary>
    public ProtoWriter Message(int field, ProtoWriter value)
    {
        value.Close();
        Tag(field, LengthType);
        Varint((ulong)value.Length);
        foreach (var part in value._parts)
        {
            Append(part);
        }

        return this;
    }

    private void Append(ReadOnlyMemory<byte> value)
    {
        if (value.Length < Large)
        {
            Append(value.Span);
            return;
        }

        Close();
        _parts.Add(value);
        Length += value.Length;
    }

    private void Append(ReadOnlySpan<byte> value)
    {
        _open.AddRange(value);
        Length += value.Length;
    }

    private void Close()
    {
        if (_open.Count > 0)
        {
            _parts.Add(_open.ToArray());
            _open.Clear();
        }
    }

    private void Tag(int field, int type) => Varint((ulong)(field << 3 | type));

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7, Length++)
        {
            _open.Add((byte)(value | 0x80));
        }

        _open.Add((byte)value);
        Length++;
    }
}
