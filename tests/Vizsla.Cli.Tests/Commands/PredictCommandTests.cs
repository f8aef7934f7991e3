using System.Text.Json.Nodes;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

public sealed class PredictCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Where_the_model_looked_stands_beside_the_photo_on_the_sheet()
    {
        var photo = _folder["fish.png"];
        using (var fish = AnimalPainter.Paint("fish", 64, new Rng(2)))
        {
            ImageCodec.SavePng(fish, photo);
        }

        using (var classifier = ImageClassifier.Create("vit-nano", ["cat", "fish"], imageSize: 32, seed: 1))
        {
            classifier.Save(_folder["model"]);
        }

        var plain = await RunAsync("predict", photo, "--model", _folder["model"], "--output", _folder["plain.png"]);
        var explained = await RunAsync("predict", photo, "--model", _folder["model"], "--output", _folder["explained.png"], "--explain");

        Assert.Equal((0, 0), (plain.Status, explained.Status));
        using var without = ImageCodec.Load(_folder["plain.png"]);
        using var with = ImageCodec.Load(_folder["explained.png"]);
        Assert.Equal((without.Width + 224 + 12, without.Height), (with.Width, with.Height));
    }

    [Fact]
    public async Task Each_photo_has_its_own_answer_or_its_own_sentence()
    {
        var good = SaveModelAndPhoto("""{"model_type": "vit", "image_size": 32, "patch_size": 16, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8, "id2label": {"0": "cat", "1": "fish"}}""");
        _folder.WriteText("model/preprocessor_config.json", """{"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 256}, "crop_size": {"height": 32, "width": 32}}""");
        using (var line = new Image(1, 30_000))
        {
            ImageCodec.SavePng(line, _folder["line.png"]);
        }

        File.WriteAllBytes(_folder["lies.bmp"], [.. "BM"u8, .. new byte[12], 0xFF, 0xFF, 0xFF, 0x7F, .. new byte[40]]);
        using var run = new ConsoleRun();

        var status = await CommandLine.RunAsync(["predict", good, _folder["line.png"], _folder["lies.bmp"], good, "--model", _folder["model"], "--format", "json"], run.Console);

        Assert.Equal(1, status);
        var answers = JsonNode.Parse(run.OutText)!.AsArray();
        Assert.Equal([2, null, null, 2], answers.Select(a => a!["predictions"]?.AsArray().Count));
        Assert.Equal("a step would make a picture of 256 x 7680000 pixels of it, more than the limit of 178956970", (string?)answers[1]!["error"]);
        Assert.Equal("it is damaged: a BMP whose header has 2147483647 bytes", (string?)answers[2]!["error"]);
    }

    [Fact]
    public async Task An_explanation_without_a_sheet_is_refused()
    {
        var (status, error) = await RunAsync("predict", "photo.jpg", "--model", "model", "--explain");

        Assert.Equal(2, status);
        Assert.Equal("--explain draws onto the sheet of --output, and there is none; add --output sheet.png.\n", error);
    }

    [Fact]
    public async Task Features_are_written_in_place_of_names()
    {
        var photo = SaveModelAndPhoto("""{"architecture":"resnet18","num_classes":2}""");
        File.WriteAllText(_folder["broken.png"], "no picture");

        using var run = new ConsoleRun();
        var whole = await CommandLine.RunAsync(["predict", photo, "--model", _folder["model"], "--embed", _folder["features.npy"]], run.Console);
        using var second = new ConsoleRun();
        var part = await CommandLine.RunAsync(["predict", photo, _folder["broken.png"], "--model", _folder["model"], "--embed", _folder["features.parquet"]], second.Console);

        Assert.Equal((0, 1), (whole, part));
        Assert.Equal($"predicted 1 picture\nWrote 512 features of 1 picture to '{_folder["features.npy"]}'.\n", run.ErrorText);
        Assert.EndsWith($"Wrote 512 features of 1 picture to '{_folder["features.parquet"]}'.\n", second.ErrorText, StringComparison.Ordinal);
        Assert.Equal(128 + 512 * sizeof(float), new FileInfo(_folder["features.npy"]).Length);
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("studio")]
    [InlineData("evaluate", "--dataset", "data")]
    [InlineData("predict", "photo.jpg")]
    public async Task A_checkpoint_without_a_classifier_names_nothing_and_gives_features(string verb, params string[] more)
    {
        using (var classifier = ImageClassifier.Create("vit-nano", ["cat", "fish"], imageSize: 32, seed: 1))
        {
            classifier.Save(_folder["model"]);
            SafetensorsFile.Write(
                _folder["model", "model.safetensors"],
                classifier.Network.State().Where(s => !s.Name.StartsWith("classifier", StringComparison.Ordinal)).Select(s => KeyValuePair.Create(s.Name, s.Value)).ToList());
        }

        foreach (var name in new[] { "cat", "fish" })
        {
            using var picture = AnimalPainter.Paint("fish", 32, new Rng(2));
            ImageCodec.SavePng(picture, _folder.Reserve($"data/test/{name}/photo.png"));
        }

        using var refused = new ConsoleRun();
        using var embedded = new ConsoleRun();
        string[] words = [verb, "--model", _folder["model"], .. more.Select(w => w is "data" ? _folder["data"] : w is "photo.jpg" ? _folder["data", "test", "cat", "photo.png"] : w), .. verb is "serve" or "studio" ? ["--port", "0"] : Array.Empty<string>()];

        var code = await CommandLine.RunAsync(words, refused.Console);
        var features = await CommandLine.RunAsync(["predict", _folder["data", "test", "cat", "photo.png"], "--model", _folder["model"], "--embed", _folder["features.npy"]], embedded.Console);

        Assert.Equal((1, 0), (code, features));
        Assert.EndsWith(
            $"'{_folder["model"]}' has no classifier, only an encoder, whose answers would be random. Train one on classes of your own, or take a checkpoint that was trained to classify.\n",
            refused.ErrorText,
            StringComparison.Ordinal);
        Assert.True(File.Exists(_folder["features.npy"]));
    }

    [Theory]
    [InlineData("--embed takes a path that ends in .parquet or .npy, got 'features.csv'.\n", "--embed", "features.csv")]
    [InlineData("--embed writes features instead of classifying, so that --output has nothing to draw; leave one of them out.\n", "--embed", "features.npy", "--output", "sheet.png")]
    [InlineData("--tta: Test-time augmentation 'turn' is invalid at 'turn': give each of flip, five-crop and scales (or scales=1:1.5, with factors from 1 to 4) at most once, joined by '+'.\n", "--tta", "turn")]
    public async Task What_cannot_be_done_is_said_before_the_model_is_read(string message, params string[] words)
    {
        var (status, error) = await RunAsync(["predict", "photo.jpg", "--model", "model", .. words]);

        Assert.Equal((2, message), (status, error));
    }

    [Fact]
    public async Task Views_of_a_photo_are_averaged_and_evaluated_beside_the_photo_itself()
    {
        var photo = SaveModelAndPhoto("""{"architecture":"resnet18","num_classes":2,"label_names":["cat","fish"]}""");
        foreach (var name in new[] { "cat", "fish" })
        {
            Directory.CreateDirectory(_folder["data", "test", name]);
            File.Copy(photo, _folder["data", "test", name, "photo.png"]);
        }

        using var plain = new ConsoleRun();
        using var augmented = new ConsoleRun();
        using var evaluated = new ConsoleRun();
        var statuses = new[]
        {
            await CommandLine.RunAsync(["predict", photo, "--model", _folder["model"], "--format", "json"], plain.Console),
            await CommandLine.RunAsync(["predict", photo, "--model", _folder["model"], "--format", "json", "--tta", "flip+scales"], augmented.Console),
            await CommandLine.RunAsync(["evaluate", "--model", _folder["model"], "--dataset", _folder["data"], "--format", "json", "--tta", "flip+scales"], evaluated.Console),
        };

        Assert.Equal([0, 0, 0], statuses);
        Assert.NotEqual(plain.OutText, augmented.OutText);
        var metrics = JsonNode.Parse(evaluated.OutText)!;
        var scores = JsonNode.Parse(augmented.OutText)![0]!["predictions"]!.AsArray().Select(p => (double)p!["score"]!);
        Assert.Equal(-scores.Average(Math.Log), (double)metrics["test_tta_log_loss"]!, 1e-4);
        Assert.NotEqual((double)metrics["test_log_loss"]!, (double)metrics["test_tta_log_loss"]!);
        Assert.True((double)metrics["test_tta_runtime"]! > 0);
    }

    [Theory]
    [InlineData("""{"architecture":"resnet18","num_classes":2}""", "drawn cat", "drawn fish")]
    [InlineData("""{"architecture":"resnet18","num_classes":2,"label_names":["cat","fish"]}""", "cat", "fish")]
    public async Task Names_come_from_the_model_else_from_the_file(string configuration, params string[] names)
    {
        var photo = SaveModelAndPhoto(configuration);
        await File.WriteAllTextAsync(_folder["names.json"], """["drawn cat", "drawn fish"]""");

        using var run = new ConsoleRun();
        var status = await CommandLine.RunAsync(["predict", photo, "--model", _folder["model"], "--labels", _folder["names.json"], "--format", "json"], run.Console);

        Assert.Equal(0, status);
        var answers = JsonNode.Parse(run.OutText)![0]!["predictions"]!.AsArray();
        Assert.Equal(names, answers.Select(a => (string)a!["label"]!).Order(StringComparer.Ordinal));
        Assert.Equal("predicted 1 picture\n", run.ErrorText);
    }

    [Fact]
    public async Task A_model_without_names_answers_with_numbers()
    {
        var photo = SaveModelAndPhoto("""{"architecture":"resnet18","num_classes":2}""");

        using var run = new ConsoleRun();
        await CommandLine.RunAsync(["predict", photo, "--model", _folder["model"], "--format", "json"], run.Console);

        var answers = JsonNode.Parse(run.OutText)![0]!["predictions"]!.AsArray();
        Assert.Equal(["0", "1"], answers.Select(a => (string)a!["label"]!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Bfloat16_moves_scores_by_its_rounding_alone()
    {
        var photo = SaveModelAndPhoto("""{"architecture":"resnet18","num_classes":2}""");

        var (exact, rounded) = (await ScoresAsync(photo), await ScoresAsync(photo, "--bf16"));

        Assert.All(exact.Keys, label => Assert.Equal(exact[label], rounded[label], 0.02));
        Assert.NotEqual(exact, rounded);
    }

    [Fact]
    public async Task A_file_of_another_number_of_names_is_refused()
    {
        var photo = SaveModelAndPhoto("""{"architecture":"resnet18","num_classes":2}""");
        await File.WriteAllTextAsync(_folder["names.json"], """["cat", "dog", "fish"]""");

        var (status, error) = await RunAsync("predict", photo, "--model", _folder["model"], "--labels", _folder["names.json"]);

        Assert.Equal(2, status);
        Assert.Equal("--labels names 3 classes, but the model has 2.\n", error);
    }

    private async Task<Dictionary<string, double>> ScoresAsync(string photo, params string[] options)
    {
        using var run = new ConsoleRun();
        Assert.Equal(0, await CommandLine.RunAsync(["predict", photo, "--model", _folder["model"], "--format", "json", .. options], run.Console));
        return JsonNode.Parse(run.OutText)![0]!["predictions"]!.AsArray().ToDictionary(p => (string)p!["label"]!, p => (double)p!["score"]!);
    }

    private string SaveModelAndPhoto(string configuration)
    {
        using (var classifier = ImageClassifier.FromConfig(ModelConfiguration.Parse(configuration), seed: 1))
        {
            classifier.Save(_folder["model"]);
        }

        using var fish = AnimalPainter.Paint("fish", 64, new Rng(2));
        ImageCodec.SavePng(fish, _folder["fish.png"]);
        return _folder["fish.png"];
    }

    private static async Task<(int Status, string Error)> RunAsync(params string[] arguments)
    {
        using var run = new ConsoleRun();
        var status = await CommandLine.RunAsync(arguments, run.Console);
        return (status, run.ErrorText);
    }
}
