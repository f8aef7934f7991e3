using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Vizsla.Primitives;

namespace Vizsla.Loading;

/// <summary>The beginning of a file of prepared pictures.</summary>
/// <param name="Key">32 bytes that stand for the pictures' files and the steps that were run on them.</param>
/// <param name="Count">Pictures in the file.</param>
/// <param name="IndexOffset">Where the index begins, which is the end of the pixels.</param>
/// <param name="IndexChecksum">Check sum of the index.</param>
internal sealed record PictureCacheHeader(byte[] Key, int Count, long IndexOffset, uint IndexChecksum)
{
    /// <summary>Bytes of a header.</summary>
    public const int Length = 64;

    private const int KeyLength = 32;

    // The last byte is the version of the layout and of the pixels.
    private static ReadOnlySpan<byte> Magic => "VIZSPIC\u0001"u8;

    /// <summary>Length of a whole file.</summary>
    public long FileLength => IndexOffset + (long)Count * Marshal.SizeOf<PictureCacheEntry>();

    /// <summary>The header as bytes.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Length];
        Magic.CopyTo(bytes);
        Key.CopyTo(bytes, 8);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8 + KeyLength), IndexOffset);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16 + KeyLength), Count);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(20 + KeyLength), IndexChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(Length - 4), Crc32C.Of(bytes.AsSpan(0, Length - 4)));
        return bytes;
    }

    /// <summary>Reads a header.</summary>
    /// <param name="bytes">The first bytes of a file.</param>
    /// <returns>Null where they are no whole header of this version.</returns>
    public static PictureCacheHeader? Read(ReadOnlySpan<byte> bytes) =>
        bytes.Length < Length || !bytes.StartsWith(Magic) || BinaryPrimitives.ReadUInt32LittleEndian(bytes[(Length - 4)..]) != Crc32C.Of(bytes[..(Length - 4)])
            ? null
            : new(
                bytes.Slice(8, KeyLength).ToArray(),
                BinaryPrimitives.ReadInt32LittleEndian(bytes[(16 + KeyLength)..]),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[(8 + KeyLength)..]),
                BinaryPrimitives.ReadUInt32LittleEndian(bytes[(20 + KeyLength)..]));
}

/// <summary>Where a picture lies in a file of prepared pictures.</summary>
/// <param name="Offset">Its first byte.</param>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Checksum">Check sum of its pixels.</param>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly record struct PictureCacheEntry(long Offset, int Width, int Height, uint Checksum)
{
    /// <summary>Bytes of the picture.</summary>
    public int Length => 3 * Width * Height;
}
