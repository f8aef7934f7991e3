using System.Text.Json.Nodes;
using Vizsla.Heif;
using Vizsla.Imaging;
using Vizsla.Testing;

namespace Vizsla.Tests.Imaging;

public sealed class HeifDecoderTests
{
    // libheif enlarges the halved color of 4:2:0 with another filter than libavif, which Pillow uses for AVIF.
    private const double MeanTolerance = 1;
    private const int HeicTolerance = 3;

    [Fact]
    [Trait("Category", "Golden")]
    public void Pictures_of_telephones_have_Pillows_size_turn_and_pixels()
    {
        var recorded = JsonNode.Parse(File.ReadAllText(Golden.RequireCases("heif", "pixels.json")))!["files"]!.AsArray();

        Assert.All(recorded, file =>
        {
            var path = Golden.RequireCases("heif", (string)file!["file"]!);
            using var expected = Orientation.Turn(ImageCodec.Load(Golden.RequireCases("heif", (string)file["png"]!)), (int?)file["exif_orientation"] ?? 1);

            using var image = new HeifDecoder().Decode(File.ReadAllBytes(path), DecodeOptions.Default);

            Assert.Equal((expected.Width, expected.Height), (image.Width, image.Height));
            var (most, mean) = Difference(expected, image);
            Assert.True(mean < MeanTolerance, $"{path}: mean {mean}");
            Assert.True(most <= HeicTolerance || path.EndsWith(".avif", StringComparison.Ordinal), $"{path}: {most} levels");
        });
    }

    [Fact]
    public void Headers_are_read_without_the_pixels_and_bound_the_size()
    {
        var data = File.ReadAllBytes(Golden.RequireCases("heif", "tiles.heic"));

        Assert.Equal(new ImageInfo("HEIF", "RGB", 420, 300, 1), new HeifDecoder().Identify(data));
        var error = Assert.Throws<ImageFormatException>(() => new HeifDecoder().Decode(data, new DecodeOptions(MaximumPixels: 1000)));
        Assert.Equal("its 126000 pixels exceed the limit of 1000; it may be a decompression bomb", error.Reason);
    }

    [Fact]
    public void A_cut_file_is_refused_at_every_length()
    {
        var data = File.ReadAllBytes(Golden.RequireCases("heif", "photo-420.heic"));

        Assert.All(Enumerable.Range(1, 20).Select(i => data.Length * i / 21), length =>
        {
            var cut = data[..length];
            if (new HeifDecoder().Accepts(cut))
            {
                Assert.StartsWith("it is damaged: ", Assert.Throws<ImageFormatException>(() => new HeifDecoder().Decode(cut, DecodeOptions.Default)).Reason, StringComparison.Ordinal);
            }
        });
    }

    [Theory]
    [InlineData("heif/photo-420.heic", "it is a picture of the format HEIC, which is not read; convert it to PNG or JPEG, for instance with 'heif-convert FILE FILE.png'")]
    [InlineData("heif/photo-420.avif", "it is a picture of the format AVIF, which is not read; convert it to PNG or JPEG, for instance with 'avifdec FILE FILE.png'")]
    public void Without_the_decoder_a_sentence_names_the_format_and_the_command(string file, string reason) =>
        Assert.Equal(reason, ImageCodec.Check(Golden.RequireCases(file.Split('/'))));

    private static (int Most, double Mean) Difference(Image a, Image b)
    {
        var (most, sum) = (0, 0L);
        for (var i = 0; i < a.Pixels.Length; i++)
        {
            var difference = Math.Abs(a.Pixels[i] - b.Pixels[i]);
            (most, sum) = (Math.Max(most, difference), sum + difference);
        }

        return (most, (double)sum / a.Pixels.Length);
    }
}
