using Vizsla.Imaging;

namespace Vizsla.Tests.Imaging.Tiff;

public sealed class TiffDecoderTests
{
    private const int Width = 256;
    private const int Height = 257;
    private const int Bits = 258;
    private const int Compression = 259;
    private const int Photometric = 262;
    private const int Offset = 273;
    private const int Orientation = 274;
    private const int Samples = 277;
    private const int Length = 279;
    private const int Predictor = 317;

    private static readonly byte[] Rgb = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    [Fact]
    public void Reads_plain_rgb_and_knows_its_headers()
    {
        var file = File(Rgb, (Photometric, 2), (Samples, 3));

        using var image = ImageCodec.Decode(file);

        Assert.Equal(Rgb, image.Pixels.ToArray());
        Assert.Equal(new ImageInfo("TIFF", "RGB", 2, 2, 1), ImageCodec.Identify(file));
    }

    [Fact]
    public void Unpacks_bits()
    {
        byte[] packed = [1, 1, 2, 0xF7, 9]; // two literal bytes, then ten nines

        using var image = ImageCodec.Decode(File(packed, (Photometric, 2), (Samples, 3), (Compression, 32773)));

        Assert.Equal([1, 2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9], image.Pixels.ToArray());
    }

    [Fact]
    public void Adds_up_differences_of_deflated_rows()
    {
        var rows = Png.PngBuilder.Compress(1, 2, 3, 3, 3, 3, 7, 8, 9, 3, 3, 3);

        using var image = ImageCodec.Decode(File(rows, (Photometric, 2), (Samples, 3), (Compression, 8), (Predictor, 2)));

        Assert.Equal(Rgb, image.Pixels.ToArray());
    }

    [Fact]
    public void Expands_codes_of_lzw()
    {
        // Clear, 7, 7 7 (code 258), 8, end: nine bits each.
        byte[] codes = Pack([256, 7, 258, 8, 257]);

        using var image = ImageCodec.Decode(File(codes, (Photometric, 1), (Compression, 5)));

        Assert.Equal([7, 7, 7, 8], image.Pixels.ToArray().Where((_, i) => i % 3 == 0));
    }

    [Fact]
    public void Inverts_white_is_zero_and_turns_upright_whatever_is_asked()
    {
        using var image = ImageCodec.Decode(File([0, 50, 100, 150], (Photometric, 0), (Orientation, 3)), new DecodeOptions(ExifTranspose: false));

        Assert.Equal([105, 155, 205, 255], image.Pixels.ToArray().Where((_, i) => i % 3 == 0));
    }

    [Fact]
    public void Mixes_inks()
    {
        using var image = ImageCodec.Decode(File([0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 128, 0, 0, 128], (Photometric, 5), (Samples, 4)));

        Assert.Equal([255, 255, 255, 0, 255, 255, 0, 0, 0, 63, 127, 127], image.Pixels.ToArray());
    }

    [Fact]
    public void Refuses_missing_rows_and_kinds_it_does_not_know()
    {
        var cut = Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(File(Rgb[..7], (Photometric, 2), (Samples, 3))));
        var fax = Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(File(Rgb, (Photometric, 1), (Compression, 4))));
        var lab = Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(File(Rgb, (Photometric, 8), (Samples, 3))));

        Assert.Equal("it is truncated", cut.Reason);
        Assert.Equal("it is a TIFF of compression 4, which is not read; save it as PNG", fax.Reason);
        Assert.Equal("it is a TIFF of a kind that is not read (photometric interpretation 8, 3 samples of 8 bits, compression 1); save it as PNG", lab.Reason);
    }

    // 2x2 pixels of 8 bits in one strip behind the directory.
    private static byte[] File(byte[] strip, params (int Tag, int Value)[] tags)
    {
        var entries = new SortedDictionary<int, int> { [Width] = 2, [Height] = 2, [Bits] = 8, [Length] = strip.Length, [Offset] = 0 };
        foreach (var (tag, value) in tags)
        {
            entries[tag] = value;
        }

        entries[Offset] = 8 + 2 + 12 * entries.Count + 4;
        return
        [
            .. "II*\0"u8, 8, 0, 0, 0, (byte)entries.Count, 0,
            .. entries.SelectMany(e => new[] { (byte)e.Key, (byte)(e.Key >> 8), (byte)4, (byte)0, (byte)1, (byte)0, (byte)0, (byte)0 }.Concat(BitConverter.GetBytes(e.Value))),
            0, 0, 0, 0, .. strip,
        ];
    }

    private static byte[] Pack(int[] codes)
    {
        var bits = string.Concat(codes.Select(code => Convert.ToString(code, 2).PadLeft(9, '0')));
        bits = bits.PadRight((bits.Length + 7) / 8 * 8, '0');
        return [.. bits.Chunk(8).Select(octet => Convert.ToByte(new string(octet), 2))];
    }
}
