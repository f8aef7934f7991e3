using System.Text.Json.Nodes;
using Vizsla.Datasets.Checks;
using Vizsla.Imaging;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Checks;

public sealed class PictureQualityTests
{
    // Sums in another order than numpy's.
    private const double Tolerance = 1e-9;

    [Fact]
    [Trait("Category", "Golden")]
    public void Scores_and_verdicts_are_those_of_cleanvision()
    {
        var recorded = JsonNode.Parse(File.ReadAllText(Golden.Require("metrics", "picture-issues.json")))!["issues"]!.AsArray();
        var options = new DatasetCheckOptions();
        var compared = 0;

        foreach (var issue in recorded)
        {
            var path = PathOf((string)issue!["file"]!);
            var mode = ImageCodec.Identify(path).Mode;
            using var image = ImageCodec.Load(path, new DecodeOptions(ExifTranspose: false));

            var quality = PictureQuality.Of(image, mode);

            AssertSame(issue, "odd_aspect_ratio", quality.OddShape, options.OddShapeThreshold);
            if (mode is not ("RGB" or "L"))
            {
                continue;
            }

            AssertSame(issue, "dark", quality.Dark, options.DarkThreshold);
            AssertSame(issue, "light", quality.Light, options.LightThreshold);
            AssertSame(issue, "low_information", quality.LowInformation, options.LowInformationThreshold);
            AssertSame(issue, "blurry", quality.Blurry, options.BlurryThreshold);
            Assert.Equal((bool)issue["is_grayscale_issue"]!, quality.IsGray);
            compared++;
        }

        Assert.True(compared > 0);
    }

    [Fact]
    [Trait("Category", "Golden")]
    public void Odd_sizes_are_those_of_cleanvision()
    {
        var recorded = JsonNode.Parse(File.ReadAllText(Golden.Require("metrics", "picture-issues.json")))!["issues"]!.AsArray();
        double[] sizes = [.. recorded.Select(i => ImageCodec.Identify(PathOf((string)i!["file"]!))).Select(i => Math.Sqrt(i.Width) * Math.Sqrt(i.Height))];

        var (scores, threshold) = PictureQuality.OddSizes(sizes, new DatasetCheckOptions().OddSizeFactor);

        foreach (var (issue, score) in recorded.Zip(scores))
        {
            AssertSame(issue!, "odd_size", score, threshold);
        }
    }

    private static void AssertSame(JsonNode issue, string name, double score, double threshold)
    {
        Assert.True(Math.Abs((double)issue[$"{name}_score"]! - score) <= Tolerance, $"{issue["file"]}: {name} is {score}, expected {issue[$"{name}_score"]}");
        Assert.Equal((bool)issue[$"is_{name}_issue"]!, score < threshold);
    }

    private static string PathOf(string file) => file.Split('/', 2) is ["cases", var below] ? Golden.RequireCases(below.Split('/')) : Golden.RequireData(file.Split('/')[1..]);
}
