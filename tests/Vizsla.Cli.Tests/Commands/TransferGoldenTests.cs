using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

/// <summary>A network with ImageNet's weights learns 37 breeds of 7 photos each, as well as in Python (<c>transfer/</c>).</summary>
[Trait("Category", "Golden")]
[Trait("Category", "Slow")]
public sealed class TransferGoldenTests : IDisposable
{
    // golden/README.md: the mean accuracy of Python minus this.
    private const double Margin = 0.02;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_new_head_on_frozen_features_names_as_many_breeds_as_in_Python()
    {
        var (dataset, weights, python) = await PrepareAsync("probe");

        // Nothing in a solved head is drawn: other seeds give the same.
        var accuracy = await TrainAsync(dataset, weights, "pets-probe", seed: 0);

        var evaluated = await RunAsync("evaluate", "--dataset", dataset, "--model", RunOf(0), "--format", "json");
        Assert.True(accuracy >= python - Margin, $"accuracy {accuracy}, in Python {python} on average");

        // Trained and measured on the same preprocessing: one photo of a hundred may fall to another side by rounding.
        Assert.Equal(accuracy, (double)JsonNode.Parse(evaluated)!["test_accuracy"]!, 0.01);
    }

    [Fact]
    public async Task A_new_head_on_the_featurizer_of_ML_NET_names_as_many_breeds_as_in_Python()
    {
        Golden.RequireSlow();
        // A linear probe on its features in Python, with this split.
        const double python = 0.829;
        var (dataset, _, _) = await PrepareAsync("probe");

        var accuracy = await TrainAsync(dataset, Golden.ResNet18, "pets-probe", seed: 0);

        Assert.True(accuracy >= python - Margin, $"accuracy {accuracy}, in Python {python}");
    }

    [Fact]
    public async Task Fine_tuning_all_weights_names_as_many_breeds_as_in_Python()
    {
        Golden.RequireSlow();
        var (dataset, weights, python) = await PrepareAsync("probe-then-fine-tune");

        // The split file has no validation split. Rates and the best epoch follow the training pictures, so that nothing is chosen by those of the test.
        var accuracy = await TrainAsync(dataset, weights, "pets-cnn", 0, "--eval_split", "train");

        Assert.True(accuracy >= python - Margin, $"accuracy {accuracy}, in Python {python} on average");
    }

    private async Task<(string Dataset, string Weights, double Python)> PrepareAsync(string way)
    {
        var split = Golden.Require("transfer", "split.csv");
        var recorded = JsonNode.Parse(await File.ReadAllTextAsync(Golden.Require("transfer", "baseline.json")))!;
        var weights = Golden.RequireData("weights", "tf_efficientnet_lite0");
        var dataset = _folder["pets"];
        await RunAsync("prepare", "--images", Golden.Data, "--split_file", split, "--output", dataset);
        return (dataset, weights, recorded[way]!.AsArray().Average(r => (double)r!["accuracy"]!));
    }

    private async Task<double> TrainAsync(string dataset, string weights, string recipe, int seed, params string[] others)
    {
        var run = RunOf(seed);
        await RunAsync(["train", "--dataset", dataset, "--model", weights, "--config", recipe, "--output", run, "--seed", seed.ToString(CultureInfo.InvariantCulture), .. others]);
        return await ResultAsync(Path.Combine(run, "test_results.json"));
    }

    private string RunOf(int seed) => _folder[$"run-{seed}"];

    private static async Task<double> ResultAsync(string path) => (double)JsonNode.Parse(await File.ReadAllTextAsync(path))!["test_accuracy"]!;

    private static async Task<string> RunAsync(params string[] arguments)
    {
        using var run = new ConsoleRun();
        var code = await CommandLine.RunAsync(arguments, run.Console);
        Assert.True(code == 0, run.ErrorText);
        return run.OutText;
    }
}
