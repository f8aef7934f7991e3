using System.Text.Json.Nodes;
using Vizsla.Cli.Tests.Processes;
using Vizsla.Runs;

namespace Vizsla.Cli.Tests.Commands;

public sealed class TrainCommandTests
{
    [Fact]
    public async Task A_learning_rate_is_found_without_training()
    {
        using var run = new AnimalRun();
        using var console = new ConsoleRun();

        var code = await CommandLine.RunAsync(
            ["train", "--dataset", run.Dataset, "--model", run.Model, "--output", run.Output("run"), "--find_lr", "--max_steps", "40", "--bf16", "false"], console.Console);

        Assert.True(code == 0, console.ErrorText);
        // Forty steps of a small network: where its loss hardly moves the search says so.
        Assert.Matches(@"^(Take --learning_rate \d(\.\d)?e-\d\. The loss falls fastest at \d(\.\d)?e-\d; a tenth of the rate with the least loss is \d(\.\d)?e-\d\.|The loss never falls by more than \d\.\d %)", console.OutText);
        Assert.True(File.Exists(Path.Combine(run.Output("run"), "plots", LearningRateReport.PlotName)));
        Assert.Equal(["learning_rate_search.json", "plots"], Directory.EnumerateFileSystemEntries(run.Output("run")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Another_run_is_noticed_before_pictures_and_weights_are_read()
    {
        using var run = new AnimalRun();
        using var console = new ConsoleRun();
        Directory.CreateDirectory(run.Output("run"));
        File.WriteAllText(Path.Combine(run.Output("run"), "trainer_state.json"), "{}");

        var code = await CommandLine.RunAsync(["train", "--dataset", run.Output("no-such-dataset"), "--model", run.Output("no-such-model"), "--output", run.Output("run")], console.Console);

        Assert.Equal(1, code);
        Assert.Contains(
            $"The folder '{run.Output("run")}' holds another run ('trainer_state.json'). Resume it with resume_from_checkpoint, replace it with overwrite_output_dir, or give another output_dir.",
            console.ErrorText,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_arguments_it_says_what_it_picked()
    {
        using var run = new AnimalRun();
        using var console = new ConsoleRun();

        // An output folder that is a file ends the command after everything was picked.
        File.WriteAllText(run.Output("file"), "");
        var code = await CommandLine.RunAsync(["train", "--dataset", run.Dataset, "--model", run.Model, "--output", run.Output("file")], console.Console);

        Assert.Equal(1, code);
        Assert.Contains(
            "No training arguments were given; using --learning_rate 5e-05 --num_train_epochs 5 --per_device_train_batch_size 32 --per_device_eval_batch_size 64 --warmup_steps 0.1 --weight_decay 0.01"
            + " --logging_steps 10 --save_strategy epoch --save_total_limit 2 --report_to tensorboard --eval_strategy epoch --load_best_model_at_end --metric_for_best_model accuracy",
            console.ErrorText,
            StringComparison.Ordinal);
        Assert.Contains($"The run folder '{run.Output("file")}' cannot be created: ", console.ErrorText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_split_that_trains_and_is_evaluated_is_augmented_only_to_train()
    {
        using var run = new AnimalRun();
        using var console = new ConsoleRun();

        var code = await CommandLine.RunAsync(
            [
                "train", "--dataset", run.Dataset, "--model", run.Model, "--output", run.Output("run"), "--bf16", "false", "--eval_split", "train", "--transforms", "tutorial",
                "--max_steps", "1", "--per_device_train_batch_size", "4", "--save_strategy", "no",
            ],
            console.Console);

        Assert.True(code == 0, console.ErrorText);
        var data = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(run.Output("run"), "training_args.json")))!["data"]!;
        Assert.Equal(("train", "train"), ((string)data["train"]!["split"]!, (string)data["eval"]!["split"]!));
        Assert.Contains("new RandomHorizontalFlip(0.4)", (string)data["train"]!["transform"]!, StringComparison.Ordinal);
        Assert.DoesNotContain("Random", (string)data["eval"]!["transform"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pictures_that_shrink_to_nothing_are_refused_with_the_least_size()
    {
        using var run = new AnimalRun();
        using var console = new ConsoleRun();

        var code = await CommandLine.RunAsync(
            ["train", "--dataset", run.Dataset, "--model", "inception_v4", "--from_scratch", "--image_size", "32", "--transforms", "processor", "--output", run.Output("run"), "--max_steps", "1"],
            console.Console);

        Assert.Equal(1, code);
        Assert.Equal("A picture of 32x32 pixels is too small for inception_v4, which needs at least 75x75; resize it first.", console.ErrorText.TrimEnd().Split('\n')[^1]);
    }

    [Fact]
    public async Task A_run_goes_on_by_its_folder_alone()
    {
        using var run = new AnimalRun();
        using var first = new ConsoleRun();
        using var second = new ConsoleRun();
        string[] asked =
        [
            "train", "--dataset", run.Dataset, "--model", "vit-nano", "--from_scratch", "--image_size", "32", "--transforms", "processor", "--output", run.Output("run"), "--bf16", "false",
            "--max_steps", "4", "--save_steps", "2", "--per_device_train_batch_size", "4",
        ];
        Assert.True(await CommandLine.RunAsync(asked, first.Console) == 0, first.ErrorText);
        Directory.Delete(Path.Combine(run.Output("run"), "checkpoint-4"), recursive: true);

        var code = await CommandLine.RunAsync(["train", "--output", run.Output("run"), "--resume_from_checkpoint", "true"], second.Console);

        Assert.True(code == 0, second.ErrorText);
        Assert.Contains($"Resuming from '{Path.Combine(run.Output("run"), "checkpoint-2")}'.", second.ErrorText, StringComparison.Ordinal);
        Assert.True(Directory.Exists(Path.Combine(run.Output("run"), "checkpoint-4")));
    }

    [Theory]
    [InlineData("train eval test")]
    [InlineData("eval", "--do_eval", "true", "--do_train", "false", "--do_predict", "false")]
    [InlineData("train test", "--do_eval", "false")]
    [InlineData("train eval", "--do_predict", "false")]
    public async Task A_part_that_is_not_asked_for_is_left_out(string parts, params string[] asked)
    {
        using var run = new AnimalRun();
        using var console = new ConsoleRun();

        var code = await CommandLine.RunAsync(
            [
                "train", "--dataset", run.Dataset, "--model", run.Model, "--output", run.Output("run"), "--bf16", "false", "--max_steps", "1", "--per_device_train_batch_size", "4",
                "--save_strategy", "no", .. asked,
            ],
            console.Console);

        Assert.True(code == 0, console.ErrorText);
        Assert.Equal(parts.Split(' ').Order(StringComparer.Ordinal), new[] { "eval", "test", "train" }.Where(p => File.Exists(Path.Combine(run.Output("run"), $"{p}_results.json"))));
    }

    [Fact]
    public async Task A_new_head_is_announced_once_and_not_again_on_resume()
    {
        using var run = new AnimalRun();
        using var first = new ConsoleRun();
        using var second = new ConsoleRun();
        using (var model = ImageClassifier.Create("vit-nano", ["cat", "dog"], imageSize: 32, seed: 1))
        {
            model.Save(run.Output("two"));
        }

        string[] asked =
        [
            "train", "--dataset", run.Dataset, "--model", run.Output("two"), "--output", run.Output("run"), "--bf16", "false", "--max_steps", "2", "--save_steps", "1",
            "--per_device_train_batch_size", "4", "--eval_strategy", "no",
        ];
        Assert.True(await CommandLine.RunAsync(asked, first.Console) == 0, first.ErrorText);

        var code = await CommandLine.RunAsync([.. asked, "--resume_from_checkpoint", Path.Combine(run.Output("run"), "checkpoint-1")], second.Console);

        Assert.True(code == 0, second.ErrorText);
        Assert.Contains("You should probably TRAIN this model", first.ErrorText, StringComparison.Ordinal);
        Assert.DoesNotContain("You should probably TRAIN this model", second.ErrorText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_earlier_run_that_cannot_be_read_is_named()
    {
        using var run = new AnimalRun();
        using var console = new ConsoleRun();
        var file = Path.Combine(Directory.CreateDirectory(run.Output("run")).FullName, "training_args.json");
        File.WriteAllText(file, "{\"arguments\"");

        var code = await CommandLine.RunAsync(["train", "--output", run.Output("run"), "--resume_from_checkpoint", "true"], console.Console);

        Assert.Equal(2, code);
        Assert.StartsWith($"'{file}' is not JSON: ", console.ErrorText, StringComparison.Ordinal);
        Assert.EndsWith("Give the run's arguments again, or resume from one of its checkpoints.", console.ErrorText.TrimEnd(), StringComparison.Ordinal);
    }
}
