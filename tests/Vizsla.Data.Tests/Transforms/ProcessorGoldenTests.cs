using Vizsla.Imaging;
using Vizsla.Testing;
using Vizsla.Transforms;

namespace Vizsla.Tests.Transforms;

/// <summary>Image processors against transformers: every folder of <c>processors/</c>.</summary>
[Trait("Category", "Golden")]
public sealed partial class ProcessorGoldenTests
{
    // The recordings' own tolerance; measured: equal.
    private const float Tolerance = 1e-6f;

    public static TheoryData<string> Folders() =>
        [.. Subfolders(Path.Combine(Golden.Root, "processors")).DefaultIfEmpty("")];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_processor_makes_the_recorded_pixel_values(string name)
    {
        var folder = Golden.Require("processors", name);
        var recorded = new RecordedTensors(Golden.Require("processors", name, "pixel_values.safetensors"));
        var processor = ImageProcessor.FromPretrained(folder);

        foreach (var picture in recorded.Names)
        {
            using var image = ImageCodec.Load(Golden.RequireData(picture), new DecodeOptions { ExifTranspose = false });
            using var pixels = processor.Process(image);

            Assert.Equal(recorded.Shape(picture), new[] { pixels.Channels, pixels.Height, pixels.Width });
            AssertNear(recorded.Floats(picture), pixels.Values, picture);
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_processor_is_written_as_transformers_writes_it(string name)
    {
        var folder = Golden.Require("processors", name);
        var copy = Directory.CreateTempSubdirectory("vizsla-processor-");
        try
        {
            ImageProcessor.FromPretrained(folder).Save(copy.FullName);

            Assert.Equal(
                File.ReadAllText(Path.Combine(folder, "preprocessor_config.json")),
                File.ReadAllText(Path.Combine(copy.FullName, "preprocessor_config.json")));
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    private static IEnumerable<string> Subfolders(string root) =>
        Directory.Exists(root) ? Directory.GetDirectories(root).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal) : [];
}
