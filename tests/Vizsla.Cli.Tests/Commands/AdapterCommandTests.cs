using System.Text.Json.Nodes;
using Vizsla.Cli.Tests.Processes;

namespace Vizsla.Cli.Tests.Commands;

public sealed class AdapterCommandTests
{
    [Fact]
    public async Task An_adapter_is_trained_resumed_evaluated_and_merged()
    {
        using var run = new AnimalRun();
        string[] words = ["train", "--dataset", run.Dataset, "--model", run.Model, "--output", run.Output("run"), "--peft", "lora", "--lora_r", "2", "--lora_alpha", "4", "--target_modules", "query,value", "--max_steps", "2", "--bf16", "false", "--save_steps", "1"];
        Assert.Contains("Training an adapter: ", (await Run(0, words)).Error, StringComparison.Ordinal);
        await Run(0, "train", "--output", run.Output("run"), "--resume_from_checkpoint", "true");

        var config = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(run.Output("run"), "adapter_config.json")))!;
        Assert.Equal(run.Model, (string)config["base_model_name_or_path"]!);
        Assert.False(File.Exists(Path.Combine(run.Output("run"), "model.safetensors")));
        Assert.StartsWith("---\nlibrary_name: peft\nbase_model: ", await File.ReadAllTextAsync(Path.Combine(run.Output("run"), "README.md")), StringComparison.Ordinal);

        var merged = run.Output("merged");
        await Run(0, "merge", run.Output("run"), "--output", merged);
        var (adapted, _) = await Run(0, "evaluate", "--model", run.Output("run"), "--base_model", run.Model, "--dataset", run.Dataset, "--format", "json");
        var (whole, _) = await Run(0, "evaluate", "--model", merged, "--dataset", run.Dataset, "--format", "json");
        Assert.Equal((double)JsonNode.Parse(whole)!["test_loss"]!, (double)JsonNode.Parse(adapted)!["test_loss"]!, 1e-5);
        Assert.Equal($"'{merged}' is a whole model; there is nothing to merge.", (await Run(2, "merge", merged, "--output", run.Output("again"))).Error.Trim());
        Assert.StartsWith($"--model '{run.Output("run")}' is an adapter, and --peft would put another one on it: merge it first with: vizsla merge ", LastLine((await Run(2, "train", "--dataset", run.Dataset, "--model", run.Output("run"), "--output", run.Output("other"), "--peft", "lora")).Error), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--peft 'lora+' is not known. Known: lora, dora, ia3.", "--peft", "lora+")]
    [InlineData("--lora_r has no effect without --peft: add --peft lora, dora or ia3, or leave the option out.", "--lora_r", "4")]
    [InlineData("--lora_r has no effect with --peft ia3: leave it out.", "--peft", "ia3", "--lora_r", "4")]
    [InlineData("--rank_pattern takes pairs of a name and a number such as query=4, got 'query'.", "--peft", "lora", "--rank_pattern", "query")]
    [InlineData("--lora_r takes a number, got 'four'.", "--peft", "lora", "--lora_r", "four")]
    [InlineData("--peft trains an adapter of a model that has learnt already: leave --from_scratch out, and give a pretrained --model.", "--peft", "lora", "--from_scratch")]
    public async Task What_has_no_meaning_is_refused_before_anything_is_read(string message, params string[] words)
    {
        var (_, error) = await Run(2, ["train", "--dataset", "no-such-dataset", "--model", "no-such-model", "--output", "no-such-run", .. words]);

        Assert.Equal(message, LastLine(error));
    }

    private static string LastLine(string text) => text.Trim().Split('\n')[^1];

    private static async Task<(string Out, string Error)> Run(int expected, params string[] words)
    {
        using var console = new ConsoleRun();
        var code = await CommandLine.RunAsync(words, console.Console);
        Assert.True(code == expected, $"{code}: {console.ErrorText}");
        return (console.OutText, console.ErrorText);
    }
}
