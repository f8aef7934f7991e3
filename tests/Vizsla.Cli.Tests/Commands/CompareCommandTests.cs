using System.Text.Json.Nodes;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

/// <summary>Two networks with random weights on drawn animals: what they say is checked against what each picture is.</summary>
public sealed class CompareCommandTests : IDisposable
{
    private static readonly string[] s_classes = ["fish", "rabbit"];

    private readonly TemporaryFolder _folder = new();

    public CompareCommandTests()
    {
        var rng = new Rng(4);
        foreach (var name in s_classes)
        {
            for (var i = 0; i < 6; i++)
            {
                Directory.CreateDirectory(_folder[$"data/test/{name}"]);
                using var picture = AnimalPainter.Paint(name, 48, rng);
                ImageCodec.SavePng(picture, _folder[$"data/test/{name}/{i}.png"]);
            }
        }

        foreach (var seed in new[] { 1L, 2L })
        {
            using var classifier = ImageClassifier.Create("vit-nano", s_classes, imageSize: 32, seed: seed);
            classifier.Save(_folder[$"model{seed}"]);
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Each_picture_is_won_lost_or_neither()
    {
        var (status, output, _) = await RunAsync("compare", _folder["model1"], _folder["model2"], "--dataset", _folder["data"], "--format", "json");

        Assert.Equal(0, status);
        var json = JsonNode.Parse(output)!;
        var pictures = json["pictures"]!.AsArray();
        Assert.Equal(12, pictures.Count);
        bool Right(int model, JsonNode picture) => (string?)picture["predicted"]![model] == (string?)picture["label"];
        var second = json["models"]![1]!;
        Assert.Equal(pictures.Count(p => Right(0, p!)) / 12.0, (double)json["models"]![0]!["accuracy"]!);
        Assert.Equal((pictures.Count(p => Right(1, p!) && !Right(0, p!)), pictures.Count(p => Right(0, p!) && !Right(1, p!))), ((int)second["won"]!, (int)second["lost"]!));
        Assert.Equal((double)second["accuracy"]! - (double)json["models"]![0]!["accuracy"]!, (double)second["difference"]!, 1e-12);
        Assert.InRange((double)second["difference"]!, (double)second["difference_low"]!, (double)second["difference_high"]!);
    }

    [Fact]
    public async Task A_model_beside_itself_differs_in_nothing()
    {
        var (status, output, _) = await RunAsync("compare", _folder["model1"], _folder["model1"], "--dataset", _folder["data"], "--format", "json");

        Assert.Equal(0, status);
        var second = JsonNode.Parse(output)!["models"]![1]!;
        Assert.Equal((0.0, 0, 0, 1.0), ((double)second["difference"]!, (int)second["won"]!, (int)second["lost"]!, (double)second["mcnemar_exact_p"]!));
    }

    [Fact]
    public async Task One_model_alone_is_refused()
    {
        var (status, _, error) = await RunAsync("compare", "model1", "--dataset", _folder["data"]);

        Assert.Equal((2, "A comparison takes two models or more, got 'model1' alone.\n"), (status, error));
    }

    [Fact]
    public async Task An_evaluation_tells_the_classes_and_pictures_behind_its_numbers()
    {
        var (status, output, error) = await RunAsync("evaluate", "--model", _folder["model1"], "--dataset", _folder["data"], "--details", "--format", "json", "--output", _folder["wrong.png"]);

        Assert.Equal(0, status);
        var json = JsonNode.Parse(output)!;
        var classes = json["classes"]!.AsArray();
        Assert.Equal([("fish", 6), ("rabbit", 6)], classes.Select(c => ((string)c!["class"]!, (int)c["support"]!)));
        var right = 12 - json["confusions"]!.AsArray().Sum(c => (int)c!["count"]!);
        Assert.Equal((double)json["test_accuracy"]!, right / 12.0, 1e-12);
        Assert.Equal(12, json["reliability"]!.AsArray().Sum(b => (int)b!["count"]!));
        var losses = json["pictures"]!.AsArray().Select(p => (double)p!["loss"]!).ToList();
        Assert.Equal(losses.OrderDescending(), losses);
        Assert.EndsWith($"Drew {12 - right} of {12 - right} pictures misclassified on '{_folder["wrong.png"]}'.\n", error, StringComparison.Ordinal);
    }

    private static async Task<(int Status, string Output, string Error)> RunAsync(params string[] words)
    {
        using var run = new ConsoleRun();
        var status = await CommandLine.RunAsync(words, run.Console);
        return (status, run.OutText, run.ErrorText);
    }
}
