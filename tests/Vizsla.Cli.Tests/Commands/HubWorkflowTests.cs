using System.Text.Json.Nodes;
using Vizsla.Datasets.Drawing;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

/// <summary>The whole way of a team: photos and a small model go to your own Hub, another machine trains on them, a third one predicts.</summary>
public sealed class HubWorkflowTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Category", "Slow")]
    public async Task From_photos_to_a_prediction_over_a_Hub_of_ones_own()
    {
        _ = AnimalPainter.WriteFolder(_folder["photos"], countPerClass: 20, size: 48);
        using (var small = ImageClassifier.Create("vit-nano", ["first", "second"], imageSize: 48, seed: 1))
        {
            small.Save(_folder["vit-tiny"]);
        }

        using var server = CliProcess.Start(_folder.Path, new Dictionary<string, string>(), "hub", "serve", "--data", "hub-data", "--port", "0");
        var address = (await server.ReadLineAsync()).Split(' ')[^1].TrimEnd('/');

        // The machine with the photos.
        var here = Machine("here", address);
        await RunAsync(here, "login", "--token_file", "hub-data/token");
        await RunAsync(here, "prepare", "--images", "photos", "--output", "Pets");
        await RunAsync(here, "dataset", "push", "--dataset", "Pets", "--repo", "user/pets", "--private");
        await RunAsync(here, "push", "--model", "vit-tiny", "--repo", "user/vit-tiny");

        // One that trains, with an empty cache.
        var there = Machine("there", address);
        await RunAsync(there, "login", "--token_file", "hub-data/token");
        var training = await RunAsync(
            there, "train", "--dataset", "user/pets", "--model", "user/vit-tiny", "--output", "vit-pets", "--num_train_epochs", "1", "--save_strategy", "epoch",
            "--push_to_hub", "--hub_strategy", "checkpoint");
        Assert.Contains($"Pushed to the Hub: {address}/user/vit-pets/commit/", training.Out, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder["vit-pets", "all_results.json"]));
        var card = await File.ReadAllTextAsync(_folder["vit-pets", "README.md"]);
        Assert.All(new[] { "base_model: user/vit-tiny\n", "datasets:\n- user/pets\n", "model=\"user/vit-pets\"" }, part => Assert.Contains(part, card, StringComparison.Ordinal));
        Assert.NotEmpty(Directory.EnumerateFiles(_folder["home-there"], "*.parquet", SearchOption.AllDirectories));

        // One that predicts, with another empty cache and nobody logged in.
        var photo = Directory.EnumerateFiles(_folder["Pets", "test"], "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
        var prediction = await RunAsync(Machine("elsewhere", address), "predict", photo, "--model", "user/vit-pets", "--format", "json");
        var local = await RunAsync(here, "predict", photo, "--model", "vit-pets", "--format", "json");
        Assert.Equal(local.Out, prediction.Out);
        Assert.Equal(5, JsonNode.Parse(prediction.Out)![0]!["predictions"]!.AsArray().Count);

        var measured = await RunAsync(there, "evaluate", "--model", "user/vit-pets", "--dataset", "user/pets", "--format", "json");
        var folder = await RunAsync(here, "evaluate", "--model", "vit-pets", "--dataset", "Pets", "--format", "json");
        Assert.Equal(JsonNode.Parse(folder.Out)!["test_loss"]!.GetValue<double>(), JsonNode.Parse(measured.Out)!["test_loss"]!.GetValue<double>());

        // Without the Hub everything that was fetched still works, and what cannot be pushed is said, with the way to push it later.
        there["HF_HUB_OFFLINE"] = "1";
        var offline = await RunAsync(
            there, "train", "--dataset", "user/pets", "--model", "user/vit-tiny", "--output", "later", "--max_steps", "1", "--train_split", "train[:50%]", "--eval_split", "train[50%:]",
            "--push_to_hub", "--hub_model_id", "user/later", "--hub_private_repo", "--hub_strategy", "end");
        Assert.Contains("The run is complete, but it was not pushed.", offline.Error, StringComparison.Ordinal);
        Assert.Contains("Push it later with: vizsla push --model later --repo user/later --private", offline.Error, StringComparison.Ordinal);
        there.Remove("HF_HUB_OFFLINE");
        var pushed = await RunAsync(there, "push", "--model", "later", "--repo", "user/later", "--private");
        Assert.StartsWith($"Pushed to {address}/user/later (", pushed.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_as_a_flag_and_a_Hub_argument_without_effect_are_refused()
    {
        _ = AnimalPainter.WriteFolder(_folder["photos"], countPerClass: 3, size: 32);
        string[] train = ["train", "--dataset", _folder["photos"], "--model", "vit-nano", "--from_scratch", "--output", _folder["run"]];

        var token = await RefuseAsync([.. train, "--push_to_hub", "--hub_token", "hf_secretword"]);
        var effect = await RefuseAsync([.. train, "--hub_model_id", "user/pets"]);

        Assert.Equal("--hub_token would show the token to everybody on this machine. Log in with 'vizsla login', set HF_TOKEN, or write hub_token into a --config file.", token);
        Assert.Equal("--hub_model_id has no effect without --push_to_hub: add it, or leave the option out.", effect);
    }

    private static async Task<string> RefuseAsync(string[] words)
    {
        using var run = new ConsoleRun();
        Assert.Equal(2, await CommandLine.RunAsync(words, run.Console));
        return run.ErrorText.Trim().Split('\n')[^1];
    }

    private Dictionary<string, string> Machine(string name, string address) => new() { ["HF_ENDPOINT"] = address, ["HF_HOME"] = _folder["home-" + name] };

    private Task<(string Out, string Error)> RunAsync(IReadOnlyDictionary<string, string> machine, params string[] words) => CliProcess.RunAsync(_folder.Path, machine, words);
}
