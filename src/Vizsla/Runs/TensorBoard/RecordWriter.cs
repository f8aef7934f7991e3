using System.Buffers.Binary;
using System.Numerics;
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
