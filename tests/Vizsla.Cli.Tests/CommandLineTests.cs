using System.CommandLine;
using System.Diagnostics;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests;

public sealed class CommandLineTests
{
    // All options take about 120 lines.
    private const int ShortHelp = 100;

    [Fact]
    public void Dashes_and_underscores_in_an_option_are_the_same()
    {
        var root = new RootCommand { new Option<int>("--test_size"), new Option<bool>("--no-cache") };

        var words = CommandLine.Normalize(root, ["--test-size=3", "--no_cache", "--other-one", "a_b-c", "--", "--test-size"]);

        Assert.Equal(["--test_size=3", "--no-cache", "--other-one", "a_b-c", "--", "--test-size"], words);
    }

    [Theory]
    [InlineData("trian", "Unknown verb 'trian'. Did you mean 'train'? Run 'vizsla --help' for the verbs.")]
    [InlineData("finetune --dataset pets", "Unknown verb 'finetune'. Did you mean 'train'? Run 'vizsla --help' for the verbs.")]
    [InlineData("dataset shwo", "Unknown verb 'shwo'. Did you mean 'show'? Run 'vizsla dataset --help' for the verbs.")]
    [InlineData("train --dataset pets --lr 1e-3", "Unknown option '--lr'. Did you mean '--learning_rate'? Run 'vizsla train --help' for the options.")]
    [InlineData("train --dataset pets --epochs=3", "Unknown option '--epochs'. Did you mean '--num_train_epochs'? Run 'vizsla train --help' for the options.")]
    [InlineData("train --dataset pets --epoch 3", "Unknown option '--epoch'. Did you mean '--num_train_epochs'? Run 'vizsla train --help' for the options.")]
    [InlineData("train --dataset pets --batch-size 8", "Unknown option '--batch_size'. Did you mean '--per_device_train_batch_size'? Run 'vizsla train --help' for the options.")]
    [InlineData("train --dataset pets --revision v1", "Unknown option '--revision'. Did you mean '--model_revision'? Run 'vizsla train --help' for the options.")]
    [InlineData("predict photo.jpg --modle run", "Unknown option '--modle'. Did you mean '--model'? Run 'vizsla predict --help' for the options.")]
    [InlineData("predict photo.jpg", "Option '--model' is required. Run 'vizsla predict --help' for the options.")]
    [InlineData("models resnet", "Unknown verb 'resnet'. Run 'vizsla models --help' for the verbs.")]
    public async Task One_mistake_is_one_line_with_what_was_probably_meant(string line, string expected)
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(line.Split(' '), run.Console);

        Assert.Equal((2, expected + "\n"), (code, run.ErrorText.ReplaceLineEndings("\n")));
    }

    [Theory]
    [InlineData("64", "A process may open only 64 files here, and vizsla needs at least 128: allow more, for example with 'ulimit -n 1024', and try again.")]
    [InlineData("128", null)]
    [InlineData("unlimited", null)]
    public void Too_few_open_files_are_said(string limit, string? expected)
    {
        var table = $"Limit                     Soft Limit           Hard Limit           Units     \nMax cpu time              unlimited            unlimited            seconds   \nMax open files            {limit,-20} {limit,-20} files     ";

        Assert.Equal(expected, FileLimit.Problem(table.Split('\n')));
    }

    [Fact]
    public void A_process_with_few_open_files_ends_in_that_sentence()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "skipped: the limit is read where Linux says it");
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", $"ulimit -n 64; exec dotnet '{Path.Combine(AppContext.BaseDirectory, "Vizsla.Cli.dll")}' dataset info --dataset x"]) { RedirectStandardError = true })!;

        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();

        Assert.Equal((1, "A process may open only 64 files here, and vizsla needs at least 128: allow more, for example with 'ulimit -n 1024', and try again.\n"), (process.ExitCode, error));
    }

    [Fact]
    public async Task Two_mistakes_are_two_lines()
    {
        using var run = new ConsoleRun();

        _ = await CommandLine.RunAsync(["train", "--lr", "1e-3", "--dataset", "pets", "--bs", "8"], run.Console);

        Assert.Equal(
            "Unknown option '--lr'. Did you mean '--learning_rate'?\nUnknown option '--bs'. Did you mean '--per_device_train_batch_size'? Run 'vizsla train --help' for the options.\n",
            run.ErrorText.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Every_guess_leads_to_a_name_that_there_is()
    {
        var commands = CommandLine.CreateRoot().Subcommands.SelectMany(c => c.Subcommands.Prepend(c)).ToList();
        var options = commands.SelectMany(c => c.Options).Where(o => !o.Hidden).Select(o => o.Name.TrimStart('-')).ToHashSet();

        Assert.All(Guesses.Options.Values.SelectMany(names => names), name => Assert.Contains(name, options));
        Assert.All(Guesses.Verbs.Values, verb => Assert.Contains(commands, c => c.Name == verb));
    }

    [Fact]
    public void Options_that_do_the_same_are_spelled_the_same_in_every_verb()
    {
        var options = CommandLine.CreateRoot().Subcommands.SelectMany(c => c.Subcommands.Prepend(c)).SelectMany(c => c.Options).ToList();

        Assert.All(options.Where(o => o.Name == "--output"), o => Assert.True(o.Aliases.Contains("-o") && o.Aliases.Contains("--output_dir")));
        Assert.All(options.Where(o => o.Name is "--overwrite" or "--overwrite_output_dir"), o => Assert.Equal(2, o.Aliases.Append(o.Name).Intersect(["--overwrite", "--overwrite_output_dir"]).Count()));
    }

    [Fact]
    public async Task Help_is_no_error()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["--help"], run.Console);

        Assert.Equal(0, code);
        Assert.Contains("Usage:", run.OutText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_help_of_train_begins_with_what_people_do_and_names_the_recipes()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["train", "--help"], run.Console);

        var lines = run.OutText.ReplaceLineEndings("\n").Split('\n');
        Assert.Equal(0, code);
        Assert.InRange(lines.Length, 1, ShortHelp);
        Assert.Equal(
            ["Data:", "Model:", "Arguments in a file:", "Length and batches:", "Learning rate:", "Small or unbalanced data:", "Evaluation and saving:", "Speed:", "Hub:", "Reproducing:"],
            lines.Where(l => l.EndsWith(':') && !l.StartsWith(' ') && l is not ("Description:" or "Usage:" or "Examples:")));
        var config = Assert.Single(lines, l => l.StartsWith("  --config ", StringComparison.Ordinal));
        Assert.All(Directory.EnumerateFiles(Path.Combine(Golden.Checkout, "recipes"), "*.jsonc"), file => Assert.Contains(Path.GetFileNameWithoutExtension(file), config, StringComparison.Ordinal));
    }

    [Fact]
    public async Task All_options_of_train_are_listed_on_request()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["train", "--help", "all"], run.Console);

        var train = CommandLine.CreateRoot().Subcommands.Single(c => c.Name == "train");
        Assert.Equal(0, code);
        Assert.All(train.Options.Where(o => !o.Hidden), o => Assert.Contains(o.Name, run.OutText, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Augment_takes_a_pipeline_by_its_name()
    {
        using var folder = new TemporaryFolder();
        using var run = new ConsoleRun();
        using (var picture = AnimalPainter.Paint("fish", 32, new Rng(1)))
        {
            ImageCodec.SavePng(picture, folder["photo.png"]);
        }

        var code = await CommandLine.RunAsync(["augment", folder["photo.png"], "--transforms", "processor", "--count", "1", "-o", folder["grid.png"]], run.Console);

        Assert.True(code == 0, run.ErrorText);
        Assert.StartsWith("new Compose(new Resize(", run.OutText, StringComparison.Ordinal);
        Assert.True(File.Exists(folder["grid.png"]));
    }

    [Fact]
    public async Task A_flat_folder_of_photos_leads_to_prepare()
    {
        using var folder = new TemporaryFolder();
        using var run = new ConsoleRun();
        Directory.CreateDirectory(folder["photos"]);
        using (var picture = AnimalPainter.Paint("fish", 32, new Rng(1)))
        {
            ImageCodec.SavePng(picture, folder["photos", "1.png"]);
        }

        var code = await CommandLine.RunAsync(["train", "--dataset", folder["photos"], "--model", "vit-nano", "--from_scratch", "-o", folder["run"]], run.Console);

        Assert.Equal(1, code);
        Assert.EndsWith($"'{folder["photos"]}' has no class folders, so its photos have no labels. Expected '{folder["photos"]}/<split>/<class>/<photo>'; 'vizsla prepare --images {folder["photos"]} --labels CSV --output NAME' makes that of a flat folder.\n", run.ErrorText.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_without_trained_weights_asks_for_from_scratch()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["train", "--dataset", "pets", "--model", "vit-nano"], run.Console);

        Assert.Equal(
            (2, "'vit-nano' has no trained weights: add --from_scratch to start from random ones, or give a folder or a name on the Hub, such as --model google/vit-base-patch16-224.\n"),
            (code, run.ErrorText.ReplaceLineEndings("\n")));
    }

    [Theory]
    [InlineData("predict", "photo.jpg")]
    [InlineData("evaluate", "--dataset", "pets")]
    public async Task A_run_that_was_stopped_leads_to_its_last_checkpoint(params string[] words)
    {
        using var folder = new TemporaryFolder();
        using var run = new ConsoleRun();
        _ = folder.WriteText("run/checkpoint-20/config.json", "{}");
        _ = folder.WriteText("run/checkpoint-100/config.json", "{}");
        _ = folder.WriteText("photo.jpg", "");
        var output = folder["run"];

        var code = await CommandLine.RunAsync([.. words.Select(w => w == "photo.jpg" ? folder[w] : w), "--model", output], run.Console);

        Assert.Equal(
            (2, $"The training in '{output}' was not finished. Use its last checkpoint with --model {Path.Combine(output, "checkpoint-100")}, or finish it with: vizsla train --output {output} --resume_from_checkpoint true\n"),
            (code, run.ErrorText.ReplaceLineEndings("\n")));
    }
}
