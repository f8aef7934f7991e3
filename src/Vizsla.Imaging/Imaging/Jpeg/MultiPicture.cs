using System.Buffers.Binary;

namespace Vizsla.Imaging.Jpeg;

/// <summary>The index of a multi-picture file (MPO), whose first picture is an ordinary JPEG.</summary>
internal static class MultiPicture
{
    private const int NumberOfImages = 0xB001;

    /// <summary>How many pictures the index announces; 0 where it is damaged.</summary>
    /// <param name="index">A TIFF structure.</param>
    public static int Count(ReadOnlySpan<byte> index)
    {
        var little = index.StartsWith("II*\0"u8);
        if (index.Length < 8 || !(little || index.StartsWith("MM\0*"u8)) || UInt32(index[4..], little) is var offset && offset + 2 > index.Length)
        {
            return 0;
        }

        var entries = index[(int)offset..];
        var count = UInt16(entries, little);
        entries = entries[2..];
        for (var i = 0; i < count && entries.Length >= 12; i++, entries = entries[12..])
        {
            if (UInt16(entries, little) == NumberOfImages)
            {
                return (int)Math.Min(UInt32(entries[8..], little), int.MaxValue);
            }
        }

        return 0;
    }

    private static ushort UInt16(ReadOnlySpan<byte> data, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(data) : BinaryPrimitives.ReadUInt16BigEndian(data);

    private static uint UInt32(ReadOnlySpan<byte> data, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(data) : BinaryPrimitives.ReadUInt32BigEndian(data);
}
