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
    public async Task A_soup_is_evaluated_beside_its_parts_and_is_a_model()
    {
        var (status, output, error) = await RunAsync("soup", _folder["model1"], _folder["model2"], "--dataset", _folder["data"], "--split", "test", "--method", "uniform", "--output", _folder["soup"]);

        Assert.True(status == 0, error);
        Assert.Equal((2, 2), (output.Split("yes").Length - 1, output.Split(_folder["soup"]).Length - 1));
        Assert.EndsWith($"The soup of 2 models is in '{_folder["soup"]}'.", output.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("evaluate", "--model", _folder["soup"], "--dataset", _folder["data"])).Status);
    }

    [Theory]
    [InlineData("A soup takes two models or more, got 'model1' alone.", "model1", "--output", "soup")]
    [InlineData("--output is the folder of one of the models, 'model2'; give another one, so that the model stays.", "model1", "model2", "--output", "model2")]
    public async Task What_makes_no_soup_is_refused(string message, params string[] words)
    {
        var (status, _, error) = await RunAsync(["soup", .. words, "--dataset", _folder["data"]]);

        Assert.Equal((2, message), (status, error.Trim()));
    }

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
    public async Task A_page_shows_what_is_won_and_lost()
    {
        Directory.Move(_folder["model2"], _folder["<b>"]);

        var (status, output, error) = await RunAsync("compare", _folder["model1"], _folder["<b>"], "--dataset", _folder["data"], "--format", "json", "--output", _folder["page.html"]);

        Assert.Equal(0, status);
        Assert.EndsWith($"Wrote '{_folder["page.html"]}'.\n", error, StringComparison.Ordinal);
        var second = JsonNode.Parse(output)!["models"]![1]!;
        var page = await File.ReadAllTextAsync(_folder["page.html"], TestContext.Current.CancellationToken);
        Assert.Equal((int)second["won"]! + (int)second["lost"]!, page.Split("<figure>").Length - 1);
        Assert.Contains($"&lt;b&gt;: {(int)second["won"]!}</h2>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<b></td>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("://", page, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder["data"], page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_of_another_kind_is_refused()
    {
        var (status, _, error) = await RunAsync("compare", "model1", "model2", "--dataset", _folder["data"], "--output", "page.pdf");

        Assert.Equal((2, "--output takes a path that ends in .html, got 'page.pdf'.\n"), (status, error));
    }

    [Fact]
    public async Task A_temperature_is_fitted_kept_and_used()
    {
        Directory.Move(_folder["data/test"], _folder["data/validation"]);
        var picture = _folder["data/validation/fish/0.png"];
        var plain = await RunAsync("predict", picture, "--model", _folder["model1"], "--format", "json");

        var early = await RunAsync("predict", picture, "--model", _folder["model1"], "--calibrated");
        var (status, _, error) = await RunAsync("evaluate", "--model", _folder["model1"], "--dataset", _folder["data"], "--calibrate");
        var calibrated = await RunAsync("predict", picture, "--model", _folder["model1"], "--format", "json", "--calibrated");

        Assert.EndsWith($"'{_folder["model1"]}' has no calibration.json: no temperature was fitted for this model. Fit one with: vizsla evaluate --calibrate.\n", early.Error, StringComparison.Ordinal);
        Assert.Equal(0, status);
        Assert.Contains("on the 12 pictures of 'validation' the expected calibration error goes from ", error, StringComparison.Ordinal);
        var temperature = (double)JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_folder["model1"], "calibration.json"), TestContext.Current.CancellationToken))!["temperature"]!;
        double Odds(string answer) => JsonNode.Parse(answer)![0]!["predictions"]!.AsArray() is var two ? Math.Log((double)two[0]!["score"]! / (double)two[1]!["score"]!) : 0;
        Assert.NotEqual(1, temperature, 0.01);
        Assert.Equal(Odds(plain.Output) / temperature, Odds(calibrated.Output), 1e-4);
        Assert.Null(JsonNode.Parse(plain.Output)![0]!["none_of_these"]);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(0, false)]
    public async Task A_photo_below_the_threshold_is_none_of_these_in_each_format(double threshold, bool isNone)
    {
        Directory.Move(_folder["data/test"], _folder["data/validation"]);
        var picture = _folder["data/validation/fish/0.png"];
        await RunAsync("evaluate", "--model", _folder["model1"], "--dataset", _folder["data"], "--calibrate");
        var path = Path.Combine(_folder["model1"], "calibration.json");
        var kept = JsonNode.Parse(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken))!;
        Assert.InRange((double)kept["threshold"]!, 0, 1);
        kept["threshold"] = threshold;
        await File.WriteAllTextAsync(path, kept.ToJsonString(), TestContext.Current.CancellationToken);

        var table = await RunAsync("predict", picture, "--model", _folder["model1"], "--calibrated");
        var json = await RunAsync("predict", picture, "--model", _folder["model1"], "--calibrated", "--format", "json");
        var csv = await RunAsync("predict", picture, "--model", _folder["model1"], "--calibrated", "--format", "csv");

        Assert.Equal(isNone, table.Output.Contains("none of these", StringComparison.Ordinal));
        Assert.Equal(isNone, (bool)JsonNode.Parse(json.Output)![0]!["none_of_these"]!);
        Assert.Equal("file,rank,label,score,none_of_these", csv.Output.Split('\n')[0]);
        Assert.EndsWith(isNone ? ",true" : ",false", csv.Output.Split('\n')[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_temperature_of_other_weights_is_refused()
    {
        Directory.Move(_folder["data/test"], _folder["data/validation"]);
        await RunAsync("evaluate", "--model", _folder["model1"], "--dataset", _folder["data"], "--calibrate");
        File.Copy(Path.Combine(_folder["model1"], "calibration.json"), Path.Combine(_folder["model2"], "calibration.json"));

        var (status, _, error) = await RunAsync("predict", _folder["data/validation/fish/0.png"], "--model", _folder["model2"], "--calibrated");

        Assert.Equal(1, status);
        Assert.Equal($"'{Path.Combine(_folder["model2"], "calibration.json")}' was fitted for other weights than the model has now; fit it again with: vizsla evaluate --calibrate.\n", error);
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
