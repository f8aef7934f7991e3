using System.Text.Json.Nodes;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

public sealed class DatasetCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public DatasetCommandTests()
    {
        foreach (var (i, path) in new[] { "train/fish/1.png", "train/snake/2.png", "train/snake/3.png", "test/fish/4.png" }.Index())
        {
            using var image = AnimalPainter.Paint("fish", 32, new Rng((ulong)i));
            ImageCodec.SavePng(image, _folder.Reserve($"pets/{path}"));
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Info_prints_rows_columns_and_classes()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["dataset", "info", "--dataset", _folder["pets"]], run.Console);

        Assert.Equal(0, code);
        Assert.Equal("train: 3\ntest: 1\ncolumns: image, label\nclasses: 2 (fish, snake)\n", run.OutText);
    }

    [Fact]
    public async Task Show_draws_a_sheet()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["dataset", "show", "--dataset", _folder["pets"], "--output", _folder["sheet.png"], "--columns", "3"], run.Console);
        using var sheet = ImageCodec.Load(_folder["sheet.png"]);

        Assert.Equal(0, code);
        Assert.Equal($"Drew 3 pictures on '{_folder["sheet.png"]}'.\n", run.OutText);
        Assert.True(sheet.Width > 2 * sheet.Height);
    }

    [Theory]
    [InlineData("train")]
    [InlineData("test")]
    public async Task Show_draws_a_batch_as_the_model_sees_it(string split)
    {
        var pipelines = _folder.WriteText("transforms.json", """
            {"train": [{"transform": "Resize", "size": [32, 32]}, {"transform": "RandomVerticalFlip", "p": 1.0}, {"transform": "ToDtype", "scale": true}, {"transform": "Normalize", "mean": [0.5], "std": [0.5]}],
             "eval": [{"transform": "Resize", "size": [32, 32]}, {"transform": "ToDtype", "scale": true}, {"transform": "Normalize", "mean": [0.5], "std": [0.5]}]}
            """);

        using var run = await ShowAsync(0, split, "--transforms", pipelines);
        using var sheet = ImageCodec.Load(_folder["sheet.png"]);

        // A picture of 32 x 32 is drawn seven times as large, below and right of a margin of 8 pixels.
        var shown = Enumerable.Range(0, 32).Select(y => Enumerable.Range(0, 32).Select(x => Convert.ToHexString(sheet.Row(11 + (7 * y)).Slice(3 * (11 + (7 * x)), 3))));
        var sources = Directory.EnumerateFiles(_folder["pets", split], "*.png", SearchOption.AllDirectories).Select(file =>
        {
            using var picture = ImageCodec.Load(file);
            return Enumerable.Range(0, 32).Select(y => picture.Row(split == "train" ? 31 - y : y).ToArray()).Select(row => row.Chunk(3).Select(Convert.ToHexString).ToList()).ToList();
        });
        Assert.Single(sources, source => source.SelectMany(row => row).SequenceEqual(shown.SelectMany(row => row)));
        Assert.Equal($"Drew 1 picture on '{_folder["sheet.png"]}'.\n", run.OutText);
    }

    [Fact]
    public async Task Show_says_which_pipeline_is_missing_or_makes_no_batch()
    {
        var pictures = _folder.WriteText("pictures.json", """[{"transform": "RandomHorizontalFlip"}]""");

        using var missing = await ShowAsync(2, "test", "--transforms", pictures);
        using var floats = await ShowAsync(2, "train", "--transforms", pictures);
        using var epoch = await ShowAsync(2, "train", "--epoch", "3");

        Assert.Equal($"'{pictures}' has no pipeline under 'eval', which pictures of 'test' go through.\n", missing.ErrorText);
        Assert.Equal($"The pipeline under 'train' of '{pictures}' cannot make batches: it must turn one picture into one, of a fixed size (Resize((height, width)) or CenterCrop), and turn it to floats (ToDtype(scale=True) or ToTensor).\n", floats.ErrorText);
        Assert.Equal("--epoch takes 0 or more and goes with --transforms, got 3.\n", epoch.ErrorText);
    }

    [Fact]
    public async Task Stats_counts_classes_sizes_and_formats_and_plots_them()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["dataset", "stats", "--dataset", _folder["pets"], "--output", _folder["stats.png"]], run.Console);
        using var plot = ImageCodec.Load(_folder["stats.png"]);

        Assert.Equal(0, code);
        var rows = run.OutText.Split('\n').Select(line => line.Split('│', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.Equal(["train", "3", "2", "1 1 2", "32 32 32", "32 32 32"], rows.First(r => r.Length > 1 && r[0] == "train")[..6]);
        Assert.Equal("PNG RGB 1", rows.First(r => r.Length > 1 && r[0] == "test")[^1]);
        Assert.Contains(["snake", "2", "0"], rows);
        Assert.Equal($"read 4 pictures\nDrew '{_folder["stats.png"]}'.\n", run.ErrorText);
        Assert.True(plot.Width > plot.Height);
    }

    [Fact]
    public async Task Stats_are_json_for_programs()
    {
        using var run = new ConsoleRun();

        await CommandLine.RunAsync(["dataset", "stats", "--dataset", _folder["pets"], "--format", "json"], run.Console);

        var train = JsonNode.Parse(run.OutText)!["train"]!;
        Assert.Equal((3, 2, 3), ((int)train["pictures"]!, (int)train["classes"]!["snake"]!, (int)train["sizes"]!["32x32"]!));
    }

    private async Task<ConsoleRun> ShowAsync(int expected, string split, params string[] options)
    {
        var run = new ConsoleRun();
        var code = await CommandLine.RunAsync(["dataset", "show", "--dataset", _folder["pets"], "--split", split, "--count", "1", "--output", _folder["sheet.png"], .. options], run.Console);
        Assert.Equal(expected, code);
        return run;
    }

    [Fact]
    public async Task What_is_no_dataset_fails_with_its_message()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["dataset", "info", "--dataset", "no/such/folder"], run.Console);

        Assert.Equal(1, code);
        Assert.Equal("'no/such/folder' is neither a folder nor the name of a dataset on a Hub ('owner/name').\n", run.ErrorText);
    }
}
