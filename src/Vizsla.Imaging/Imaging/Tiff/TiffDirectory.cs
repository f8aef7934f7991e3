using System.Buffers.Binary;

namespace Vizsla.Imaging.Tiff;

/// <summary>The first directory of a TIFF file: numbers by tag.</summary>
internal sealed class TiffDirectory
{
    private readonly Dictionary<int, long[]> _values = [];

    private TiffDirectory(bool little) => IsLittleEndian = little;

    /// <summary>Whether numbers are stored low byte first.</summary>
    public bool IsLittleEndian { get; }

    /// <summary>Whether bytes begin as a TIFF does.</summary>
    /// <param name="data">The bytes.</param>
    public static bool Accepts(ReadOnlySpan<byte> data) => data.StartsWith("II*\0"u8) || data.StartsWith("MM\0*"u8);

    /// <summary>Reads the directory.</summary>
    /// <param name="data">The file.</param>
    /// <exception cref="ImageFormatException">The file is cut short.</exception>
    public static TiffDirectory Read(ReadOnlySpan<byte> data)
    {
        var result = new TiffDirectory(data[0] == 'I');
        try
        {
            var entries = data[(int)result.UInt32(data[4..])..];
            var count = result.UInt16(entries);
            for (var i = 0; i < count; i++)
            {
                result.ReadEntry(data, entries.Slice(2 + 12 * i, 12));
            }
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new ImageFormatException(ImageFormatException.CutShort, null, e);
        }
        catch (OverflowException e)
        {
            throw new ImageFormatException("it is damaged: a TIFF with an invalid directory", null, e);
        }

        return result;
    }

    /// <summary>The one number of a tag.</summary>
    /// <param name="tag">The tag.</param>
    /// <param name="absent">What it is where the file says nothing.</param>
    public long Number(int tag, long absent) => _values.TryGetValue(tag, out var numbers) && numbers.Length > 0 ? numbers[0] : absent;

    /// <summary>The numbers of a tag; empty where the file says nothing.</summary>
    /// <param name="tag">The tag.</param>
    public long[] Numbers(int tag) => _values.GetValueOrDefault(tag) ?? [];

    private void ReadEntry(ReadOnlySpan<byte> data, ReadOnlySpan<byte> entry)
    {
        var (tag, type, count) = (UInt16(entry), UInt16(entry[2..]), UInt32(entry[4..]));
        var size = type switch { 1 or 2 or 6 or 7 => 1, 3 or 8 => 2, 4 or 9 or 13 => 4, _ => 0 };
        if (size == 0)
        {
            return;
        }

        var length = checked((int)(size * (long)count));
        var values = length <= 4 ? entry.Slice(8, length) : data.Slice((int)UInt32(entry[8..]), length);
        var numbers = new long[count];
        for (var i = 0; i < numbers.Length; i++)
        {
            var value = values[(i * size)..];
            numbers[i] = size switch { 1 => value[0], 2 => UInt16(value), _ => UInt32(value) };
        }

        _values[tag] = numbers;
    }

    private ushort UInt16(ReadOnlySpan<byte> data) =>
        IsLittleEndian ? BinaryPrimitives.ReadUInt16LittleEndian(data) : BinaryPrimitives.ReadUInt16BigEndian(data);

    private uint UInt32(ReadOnlySpan<byte> data) =>
        IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(data) : BinaryPrimitives.ReadUInt32BigEndian(data);
}
