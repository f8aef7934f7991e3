using Vizsla.Imaging;

namespace Vizsla.Tests.Imaging.Gif;

public sealed class GifDecoderTests
{
    private static readonly byte[] Colors = [10, 20, 30, 40, 50, 60, 70, 80, 90, 1, 2, 3];

    [Fact]
    public void Reads_the_colors_of_the_palette()
    {
        using var image = ImageCodec.Decode(File(3, 1, 0, 0, 3, 1, [0, 1, 2]));

        Assert.Equal(Colors[..9], image.Pixels.ToArray());
        Assert.Equal(new ImageInfo("GIF", "P", 3, 1, 1), ImageCodec.Identify(File(3, 1, 0, 0, 3, 1, [0, 1, 2])));
    }

    [Fact]
    public void Puts_interlaced_rows_at_their_places()
    {
        // Rows come as 0, 4, 2, 1, 3.
        using var image = ImageCodec.Decode(File(1, 5, 0, 0, 1, 5, [0, 1, 2, 3, 0], interlaced: true));

        Assert.Equal([10, 1, 70, 10, 40], Enumerable.Range(0, 5).Select(y => image.Row(y)[0]));
    }

    [Fact]
    public void Fills_around_a_smaller_frame_and_grows_to_a_larger_one()
    {
        using var inside = ImageCodec.Decode(File(3, 1, 1, 0, 1, 1, [2]));
        using var beyond = ImageCodec.Decode(File(1, 1, 1, 0, 1, 1, [2]));

        Assert.Equal([10, 70, 10], Enumerable.Range(0, 3).Select(x => inside.Pixels[3 * x]));
        Assert.Equal([10, 70], Enumerable.Range(0, 2).Select(x => beyond.Pixels[3 * x]));
    }

    [Fact]
    public void Refuses_a_file_that_ends_inside_the_data()
    {
        var file = File(3, 1, 0, 0, 3, 1, [0, 1, 2]);

        var error = Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(file.AsSpan(0, file.Length - 5)));

        Assert.Equal("it is truncated", error.Reason);
    }

    [Fact]
    public void Refuses_a_bomb_before_it_takes_memory()
    {
        var error = Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(File(65535, 65535, 0, 0, 1, 1, [0])));

        Assert.Equal("its 4294836225 pixels exceed the limit of 178956970; it may be a decompression bomb", error.Reason);
    }

    // Codes of three bits, cleared before each so that they never grow.
    private static byte[] File(int width, int height, int left, int top, int frameWidth, int frameHeight, byte[] indexes, bool interlaced = false)
    {
        var (bits, count) = (0UL, 0);
        var data = new List<byte>();
        foreach (var code in indexes.SelectMany(index => new[] { 4, index }).Append(5))
        {
            bits |= (ulong)code << count;
            count += 3;
            for (; count >= 8; count -= 8, bits >>= 8)
            {
                data.Add((byte)bits);
            }
        }

        data.Add((byte)bits);
        return
        [
            .. "GIF89a"u8, .. Word(width), .. Word(height), 0x81, 0, 0, .. Colors, (byte)',', .. Word(left), .. Word(top), .. Word(frameWidth), .. Word(frameHeight),
            interlaced ? (byte)64 : (byte)0, 2, (byte)data.Count, .. data, 0, (byte)';',
        ];
    }

    private static byte[] Word(int value) => [(byte)value, (byte)(value >> 8)];
}
