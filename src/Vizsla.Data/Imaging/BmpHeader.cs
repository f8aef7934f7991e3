using System.Buffers.Binary;

namespace Vizsla.Imaging;

/// <summary>What the header of a BMP says about its picture.</summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Bits">Bits of a pixel.</param>
/// <param name="HasAlpha">Whether a bit mask of alpha is given.</param>
internal readonly record struct BmpHeader(long Width, long Height, int Bits, bool HasAlpha)
{
    /// <summary>Pillow's name of the stored pixels; gray palettes aside, which it finds too.</summary>
    public string Mode => Bits switch { 1 => "1", <= 8 => "P", _ => HasAlpha ? "RGBA" : "RGB" };

    /// <summary>Whether bytes begin as a BMP does.</summary>
    /// <param name="data">The bytes.</param>
    public static bool Accepts(ReadOnlySpan<byte> data) => data.Length >= 26 && data.StartsWith("BM"u8);

    /// <summary>Reads the header.</summary>
    /// <param name="data">The file.</param>
    /// <exception cref="ImageFormatException">The header is damaged.</exception>
    public static BmpHeader Read(ReadOnlySpan<byte> data)
    {
        var size = BinaryPrimitives.ReadUInt32LittleEndian(data[14..]);
        var header = size == 12
            ? new BmpHeader(BinaryPrimitives.ReadUInt16LittleEndian(data[18..]), BinaryPrimitives.ReadUInt16LittleEndian(data[20..]), data[24], false)
            : data.Length < 54
                ? throw new ImageFormatException("it is cut short")
                : new BmpHeader(
                    BinaryPrimitives.ReadInt32LittleEndian(data[18..]),
                    Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(data[22..])),
                    BinaryPrimitives.ReadUInt16LittleEndian(data[28..]),
                    size >= 56 && data.Length >= 70 && BinaryPrimitives.ReadUInt32LittleEndian(data[30..]) == 3 && BinaryPrimitives.ReadUInt32LittleEndian(data[66..]) != 0);
        return header is { Width: > 0, Height: > 0 } ? header : throw new ImageFormatException("it is damaged: a BMP without pixels");
    }
}
