using System.Buffers.Binary;

namespace Vizsla.Imaging;

/// <summary>What the header of a BMP says about its picture.</summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Mode">Pillow's name of the stored pixels.</param>
/// <remarks>Source: Pillow <c>BmpImagePlugin</c>.</remarks>
internal readonly record struct BmpHeader(long Width, long Height, string Mode)
{
    private const int BitFields = 3;

    /// <summary>Whether bytes begin as a BMP does.</summary>
    /// <param name="data">The bytes.</param>
    public static bool Accepts(ReadOnlySpan<byte> data) => data.Length >= 26 && data.StartsWith("BM"u8);

    /// <summary>Reads the header.</summary>
    /// <param name="data">The file.</param>
    /// <exception cref="ImageFormatException">The header is damaged.</exception>
    public static BmpHeader Read(ReadOnlySpan<byte> data)
    {
        var size = BinaryPrimitives.ReadUInt32LittleEndian(data[14..]);
        if (size is not (12 or 40 or 52 or 56 or 64 or 108 or 124))
        {
            throw new ImageFormatException($"it is damaged: a BMP whose header has {size} bytes");
        }

        if (data.Length < 14 + size)
        {
            throw new ImageFormatException(ImageFormatException.CutShort);
        }

        var header = size == 12
            ? new BmpHeader(BinaryPrimitives.ReadUInt16LittleEndian(data[18..]), BinaryPrimitives.ReadUInt16LittleEndian(data[20..]), ModeOf(data, data[24], 0, 3))
            : new BmpHeader(
                BinaryPrimitives.ReadInt32LittleEndian(data[18..]),
                Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(data[22..])),
                ModeOf(data, BinaryPrimitives.ReadUInt16LittleEndian(data[28..]), BinaryPrimitives.ReadUInt32LittleEndian(data[46..]), 4));
        return header is { Width: > 0 and <= int.MaxValue, Height: > 0 and <= int.MaxValue } ? header : throw new ImageFormatException("it is damaged: a BMP without pixels");
    }

    // A palette of gray levels in order is none; of two colors, black and white, it makes a bitmap.
    private static string ModeOf(ReadOnlySpan<byte> data, int bits, uint colors, int entry)
    {
        if (bits > 8)
        {
            var size = BinaryPrimitives.ReadUInt32LittleEndian(data[14..]);
            var masked = size >= 56 && data.Length >= 70 && BinaryPrimitives.ReadUInt32LittleEndian(data[30..]) == BitFields;
            return masked && BinaryPrimitives.ReadUInt32LittleEndian(data[66..]) != 0 ? "RGBA" : "RGB";
        }

        if (bits is not (1 or 2 or 4 or 8))
        {
            throw new ImageFormatException($"it is damaged: a BMP of {bits} bits a pixel");
        }

        var count = colors is > 0 and <= 256 ? (int)colors : 1 << bits;
        var palette = data[(14 + (int)BinaryPrimitives.ReadUInt32LittleEndian(data[14..]))..];
        for (var i = 0; i < count && entry * i + 3 <= palette.Length; i++)
        {
            if (palette.Slice(entry * i, 3).ContainsAnyExcept((byte)(count == 2 ? 255 * i : i)))
            {
                return "P";
            }
        }

        return count == 2 ? "1" : "L";
    }
}
