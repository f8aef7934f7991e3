using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Vizsla.Primitives;

namespace Vizsla.Runs.TensorBoard;

/// <summary>Writes records of the TFRecord format: length, bytes, and a masked checksum of each.</summary>
/// <remarks>Source: TensorFlow <c>core/lib/io/record_writer.cc</c>. Parity: the same bytes.</remarks>
internal static class RecordWriter
{
    private const uint Mask = 0xa282ead8;

    /// <summary>Writes a record.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="record">Its bytes.</param>
    public static void Write(Stream stream, ReadOnlySpan<byte> record)
    {
        Span<byte> frame = stackalloc byte[12];
        BinaryPrimitives.WriteUInt64LittleEndian(frame, (ulong)record.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[8..], MaskedChecksum(frame[..8]));
        stream.Write(frame);
        stream.Write(record);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, MaskedChecksum(record));
        stream.Write(frame[..4]);
    }

    private static uint MaskedChecksum(ReadOnlySpan<byte> bytes) => BitOperations.RotateRight(Crc32C.Of(bytes), 15) + Mask;
}

/// <summary>Writes one message of Protocol Buffers; zeros and empty texts are left out, as proto3 does.</summary>
/// <remarks>Source: "Protocol Buffers: Encoding".</remarks>
internal sealed class ProtoWriter
{
    private const int VarintType = 0;
    private const int Fixed64Type = 1;
    private const int LengthType = 2;
    private const int Fixed32Type = 5;

    private readonly List<byte> _bytes = [];

    /// <summary>The message so far.</summary>
    public byte[] ToArray() => [.. _bytes];

    /// <summary>An integer, enumeration or boolean.</summary>
    public ProtoWriter Integer(int field, long value)
    {
        if (value != 0)
        {
            Tag(field, VarintType);
            Varint((ulong)value);
        }

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
            _bytes.AddRange(bytes);
        }

        return this;
    }

    /// <summary>A float that is one of several choices, and so is written even when it is 0.</summary>
    public ProtoWriter Float(int field, float value)
    {
        Tag(field, Fixed32Type);
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        _bytes.AddRange(bytes);
        return this;
    }

    /// <summary>A text.</summary>
    public ProtoWriter Text(int field, string value) => value.Length == 0 ? this : Bytes(field, Encoding.UTF8.GetBytes(value));

    /// <summary>A message within this one, or bytes.</summary>
    public ProtoWriter Bytes(int field, ReadOnlySpan<byte> value)
    {
        Tag(field, LengthType);
        Varint((ulong)value.Length);
        _bytes.AddRange(value);
        return this;
    }

    /// <summary>A message within this one.</summary>
    public ProtoWriter Message(int field, ProtoWriter value) => Bytes(field, value.ToArray());

    private void Tag(int field, int type) => Varint((ulong)(field << 3 | type));

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _bytes.Add((byte)(value | 0x80));
        }

        _bytes.Add((byte)value);
    }
}
