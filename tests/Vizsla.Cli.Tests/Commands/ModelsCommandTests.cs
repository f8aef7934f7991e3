using System.Text.Json.Nodes;
using Vizsla.Models;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

public sealed class ModelsCommandTests
{
    [Fact]
    public async Task Lists_parameters_work_size_and_licence_of_each_model()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["models", "--filter", "resnet"], run.Console);

        Assert.Equal(0, code);
        var row = run.OutText.Split('\n').Single(l => l.Contains(" resnet50 ", StringComparison.Ordinal));
        Assert.Equal(["resnet50", "ResNet", "25.56 M", "4.09", "8.18", "224x224", "80.4 %", "timm/resnet50.a1_in1k", "apache-2.0"], row.Split('│', '|').Select(c => c.Trim()).Where(c => c.Length > 0));
        Assert.DoesNotContain("vgg16", run.OutText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_as_JSON()
    {
        using var run = new ConsoleRun();

        await CommandLine.RunAsync(["models", "--filter", "tf_efficientnet_lite0", "--format", "json"], run.Console);

        var model = Assert.Single(JsonNode.Parse(run.OutText)!.AsArray())!;
        Assert.Equal(
            """{"name":"tf_efficientnet_lite0","family":"EfficientNet","weights":"timm/tf_efficientnet_lite0.in1k","license":"apache-2.0","input_size":[3,224,224],"classes":1000,"parameters":4652008,"macs":385187552,"flops":770375104,"imagenet_top1":74.85}""",
            model.ToJsonString());
    }

    [Fact]
    public async Task Says_when_no_name_contains_the_filter()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["models", "--filter", "resnet51"], run.Console);

        Assert.Equal(2, code);
        Assert.Equal($"No known model has 'resnet51' in its name. Did you mean 'resnet50'? Without --filter all {KnownModels.All.Count} are listed.\n", run.ErrorText);
    }

    [Fact]
    public async Task Searches_by_words_and_limits_the_best_first()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["models", "search", "ResNet", "50", "--max_parameters", "26", "--limit", "5", "--format", "json"], run.Console);

        Assert.Equal(0, code);
        var found = JsonNode.Parse(run.OutText)!.AsArray();
        Assert.Equal(5, found.Count);
        Assert.All(found, m => Assert.Contains("50", (string)m!["name"]!, StringComparison.Ordinal));
        Assert.All(found, m => Assert.True((long)m!["parameters"]! <= 26_000_000));
        var accuracies = found.Select(m => (double)m!["imagenet_top1"]!).ToList();
        Assert.Equal(accuracies.OrderDescending(), accuracies);
        Assert.Equal(KnownModels.All.Where(IsMeant).Max(m => m.Accuracy), accuracies[0]);

        static bool IsMeant(KnownModel model) => model.Size!.Value.Parameters <= 26_000_000
            && new[] { "resnet", "50" }.All(w => $"{model.Name} {model.Family} {model.Weights}".Contains(w, StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("No known model fits 'resnext50_32x4dd'. Did you mean 'resnext50_32x4d'? 'vizsla models' lists all ", "resnext50_32x4dd")]
    [InlineData("None of the 1 models that fit 'vit-nano' is within the limits; raise --max_parameters or --max_gmacs.", "vit-nano", "--max_parameters", "0.1")]
    [InlineData("--max_gmacs is 0, expected a number above 0.", "vit", "--max_gmacs", "0")]
    [InlineData("--limit is 0, expected at least 1.", "vit", "--limit", "0")]
    [InlineData("--sort takes accuracy, parameters, macs, name, got 'size'.", "vit", "--sort", "size")]
    public async Task Says_why_a_search_finds_nothing(string message, params string[] arguments)
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["models", "search", .. arguments], run.Console);

        Assert.Equal(2, code);
        Assert.StartsWith(message, run.ErrorText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Describes_the_layers_of_a_model()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["models", "describe", "resnet50", "--depth", "1"], run.Console);

        Assert.Equal(0, code);
        var rows = run.OutText.Split('\n').Select(l => l.Split('│', '|').Select(c => c.Trim()).Where(c => c.Length > 0).ToArray()).ToList();
        Assert.Contains(rows, r => r.SequenceEqual(["conv1", "Conv2d", "1x64x112x112", "9,408", "118,013,952"]));
        Assert.Contains(rows, r => r.SequenceEqual(["fc", "Linear", "1x1000", "2,049,000", "2,048,000"]));
        Assert.Contains(
            "resnet50: input 3x224x224, 1000 classes, 25,557,032 parameters (25.56 M), 4.09 GMACs, 8.18 GFLOPs a picture. Weights: timm/resnet50.a1_in1k, apache-2.0.",
            run.OutText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Describes_a_run_folder_as_JSON()
    {
        using var run = new ConsoleRun();
        using var folder = new TemporaryFolder();
        using (var classifier = ImageClassifier.Create("vit-nano", ["cat", "dog"], imageSize: 32, seed: 1))
        {
            classifier.Save(folder.Path);
        }

        await CommandLine.RunAsync(["models", "describe", folder.Path, "--format", "json"], run.Console);

        var described = JsonNode.Parse(run.OutText)!;
        Assert.Equal("ViTForImageClassification", (string)described["architecture"]!);
        Assert.Equal("[3,32,32]", described["input_size"]!.ToJsonString());
        Assert.Equal((long)described["parameters"]!, described["layers"]!.AsArray().Sum(l => (long)l!["parameters"]!));
        Assert.Equal("[1,2]", described["layers"]!.AsArray().Single(l => (string)l!["name"]! == "classifier")!["output_shape"]!.ToJsonString());
    }

    [Theory]
    [InlineData(1, "There is no folder 'no such model'.\n", "no such model")]
    [InlineData(2, "--depth takes a number of at least 1, got 0.\n", "resnet50", "--depth", "0")]
    public async Task Says_what_cannot_be_described(int status, string message, params string[] arguments)
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["models", "describe", .. arguments], run.Console);

        Assert.Equal(status, code);
        Assert.Equal(message, run.ErrorText);
    }

    [Fact]
    public async Task Names_the_nearest_model()
    {
        using var run = new ConsoleRun();

        await CommandLine.RunAsync(["models", "describe", "resnet5O"], run.Console);

        Assert.Contains("Did you mean 'resnet50'?", run.ErrorText, StringComparison.Ordinal);
    }
}
