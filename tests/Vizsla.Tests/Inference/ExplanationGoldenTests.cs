using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Vizsla.Inference;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Testing;
using static TorchSharp.torch;

namespace Vizsla.Tests.Inference;

/// <summary>Heat maps of the recorded checkpoints beside those of plain PyTorch; <c>tests/Fixtures/explanations/make.py</c> made them.</summary>
public sealed class ExplanationGoldenTests
{
    // Shares of attention are below one and summed in float64; gradients are as near as those of the other recordings.
    private const double NearShare = 1e-6;
    private const double NearGradient = 1e-4;
    private const double Floor = 1e-6;

    private static readonly JsonObject _recorded = JsonNode.Parse(
        File.ReadAllText(Path.Combine(Golden.Checkout, "tests", "Fixtures", "explanations", "explanations.json")))!.AsObject();

    public static TheoryData<string> Recorded => [.. _recorded.Select(r => r.Key)];

    [Theory]
    [MemberData(nameof(Recorded))]
    public void It_looked_where_PyTorch_says(string checkpoint)
    {
        var recorded = _recorded[checkpoint]!;
        var (folder, numbersFile) = checkpoint == "lite0"
            ? (Golden.RequireData("weights", "tf_efficientnet_lite0"), Golden.Require("cnn", "lite0.safetensors"))
            : (Golden.Require("vit", checkpoint), Golden.Require("vit", checkpoint, "numbers.safetensors"));
        using var scope = NewDisposeScope();
        using var numbers = SafetensorsFile.Open(numbersFile);
        var key = Convert.ToHexStringLower(SHA256.HashData(numbers.Read("logits").bytes));
        Assert.SkipUnless(key == (string)recorded["key"]!, $"skipped: another {checkpoint} than the recorded one");
        using var classifier = ImageClassifier.FromPretrained(folder);
        classifier.Network.InterpolatesPositions = checkpoint == "vit-interpolated";
        var pixels = numbers.Read("pixel_values");

        var cases = recorded["cases"]!.AsArray();
        Assert.Equal(pixels.shape[0], cases.Count);
        for (var i = 0; i < cases.Count; i++)
        {
            var (_, index, heat, method) = Explainer.Explain(classifier.Network, pixels.narrow(0, i, 1), null);

            var expected = cases[i]!["heat"]!.AsArray().Select(v => (double)v!).ToArray();
            var near = method == ExplanationMethod.AttentionRollout ? NearShare : (NearGradient * expected.Max()) + Floor;
            Assert.Equal((int)cases[i]!["class"]!, index);
            Assert.Equal(((int)cases[i]!["rows"]!, (int)cases[i]!["columns"]!), (heat.Height, heat.Width));
            for (var place = 0; place < expected.Length; place++)
            {
                Assert.Equal(expected[place], heat.Values[place], near);
            }
        }
    }

    [Fact]
    public void The_families_that_were_compared_with_Python_stay_recorded()
    {
        string[] compared = ["beit", "convnext", "deit", "dinov2", "efficientnet", "mobilenetv2", "resnet", "swin", "vit"];

        Assert.Empty(compared.Except(_recorded.Select(r => r.Key.Split('-')[0])));
    }
}
