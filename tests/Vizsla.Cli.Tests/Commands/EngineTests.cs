using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vizsla.Datasets.Drawing;
using Vizsla.Export;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

/// <summary><c>--engine</c>: the exported file beside the weights answers in their place, and says what it cannot do.</summary>
public sealed class EngineTests : IDisposable
{
    private static readonly string[] s_labels = ["butterfly", "fish", "giraffe"];

    private readonly TemporaryFolder _folder = new();
    private readonly string _photo;

    public EngineTests()
    {
        using var network = Network(seed: 3);
        network.Save(_folder["model"]);
        foreach (var precision in Enum.GetValues<OnnxPrecision>())
        {
            network.ExportOnnx(_folder["model", "onnx"], precision);
        }

        foreach (var (label, i) in s_labels.Select((label, i) => (label, i)))
        {
            using var image = AnimalPainter.Paint(label, 48 + i, new Rng((ulong)i));
            ImageCodec.SavePng(image, _folder.Reserve($"data/test/{label}/photo.png"));
        }

        _photo = _folder["data", "test", "fish", "photo.png"];
    }

    private string Exported => _folder["model", "onnx", "model.onnx"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_exported_file_answers_with_the_network_s_scores_and_says_that_it_does()
    {
        var torch = await PredictAsync("--engine", "torch");
        var auto = await PredictAsync();
        var onnx = await PredictAsync("--engine", "onnx");
        var half = await PredictAsync("--engine", "onnx", "--dtype", "fp16");

        AssertClose(torch.Scores, auto.Scores, 1e-5);
        Assert.Equal(auto.Scores, onnx.Scores);
        AssertClose(torch.Scores, half.Scores, 0.01);
        Assert.NotEqual(onnx.Scores, half.Scores);
        Assert.Equal($"Computing '{Exported}' with ONNX Runtime; --engine torch computes the weights.\npredicted 1 picture\n", auto.Error);
        Assert.All([torch, onnx, half], run => Assert.Equal("predicted 1 picture\n", run.Error));
    }

    [Theory]
    [InlineData("--explain", "--output", "sheet.png")]
    [InlineData("--embed", "features.npy")]
    [InlineData("--tta", "flip")]
    [InlineData("--bf16")]
    public async Task What_needs_the_network_is_computed_by_it_and_refused_of_a_file(string option, params string[] value)
    {
        // The file is another model's: who takes it is found out by its scores.
        using (var other = Network(seed: 4))
        {
            other.ExportOnnx(_folder["model", "onnx"]);
        }

        string[] words = ["predict", _photo, "--model", _folder["model"], "--format", "json", option, .. value.Select(v => v.Contains('.', StringComparison.Ordinal) ? _folder[v] : v)];
        var auto = await RunAsync(words);
        var torch = await RunAsync([.. words, "--engine", "torch"]);
        var onnx = await RunAsync([.. words, "--engine", "onnx"]);

        Assert.Equal((0, torch.Output, torch.Error), (auto.Status, auto.Output, auto.Error));
        Assert.Equal((2, $"--engine onnx computes an exported file, and {option} asks for the network itself; leave one of them out.\n"), (onnx.Status, onnx.Error));
    }

    [Fact]
    public async Task An_exported_file_is_evaluated_as_the_network_is()
    {
        string[] words = ["evaluate", "--model", _folder["model"], "--dataset", _folder["data"], "--format", "json", "--details", "--batch_size", "2"];
        var torch = await RunAsync([.. words, "--engine", "torch"]);
        var auto = await RunAsync(words);
        var quantized = await RunAsync([.. words, "--engine", "onnx", "--dtype", "int8"]);
        var views = await RunAsync([.. words, "--tta", "flip", "--engine", "onnx"]);

        Assert.True((torch.Status, auto.Status, quantized.Status) == (0, 0, 0), torch.Error + auto.Error + quantized.Error);
        var (expected, actual) = (JsonNode.Parse(torch.Output)!.AsObject(), JsonNode.Parse(auto.Output)!.AsObject());
        Assert.Equal(expected.Select(v => v.Key), actual.Select(v => v.Key));
        Assert.Contains("test_loss", expected.Select(v => v.Key));
        foreach (var (key, value) in expected.Where(v => v.Value is JsonValue && !Regex.IsMatch(v.Key, "runtime|per_second|temperature")))
        {
            Assert.Equal((double)value!, (double)actual[key]!, 1e-5);
        }

        Assert.StartsWith($"Computing '{Exported}' with ONNX Runtime; --engine torch computes the weights.\n", auto.Error, StringComparison.Ordinal);
        Assert.NotEqual((double)actual["test_loss"]!, (double)JsonNode.Parse(quantized.Output)!["test_loss"]!);
        Assert.Equal(2, views.Status);
    }

    [Fact]
    public async Task Classes_that_are_not_the_file_s_are_refused_as_they_are_of_the_network()
    {
        File.Copy(_photo, _folder.Reserve("data/test/zebra/photo.png"));

        string[] words = ["evaluate", "--model", _folder["model"], "--dataset", _folder["data"]];
        var (torch, onnx) = (await RunAsync([.. words, "--engine", "torch"]), await RunAsync([.. words, "--engine", "onnx"]));

        Assert.Equal((torch.Status, torch.Error), (onnx.Status, onnx.Error));
        Assert.Contains("has 4 classes", onnx.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_older_than_the_weights_beside_it_is_not_used()
    {
        using (var trained = Network(seed: 5))
        {
            trained.Save(_folder["model"]);
        }

        File.SetLastWriteTimeUtc(_folder["model", "model.safetensors"], File.GetLastWriteTimeUtc(Exported).AddSeconds(1));
        var torch = await PredictAsync("--engine", "torch");
        var auto = await PredictAsync();
        var onnx = await RunAsync("predict", _photo, "--model", _folder["model"], "--engine", "onnx");

        Assert.Equal(torch.Scores, auto.Scores);
        Assert.Equal(
            $"'{Exported}' is older than 'model.safetensors' beside it and is not used; export the model again to compute it with ONNX Runtime.\npredicted 1 picture\n",
            auto.Error);
        Assert.Equal((1, $"'{Exported}' is older than 'model.safetensors' beside it. Export the model again, or compute its weights with torch.\n"), (onnx.Status, onnx.Error));
    }

    [Fact]
    public async Task A_folder_of_exported_files_alone_needs_no_weights_and_a_file_is_a_model_too()
    {
        var expected = await PredictAsync("--engine", "onnx");
        File.Delete(_folder["model", "model.safetensors"]);

        var folder = await PredictAsync();
        var file = await RunAsync("predict", _photo, "--model", Exported, "--engine", "onnx", "--format", "json");

        Assert.Equal(expected.Scores, folder.Scores);
        Assert.Equal(expected.Scores, Scores(file.Output));
    }

    [Fact]
    public async Task Names_of_a_file_are_taken_for_classes_that_are_only_numbered()
    {
        using (var numbered = ImageClassifier.Create("vit-nano", ["LABEL_0", "LABEL_1"], imageSize: 32, seed: 1))
        {
            numbered.Save(_folder["numbered"]);
            numbered.ExportOnnx(_folder["numbered", "onnx"]);
        }

        await File.WriteAllTextAsync(_folder["names.json"], """["cat", "dog"]""");
        var run = await RunAsync("predict", _photo, "--model", _folder["numbered"], "--labels", _folder["names.json"], "--format", "json");

        Assert.Equal(["cat", "dog"], Scores(run.Output).Keys.Order());
    }

    [Fact]
    public async Task What_is_wrong_is_said_in_one_sentence()
    {
        File.WriteAllBytes(Exported, File.ReadAllBytes(Exported)[..1000]);
        File.Delete(_folder["model", "onnx", "model_quantized.onnx"]);
        string[] predict = ["predict", _photo, "--model", _folder["model"]];

        Assert.Equal((2, "--engine takes auto, torch, onnx, got 'onx'. Did you mean 'onnx'?\n"), await FailureAsync([.. predict, "--engine", "onx"]));
        Assert.Equal((2, "--dtype takes fp32, fp16, int8, got 'int4'. Did you mean 'int8'?\n"), await FailureAsync([.. predict, "--engine", "onnx", "--dtype", "int4"]));
        Assert.Equal((2, "--dtype names an exported file; add --engine onnx.\n"), await FailureAsync([.. predict, "--dtype", "int8"]));
        Assert.Equal(
            (1, $"'{_folder["model"]}' holds neither onnx/model_quantized.onnx nor model_quantized.onnx. Export the model into it first.\n"),
            await FailureAsync([.. predict, "--engine", "onnx", "--dtype", "int8"]));
        foreach (var words in new[] { predict, [.. predict, "--engine", "onnx"] })
        {
            var (status, error) = await FailureAsync(words);
            Assert.Equal(1, status);
            Assert.Matches($"^(Computing .*\n)?'{Regex.Escape(Exported)}' is not a model that ONNX Runtime can load: .* Export it again.\n$", error);
        }
    }

    private static ImageClassifier Network(long seed) => ImageClassifier.Create("vit-nano", s_labels, imageSize: 32, seed: seed);

    private static void AssertClose(Dictionary<string, double> expected, Dictionary<string, double> actual, double near) =>
        Assert.All(expected, p => Assert.Equal(p.Value, actual[p.Key], near));

    private static Dictionary<string, double> Scores(string json) =>
        JsonNode.Parse(json)![0]!["predictions"]!.AsArray().ToDictionary(p => (string)p!["label"]!, p => (double)p!["score"]!);

    private async Task<(Dictionary<string, double> Scores, string Error)> PredictAsync(params string[] options)
    {
        var run = await RunAsync(["predict", _photo, "--model", _folder["model"], "--format", "json", .. options]);
        Assert.True(run.Status == 0, run.Error);
        return (Scores(run.Output), run.Error);
    }

    private static async Task<(int Status, string Error)> FailureAsync(string[] words)
    {
        var run = await RunAsync(words);
        return (run.Status, run.Error);
    }

    private static async Task<(int Status, string Output, string Error)> RunAsync(params string[] words)
    {
        using var run = new ConsoleRun();
        var status = await CommandLine.RunAsync(words, run.Console);
        return (status, run.OutText, run.ErrorText);
    }
}
