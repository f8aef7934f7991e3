using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TorchSharp;
using Vizsla.Datasets.Drawing;
using Vizsla.Export;
using Vizsla.Imaging;
using Vizsla.Models;
using Vizsla.Onnx;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

/// <summary><c>vizsla export</c>: what it writes, and that it writes nothing that is not near enough.</summary>
public sealed class ExportCommandTests : IDisposable
{
    private const int Side = 32;
    private const int Pictures = 200;

    private const string SmallResNet = """
        {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8, 12, 16, 16], "depths": [1, 1, 1, 1], "layer_type": "basic",
         "id2label": {"0": "butterfly", "1": "fish", "2": "giraffe"}}
        """;

    private static readonly string[] s_labels = ["butterfly", "fish", "giraffe"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_type_is_written_with_what_other_programs_look_for()
    {
        SaveVit();
        var dataset = Paint((_, i) => s_labels[i % 3]);

        var (status, output, error) = await RunAsync(
            "--model", _folder["model"], "--output", _folder["out"], "--dtype", "fp32,fp16,int8", "--verify_on", dataset, "--with_preprocessing", "--int8_tolerance", "0.2");

        Assert.True(status == 0, error);
        string[] files = ["model.onnx", "model_fp16.onnx", "model_fp16_with_preprocessing.onnx", "model_quantized.onnx", "model_quantized_with_preprocessing.onnx", "model_with_preprocessing.onnx"];
        Assert.Equal(
            ["README.md", "config.json", .. files.Select(f => $"onnx/{f}"), "preprocessor_config.json"],
            Directory.EnumerateFiles(_folder["out"], "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(_folder["out"], f)).Order(StringComparer.Ordinal));
        Assert.Equal("""{"dtype":"q8"}""", JsonNode.Parse(await File.ReadAllTextAsync(_folder["out", "config.json"]))!["transformers.js_config"]!.ToJsonString());
        Assert.All(files, f => Assert.Contains(f, output, StringComparison.Ordinal));
        var card = await File.ReadAllTextAsync(_folder["out", "README.md"]);
        Assert.Contains("library_name: transformers.js", card, StringComparison.Ordinal);
        Assert.Contains($"## ONNX\n\nCompared with the model on the validation split of '{dataset}', in ONNX Runtime.\n", card, StringComparison.Ordinal);
        Assert.Contains("In int8: matrix products, and 1 of 1 convolutions. Convolutions that stay in float32: none.\n", card, StringComparison.Ordinal);

        using var network = ImageClassifier.FromPretrained(_folder["model"]);
        using var photo = AnimalPainter.Paint("fish", 50, new Rng(5));
        var expected = network.Predict(photo);
        foreach (var file in files)
        {
            using var exported = OnnxClassifier.Load(_folder["out"], new() { FileName = file });
            var scores = exported.Predict(photo).ToDictionary(p => p.Label, p => p.Score);
            Assert.All(expected, p => Assert.Equal(p.Score, scores[p.Label], file.Contains("quantized") ? 0.05 : file == "model.onnx" ? 1e-5 : 0.01));
        }

        using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(_folder["out", "onnx", "model.onnx"]);
        var said = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal("""["butterfly","fish","giraffe"]""", said["id2label"]);
        Assert.Equal(network.Processor, Transforms.ImageProcessor.FromJson(JsonNode.Parse(said["preprocessor_config"])!.AsObject()));
        Assert.Equal($"sha256:{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(_folder["model", "model.safetensors"])))}", said["source_revision"]);

        // Again: the card's section is replaced, not added.
        Assert.Equal(0, (await RunAsync("--model", _folder["model"], "--output", _folder["out"], "--verify_on", dataset)).Status);
        Assert.Single(Regex.Matches(await File.ReadAllTextAsync(_folder["out", "README.md"]), "## ONNX"));
    }

    [Fact]
    public async Task The_copy_of_a_timm_model_says_what_transformers_js_asks_for_and_stays_a_timm_model()
    {
        using (var model = ImageClassifier.Create("mobilenetv3_small_050", s_labels, imageSize: Side, seed: 1))
        {
            model.Save(_folder["model"]);
        }

        var (status, _, error) = await RunAsync("--model", _folder["model"], "--output", _folder["out"]);

        Assert.True(status == 0, error);
        var configuration = JsonNode.Parse(await File.ReadAllTextAsync(_folder["out", "config.json"]))!;
        Assert.Equal("resnet", configuration["model_type"]!.GetValue<string>());
        Assert.Equal("""{"0":"butterfly","1":"fish","2":"giraffe"}""", configuration["id2label"]!.ToJsonString());
        Assert.Equal("mobilenetv3_small_050", configuration["architecture"]!.GetValue<string>());
        using var exported = OnnxClassifier.Load(_folder["out"]);
        Assert.Equal(s_labels, exported.Labels);
        Assert.DoesNotContain("resnet", await File.ReadAllTextAsync(_folder["model", "config.json"]), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Convolutions_that_cost_most_stay_in_float32_and_the_card_names_them()
    {
        Golden.RequireSlow();
        var dataset = SaveNetworkWithOutliers();

        var (status, _, error) = await RunAsync("--model", _folder["model"], "--output", _folder["out"], "--dtype", "int8", "--verify_on", dataset, "--int8_tolerance", "0.1");

        Assert.True(status == 0, error);
        Assert.Matches(@"With all 12 convolutions in int8 its accuracy is 0\.\d+ where the network's is 1\.000, and may be 0\.1 lower: looking for those that cost most\.", error);
        var card = await File.ReadAllTextAsync(_folder["out", "README.md"]);
        var kept = Regex.Match(card, "Convolutions that stay in float32: (.*)\\.\n").Groups[1].Value;
        Assert.Contains("`resnet.encoder.stages.1.layers.0.layer.0.convolution.weight`", kept, StringComparison.Ordinal);
        Assert.DoesNotContain("`resnet.embedder.embedder.convolution.weight`", kept, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fp32", "--fp32_tolerance", "0", @"model\.onnx is not near enough to the model on 8 random pictures \(the model's folder names no dataset; give one with --verify_on\): its logits differ by \d\.\de-\d of the largest on random picture \d, and may by 0\.0e\+0\. Nothing was written\.")]
    [InlineData("fp32,fp16", "--fp16_agreement", "1.01", @"model_fp16\.onnx is not near enough to the model on 8 random pictures \(.*\): its first class is the same for 100\.0% of 8 pictures, and must be for 101\.0%\. Nothing was written\.")]
    public async Task What_is_not_near_enough_is_not_written(string types, string option, string value, string message)
    {
        SaveVit();
        var before = Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories).ToList();

        var there = await RunAsync("--model", _folder["model"], "--dtype", types, option, value);
        var elsewhere = await RunAsync("--model", _folder["model"], "--output", _folder["out"], "--dtype", types, option, value);

        Assert.All([there, elsewhere], run =>
        {
            Assert.Equal(2, run.Status);
            Assert.Matches($"^{message}\n$", run.Error);
        });
        Assert.Equal(before, Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories));
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public async Task Int8_that_loses_too_much_even_without_convolutions_is_not_written()
    {
        SaveVit();
        var dataset = Paint((_, i) => s_labels[i % 3]);

        var (status, _, error) = await RunAsync("--model", _folder["model"], "--output", _folder["out"], "--dtype", "int8", "--verify_on", dataset, "--int8_tolerance", "-0.9");

        Assert.Equal(2, status);
        Assert.Matches(@"model_quantized\.onnx is not near enough to the model on the validation split of '.*': its accuracy is \d\.\d+ where the network's is \d\.\d+, and may be -0\.9 lower\. Nothing was written\.\n$", error);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public async Task Wrong_use_is_refused_in_one_sentence()
    {
        SaveVit();
        var photo = _folder["photo.png"];
        using (var image = AnimalPainter.Paint("fish", 50, new Rng(5)))
        {
            ImageCodec.SavePng(image, photo);
        }

        Directory.CreateDirectory(_folder["empty"]);
        (string[] Words, string Message)[] cases =
        [
            (["--model", _folder["model"], "--dtype", "fp23"], "--dtype takes fp32, fp16, int8, got 'fp23'. Did you mean 'fp32'?"),
            (["--model", _folder["model"], "--dtype", "int8", "--verify_on", photo, photo], "int8 is compared on at least 200 pictures, and 2 pictures has 2. Give a larger dataset with --verify_on."),
            (["--model", _folder["model"], "--verify_on", photo, _folder["absent.png"]], $"--verify_on '{_folder["absent.png"]}' is not a file. Give one dataset, or files only."),
            (["--model", "user/model"], "'user/model' is not a folder; say with --output where the files go."),
        ];
        foreach (var (words, message) in cases)
        {
            var (status, _, error) = await RunAsync(words);
            Assert.Equal((2, message + "\n"), (status, error));
        }

        var (code, _, sentence) = await RunAsync("--model", _folder["empty"]);
        Assert.Equal(1, code);
        Assert.Equal($"'{_folder["empty"]}' holds no config.json; a model folder has one beside its weights.\n", sentence);
        Assert.False(Directory.Exists(_folder["model", "onnx"]));
    }

    [Fact]
    public async Task Preprocessing_that_ONNX_does_not_have_is_refused_by_name()
    {
        SaveVit(Interpolation.Lanczos);

        var (status, _, error) = await RunAsync("--model", _folder["model"], "--with_preprocessing");

        Assert.Equal(2, status);
        Assert.Equal($"'{_folder["model"]}' cannot be exported: The model's pictures are resized with the filter lanczos, which ONNX does not have. Export without preprocessing.\n", error);
        Assert.False(Directory.Exists(_folder["model", "onnx"]));
    }

    private void SaveVit(Interpolation filter = Interpolation.Bilinear)
    {
        using var model = ImageClassifier.Create("vit-nano", s_labels, Side, seed: 3);
        model.Save(_folder["model"]);
        (model.Processor with { Resample = filter }).Save(_folder["model"]);
    }

    // One channel within a block is far larger than all others and then not used: in float32 it costs nothing, in int8 the others are rounded away.
    private string SaveNetworkWithOutliers()
    {
        using var model = ImageClassifier.FromConfig(ModelConfiguration.Parse(SmallResNet), seed: 1);
        var state = model.Network.State().ToDictionary(s => s.Name, s => s.Value);
        Image Picture(int i) => AnimalPainter.Paint(s_labels[i % 3], 48, new Rng((ulong)i));
        using (torch.no_grad())
        using (torch.NewDisposeScope())
        {
            state["resnet.encoder.stages.1.layers.0.layer.0.normalization.weight"][0] = 1e5f;
            state["resnet.encoder.stages.1.layers.0.layer.1.convolution.weight"].select(1, 0).zero_();

            // Classes that pictures decide, not the drawn bias.
            var logits = Enumerable.Range(0, 30).Select(i => Logits(model, Picture(i))).ToList();
            var bias = state.Single(s => s.Key.StartsWith("classifier.", StringComparison.Ordinal) && s.Key.EndsWith("bias", StringComparison.Ordinal)).Value;
            for (var c = 0; c < s_labels.Length; c++)
            {
                bias[c] = bias[c] - logits.Average(l => l[c]);
            }
        }

        model.Save(_folder["model"]);
        return Paint((image, _) => model.Predict(image, topK: 1)[0].Label);
    }

    private static float[] Logits(ImageClassifier model, Image picture)
    {
        using (picture)
        {
            return [.. model.Predict(picture, topK: s_labels.Length).OrderBy(p => p.Index).Select(p => MathF.Log(p.Score))];
        }
    }

    private string Paint(Func<Image, int, string> labelOf)
    {
        for (var i = 0; i < Pictures; i++)
        {
            using var image = AnimalPainter.Paint(s_labels[i % 3], 48, new Rng((ulong)i));
            var folder = _folder["data", "validation", labelOf(image, i)];
            Directory.CreateDirectory(folder);
            ImageCodec.SavePng(image, Path.Combine(folder, $"{i:D4}.png"));
        }

        foreach (var label in s_labels)
        {
            Directory.CreateDirectory(_folder["data", "validation", label]);
        }

        return _folder["data"];
    }

    private static async Task<(int Status, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var run = new ConsoleRun();
        var status = await CommandLine.RunAsync(["export", .. arguments], run.Console);
        return (status, run.OutText, run.ErrorText);
    }
}
