using System.Security.Cryptography;
using System.Text.Json;
using Vizsla.Imaging;
using Vizsla.Testing;

namespace Vizsla.Tests.Imaging;

[Trait("Category", "Golden")]
public sealed class PixelGoldenTests
{
    [Fact]
    public void Decodes_as_Pillow_does_and_refuses_what_it_refuses()
    {
        using var recorded = JsonDocument.Parse(File.ReadAllBytes(Golden.Require("pixels", "decode.json")));
        var wrong = new List<string>();
        foreach (var row in recorded.RootElement.GetProperty("files").EnumerateArray().Where(row => IsThere(row.GetProperty("file").GetString()!)))
        {
            var file = row.GetProperty("file").GetString()!;
            var path = Golden.RequireData(file.Split('/'));
            if (row.TryGetProperty("rgb", out var rgb))
            {
                var info = ImageCodec.Identify(path);
                if ((info.Format, info.Mode) != (row.GetProperty("format").GetString(), row.GetProperty("mode").GetString())
                    || (info.Width, info.Height) != (row.GetProperty("size")[0].GetInt32(), row.GetProperty("size")[1].GetInt32()))
                {
                    wrong.Add($"{file}: identified as {info}, and Pillow says {row}");
                }

                Compare(file, path, rgb.GetString()!, transpose: false, wrong);
                if (row.TryGetProperty("transposed", out var transposed))
                {
                    Compare(file, path, transposed.GetString()!, transpose: true, wrong);
                }
            }
            else if (ImageCodec.Check(path) is null)
            {
                wrong.Add($"{file}: read, and Pillow says {row.GetProperty("error")}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void Resizes_as_Pillow_does()
    {
        using var recorded = JsonDocument.Parse(File.ReadAllBytes(Golden.Require("pixels", "resize.json")));
        var wrong = new List<string>();
        foreach (var cases in recorded.RootElement.GetProperty("cases").EnumerateArray().GroupBy(c => c.GetProperty("file").GetString()!).Where(g => IsThere(g.Key)))
        {
            using var image = ImageCodec.Load(Golden.RequireData(cases.Key.Split('/')), new DecodeOptions(ExifTranspose: false));
            foreach (var row in cases)
            {
                var (width, height) = (row.GetProperty("size")[0].GetInt32(), row.GetProperty("size")[1].GetInt32());
                var filter = row.GetProperty("filter").GetString()!;
                (double, double, double, double)? box = row.TryGetProperty("box", out var b)
                    ? (b[0].GetDouble(), b[1].GetDouble(), b[2].GetDouble(), b[3].GetDouble())
                    : null;

                using var resized = Resampler.Resize(image, width, height, Enum.Parse<Interpolation>(filter, ignoreCase: true), box);

                if (Hash(resized) != row.GetProperty("rgb").GetString())
                {
                    wrong.Add($"{cases.Key} {filter} {width}x{height} {box}");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    // A root may hold some of the recorded pictures only.
    private static bool IsThere(string file) => File.Exists(Path.Combine([Golden.RequireData(), .. file.Split('/')]));

    private static void Compare(string file, string path, string expected, bool transpose, List<string> wrong)
    {
        try
        {
            using var image = ImageCodec.Load(path, new DecodeOptions(transpose));
            if (Hash(image) != expected)
            {
                wrong.Add($"{file}: other pixels{(transpose ? " when transposed" : "")}");
            }
        }
        catch (ImageFormatException e)
        {
            wrong.Add($"{file}: {e.Reason}");
        }
    }

    private static string Hash(Image image) => Convert.ToHexStringLower(SHA256.HashData(image.Pixels));
}
