using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Datasets.Drawing;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

/// <summary>The verbs of the main job, one after another, on random pictures.</summary>
public sealed class MainJobTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Photos => Path.Combine(_folder.Path, "photos");

    private string Dataset => Path.Combine(_folder.Path, "AnimalClassification");

    private string Run => Path.Combine(_folder.Path, "run");

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Prepare_train_evaluate_and_predict_work_one_after_another()
    {
        _ = AnimalPainter.WriteFolder(Photos, countPerClass: 20, size: 48);

        await RunAsync("prepare", "--images", Photos, "--output", Dataset);
        var training = await RunAsync(
            "train", "--dataset", Dataset, "--model", "vit-nano", "--from-scratch", "--image-size", "48", "--output-dir", Run,
            "--num_train_epochs", "2", "--eval_strategy", "epoch", "--save_strategy", "epoch", "--load_best_model_at_end", "--metric_for_best_model", "accuracy", "--log_format", "json");
        var evaluation = await RunAsync("evaluate", "--model", Run, "--dataset", Dataset, "--format", "json");
        var prediction = await RunAsync("predict", Path.Combine(Dataset, "test"), "--model", Run, "--top", "2", "--format", "csv", "--output", Path.Combine(_folder.Path, "sheet.png"));

        Assert.Contains("Evaluating on the split 'validation' (10 pictures).", training.ErrorText, StringComparison.Ordinal);
        foreach (var file in new[] { "config.json", "model.safetensors", "preprocessor_config.json", "trainer_state.json", "training_args.json", "all_results.json", "events.jsonl", "README.md", "plots/confusion_matrix.png" })
        {
            Assert.True(File.Exists(Path.Combine(Run, file)), file);
        }

        Assert.Single(Directory.GetFiles(Path.Combine(Run, "logs")));
        var events = training.OutText.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!["event"]!.GetValue<string>());
        Assert.Equal(["train_begin", "train_end"], [events.First(), events.Last(name => name != "log")]);
        using var results = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Run, "all_results.json")));
        using var measured = JsonDocument.Parse(evaluation.OutText);
        Assert.InRange(results.RootElement.GetProperty("test_accuracy").GetDouble(), 0, 1);
        Assert.True(measured.RootElement.TryGetProperty("test_accuracy", out _));
        Assert.Equal(1 + 24 * 2, prediction.OutText.Trim().Split('\n').Length);
        Assert.True(new FileInfo(Path.Combine(_folder.Path, "sheet.png")).Length > 0);
    }

    [Fact]
    public async Task A_training_without_a_train_split_says_which_splits_there_are()
    {
        Directory.CreateDirectory(Path.Combine(Dataset, "test", "cat"));
        using (var picture = AnimalPainter.Paint("fish", 32, new Vizsla.Primitives.Rng(1)))
        {
            Vizsla.Imaging.ImageCodec.SavePng(picture, Path.Combine(Dataset, "test", "cat", "1.png"));
        }

        var run = await RunAsync(expected: 2, "train", "--dataset", Dataset, "--model", "vit-nano", "--from_scratch", "--output", Run);

        Assert.Contains($"'{Dataset}' has no train split, only test. 'vizsla prepare' makes one, --train_split names another.", run.ErrorText, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Run));
    }

    [Fact]
    public async Task Pictures_that_cannot_be_read_are_all_named_before_training_starts()
    {
        _ = AnimalPainter.WriteFolder(Photos, countPerClass: 5, size: 32);
        await RunAsync("prepare", "--images", Photos, "--output", Dataset, "--stratify", "false");
        var broken = Directory.EnumerateFiles(Path.Combine(Dataset, "train"), "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Take(2).ToList();
        await File.WriteAllTextAsync(broken[0], "no picture");
        var whole = await File.ReadAllBytesAsync(broken[1]);
        await File.WriteAllBytesAsync(broken[1], whole[..(whole.Length * 6 / 10)]);

        var run = await RunAsync(expected: 1, "train", "--dataset", Dataset, "--model", "vit-nano", "--from_scratch", "--output", Run);

        Assert.Contains($"2 pictures of '{Dataset}' cannot be read completely. Replace or remove them, or pass --bad_images skip.", run.ErrorText, StringComparison.Ordinal);
        Assert.All(broken, file => Assert.Contains(file, run.ErrorText, StringComparison.Ordinal));
        Assert.False(Directory.Exists(Run));
    }

    [Theory]
    [InlineData("--learning_rte", "Unknown option '--learning_rte'. Did you mean '--learning_rate'?")]
    [InlineData("--fsdp=full_shard", "fsdp")]
    [InlineData("--config=quickstrat", "Did you mean 'quickstart'?")]
    public async Task A_wrong_option_is_explained(string option, string expected)
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["train", "--dataset", _folder.Path, "--model", "vit-nano", "--from_scratch", option], run.Console);

        Assert.NotEqual(0, code);
        Assert.Contains(expected, run.ErrorText, StringComparison.Ordinal);
    }

    private static async Task<ConsoleRun> RunAsync(int expected, params string[] words)
    {
        var run = new ConsoleRun();
        var code = await CommandLine.RunAsync(words, run.Console);
        Assert.True(code == expected, $"exit code {code}, expected {expected}: {string.Join(' ', words)}\n{run.ErrorText}\n{run.OutText}");
        return run;
    }

    private static Task<ConsoleRun> RunAsync(params string[] words) => RunAsync(0, words);
}
