using System.Text.Json.Nodes;
using Vizsla.Cli.Jobs;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

public sealed class TuneCommandTests : IDisposable
{
    private static readonly string[] s_classes = ["fish", "rabbit"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_grid_is_tried_compared_and_not_tried_again()
    {
        Draw();
        string[] search = ["tune", "--search", "learning_rate=1e-6,3e-3", "--metric", "loss", "--output", _folder["tune"], "--", .. Training("4")];

        var (status, output, error) = await RunAsync(search);
        var again = await RunAsync(search);

        Assert.True(status == 0, error);
        var trials = JsonNode.Parse(await File.ReadAllTextAsync(_folder["tune/tune.json"], TestContext.Current.CancellationToken))!["trials"]!.AsArray();
        Assert.Equal(["trial-001", "trial-002"], trials.Select(t => (string)t!["name"]!));
        foreach (var (trial, rate) in trials.Zip([1e-6, 3e-3]))
        {
            Assert.Equal(rate, double.Parse(JsonNode.Parse(await File.ReadAllTextAsync(_folder[$"tune/{trial!["name"]}/training_args.json"], TestContext.Current.CancellationToken))!["arguments"]!["learning_rate"]!.ToString(), System.Globalization.CultureInfo.InvariantCulture));
            Assert.Equal((double)JsonNode.Parse(await File.ReadAllTextAsync(_folder[$"tune/{trial["name"]}/eval_results.json"], TestContext.Current.CancellationToken))!["eval_loss"]!, (double)trial["result"]!);
        }

        var best = trials.MinBy(t => (double)t!["result"]!)!;
        Assert.NotEqual((double)trials[0]!["result"]!, (double)trials[1]!["result"]!);
        Assert.Contains($"Best: learning_rate {best["values"]![0]} ('{Path.Combine(_folder["tune"], (string)best["name"]!)}').", output, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder["tune/tune.png"]));
        Assert.Equal(3, (await File.ReadAllLinesAsync(_folder["tune/tune.csv"], TestContext.Current.CancellationToken)).Length);
        Assert.Equal($"Going on with '{_folder["tune"]}': 2 trials are done.\n", again.Error);
        Assert.Equal(output, again.Output);
    }

    [Fact]
    public async Task A_value_that_cannot_be_fails_its_trial_alone()
    {
        Draw();

        var (status, output, error) = await RunAsync(["tune", "--search", "warmup_ratio=0,7", "--output", _folder["tune"], "--", .. Training("1")]);

        Assert.True(status == 0, error);
        Assert.Contains("[2/2] trial-002: warmup_ratio 7: failed: ", error, StringComparison.Ordinal);
        Assert.Contains("; 1 setting failed.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Halving_gives_the_better_ones_more_epochs()
    {
        Draw();

        var (status, _, error) = await RunAsync(
            ["tune", "--search", "learning_rate=1e-6,1e-3,3e-3", "--method", "halving", "--metric", "loss", "--output", _folder["tune"], "--", .. Training("3")]);

        Assert.True(status == 0, error);
        var trials = JsonNode.Parse(await File.ReadAllTextAsync(_folder["tune/tune.json"], TestContext.Current.CancellationToken))!["trials"]!.AsArray();
        Assert.Equal([1, 1, 1, 3], trials.Select(t => (int)(double)t!["epochs"]!));
        Assert.Equal((int)trials.Take(3).MinBy(t => (double)t!["result"]!)!["setting"]!, (int)trials[3]!["setting"]!);
    }

    [Fact]
    public async Task Another_search_in_the_folder_is_refused()
    {
        Directory.CreateDirectory(_folder["tune/trial-001"]);
        await File.WriteAllTextAsync(_folder["tune/tune.json"], """{"search":{"search":["seed=1,2"]},"trials":[]}""", TestContext.Current.CancellationToken);

        var (status, _, error) = await RunAsync("tune", "--search", "seed=1,2,3", "--output", _folder["tune"], "--", "--dataset", "data");

        Assert.Equal(2, status);
        Assert.StartsWith($"'{_folder["tune"]}' holds another search: {{\"search\": [\"seed=1,2\"]}}. Asked now: {{\"search\": [\"seed=1,2,3\"], \"method\": \"grid\", ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--search learning_rat: 'vizsla train' has no option --learning_rat. Did you mean 'learning_rate'?", "learning_rat=1,2")]
    [InlineData("--search output: 'vizsla tune' sets this for each trial itself; leave it out.", "output=a,b")]
    [InlineData("--search takes name=value,value or name=low:high[:log], got 'learning_rate'.", "learning_rate")]
    [InlineData("--search learning_rate: '1,1' has an empty or repeated value; give each once.", "learning_rate=1,1")]
    [InlineData("--search learning_rate: '0:1:log' is no range; expected low:high, or low:high:log with a low above 0.", "learning_rate=0:1:log")]
    [InlineData("--search learning_rate is a range, which a grid cannot go through; list its values, or add --trials to draw from it.", "learning_rate=1:2")]
    [InlineData("--learning_rate is set for each trial; leave it out of what follows --.", "learning_rate=1,2", "--", "--learning-rate", "3")]
    [InlineData("--metric takes loss, accuracy, top_5_accuracy, balanced_accuracy, f1_macro, f1_micro, f1_weighted, precision_macro, precision_micro, precision_weighted, recall_macro, recall_micro, recall_weighted, log_loss, expected_calibration_error, matthews_corrcoef, cohen_kappa, roc_auc_ovr_macro, got 'foo'.", "learning_rate=1,2", "--metric", "foo")]
    [InlineData("--trials is 0, expected at least 1.", "learning_rate=1,2", "--trials", "0")]
    [InlineData("--method grid tries every combination, and --trials draws some; leave one of them out.", "learning_rate=1,2", "--trials", "2", "--method", "grid")]
    [InlineData("--method halving sets num_train_epochs of each round itself; leave it out of --search.", "num_train_epochs=1,2", "--method", "halving")]
    [InlineData("Option '--dataset' is required.", "learning_rate=1,2")]
    public async Task Says_what_cannot_be_searched(string message, params string[] words)
    {
        var (status, _, error) = await RunAsync(["tune", "--output", _folder["tune"], "--search", .. words]);

        Assert.Equal((2, message + "\n"), (status, error));
        Assert.False(Directory.Exists(_folder["tune"]));
    }

    [Fact]
    public void Draws_lie_in_their_range_and_repeat_for_a_seed()
    {
        var space = new[] { TuningArgument.Parse("learning_rate=1e-5:1e-3:log", ["learning_rate"]), TuningArgument.Parse("seed=1,2,3", ["seed"]) };

        var drawn = TuningPlan.Random(space, 200, 7);

        Assert.Equal(drawn, TuningPlan.Random(space, 200, 7));
        var rates = drawn.Select(d => double.Parse(d[0], System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.All(rates, r => Assert.InRange(r, 1e-5, 1e-3));
        Assert.InRange(rates.Count(r => r < 1e-4), 70, 130);
        Assert.Equal(3, TuningPlan.Random([space[1]], 200, 7).Count);
    }

    [Fact]
    public void What_explains_the_results_is_told_apart_from_what_does_not()
    {
        var argument = TuningArgument.Parse("seed=1,2", ["seed"]);

        Assert.Equal(1, TuningPlan.Explained(argument, [("1", 0.5), ("1", 0.5), ("2", 0.9), ("2", 0.9)]), 1e-12);
        Assert.Equal(0, TuningPlan.Explained(argument, [("1", 0.5), ("1", 0.9), ("2", 0.5), ("2", 0.9)]), 1e-12);
    }

    private string[] Training(string epochs) =>
    [
        "--dataset", _folder["data"], "--model", "vit-nano", "--from_scratch", "--image_size", "32", "--num_train_epochs", epochs, "--per_device_train_batch_size", "4", "--save_strategy", "no",
        "--report_to", "none",
    ];

    private void Draw()
    {
        var rng = new Rng(4);
        foreach (var split in new[] { "train", "validation" })
        {
            foreach (var name in s_classes)
            {
                Directory.CreateDirectory(_folder[$"data/{split}/{name}"]);
                for (var i = 0; i < 8; i++)
                {
                    using var picture = AnimalPainter.Paint(name, 32, rng);
                    ImageCodec.SavePng(picture, _folder[$"data/{split}/{name}/{i}.png"]);
                }
            }
        }
    }

    private static async Task<(int Status, string Output, string Error)> RunAsync(params string[] words)
    {
        using var run = new ConsoleRun();
        var status = await CommandLine.RunAsync(words, run.Console);
        return (status, run.OutText, run.ErrorText);
    }
}
