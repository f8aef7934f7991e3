using System.Buffers.Binary;
using Vizsla.Imaging;

namespace Vizsla.Studio.Pictures;

/// <summary>Pictures for a moving slider: lossless, and written in a millisecond because nothing is compressed.</summary>
internal static class BmpWriter
{
    private const int HeaderLength = 54;

    /// <summary>The picture as a 24-bit BMP file.</summary>
    public static byte[] Write(Image image)
    {
        var stride = ((image.Width * 3) + 3) & ~3;
        var file = new byte[HeaderLength + (stride * image.Height)];
        WriteHeader(file, image);
        for (var y = 0; y < image.Height; y++)
        {
            var source = image.Row(y);
            var target = file.AsSpan(HeaderLength + (stride * (image.Height - 1 - y)), source.Length);
            for (var x = 0; x < source.Length; x += 3)
            {
                (target[x], target[x + 1], target[x + 2]) = (source[x + 2], source[x + 1], source[x]);
            }
        }

        return file;
    }

    private static void WriteHeader(Span<byte> file, Image image)
    {
        "BM"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file[2..], file.Length);
        BinaryPrimitives.WriteInt32LittleEndian(file[10..], HeaderLength);
        BinaryPrimitives.WriteInt32LittleEndian(file[14..], 40);
        BinaryPrimitives.WriteInt32LittleEndian(file[18..], image.Width);
        BinaryPrimitives.WriteInt32LittleEndian(file[22..], image.Height);
        BinaryPrimitives.WriteInt16LittleEndian(file[26..], 1);
        BinaryPrimitives.WriteInt16LittleEndian(file[28..], 24);
    }
}
