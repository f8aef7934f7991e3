using System.Text.Json.Nodes;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

public sealed class DatasetCheckCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public DatasetCheckCommandTests()
    {
        foreach (var (i, path) in new[] { "train/fish/1.png", "train/fish/2.png", "train/snake/3.png", "test/fish/4.png", "test/snake/5.png" }.Index())
        {
            using var image = AnimalPainter.Paint(AnimalPainter.Classes[i], 64, new Rng((ulong)i));
            ImageCodec.SavePng(image, _folder.Reserve($"pets/{path}"));
        }
    }

    private string Pets => _folder["pets"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_sound_dataset_passes()
    {
        using var run = await CheckAsync(0);

        Assert.Equal("Checked 5 pictures (train 3, test 2): 0 errors, 0 warnings.\n", run.OutText);
        Assert.Equal("checked 5 pictures\n", run.ErrorText);
    }

    [Theory]
    [InlineData("check")]
    [InlineData("info")]
    [InlineData("stats")]
    [InlineData("show", "--output", "sheet.png")]
    public async Task A_folder_that_is_not_there_is_said(string verb, params string[] arguments)
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["dataset", verb, "--dataset", "missing", .. arguments], run.Console);

        Assert.Equal(1, code);
        Assert.Equal("There is no folder 'missing'. Give the path of a folder, or 'owner/name' for a dataset on a Hub.\n", run.ErrorText);
    }

    [Fact]
    public async Task Findings_are_a_table_and_errors_the_exit_code()
    {
        Spoil();

        using var run = await CheckAsync(1);

        Assert.Contains("│ error │ truncated │ it is truncated", run.OutText, StringComparison.Ordinal);
        Assert.Contains("│ error │ exact     │ 2 pictures have the same content; they lie in train and test │ train/fish/1.png", run.OutText, StringComparison.Ordinal);
        Assert.EndsWith("Checked 6 pictures (train 3, test 3): 2 errors, 0 warnings.\n", run.OutText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_report_is_json_for_programs_and_a_sheet_for_people()
    {
        Spoil();

        using var run = await CheckAsync(1, "--format", "json", "--output", _folder["sheet.png"]);

        var report = JsonNode.Parse(run.OutText)!;
        Assert.Equal((3, 3), ((int)report["splits"]!["train"]!, (int)report["splits"]!["test"]!));
        Assert.Equal(["truncated", "exact"], report["findings"]!.AsArray().Select(f => (string)f!["kind"]!));
        Assert.Equal(_folder["pets", "test", "fish", "copy.png"], (string)report["findings"]![1]!["pictures"]![1]!["file"]!);
        Assert.EndsWith($"Drew 2 of 2 findings with pictures on '{_folder["sheet.png"]}'.\n", run.ErrorText, StringComparison.Ordinal);
        using var sheet = ImageCodec.Load(_folder["sheet.png"]);
        Assert.True(sheet.Width > 1000);
    }

    [Fact]
    public async Task Quarantine_moves_and_undo_brings_back()
    {
        Spoil();
        var before = Files();

        using var moved = await CheckAsync(0, "--fix", "quarantine");

        Assert.EndsWith($"Moved 2 pictures to '{Path.Combine(Pets, ".quarantine")}'; 'vizsla dataset check --dataset {Pets} --undo' brings them back.\n", moved.ErrorText, StringComparison.Ordinal);
        Assert.Equal(4, ImageDataset.LoadImageFolder(Pets).Values.Sum(s => s.Count));
        Assert.True(File.Exists(_folder["pets", "test", "fish", "copy.png"]));
        using (var after = await CheckAsync(0))
        {
            Assert.StartsWith("Checked 4 pictures (train 1, test 3): 0 errors, 2 warnings.", after.OutText[after.OutText.IndexOf("Checked", StringComparison.Ordinal)..], StringComparison.Ordinal);
        }

        using var undone = await CheckAsync(0, "--undo");
        using var nothing = await CheckAsync(0, "--undo");

        Assert.Equal("Brought back 2 pictures.\n", undone.OutText);
        Assert.Equal("Nothing was brought back.\n", nothing.OutText);
        Assert.Equal(before, Files());
    }

    [Fact]
    public async Task Only_the_kinds_asked_for_are_moved()
    {
        Spoil();

        using var run = await CheckAsync(1, "--fix", "quarantine", "--fix_kinds", "tiny,truncated", "--format", "json");

        Assert.Equal([_folder["pets", "train", "fish", "2.png"]], JsonNode.Parse(run.OutText)!["moved"]!.AsArray().Select(m => (string)m!));
    }

    [Theory]
    [InlineData("--fix delete", "--fix takes quarantine, got 'delete'.\n")]
    [InlineData("--fix_kinds exact,naer", "--fix_kinds takes unreadable, truncated, exact, near, tiny, extreme, blurry, dark, light, lowinformation, gray, oddshape, oddsize, got 'naer'. Did you mean 'near'?\n")]
    [InlineData("--near_distance 17", "--near_distance takes 0 to 16 bits, got 17.\n")]
    [InlineData("--max_ratio 0.5", "--min_side takes 0 or more, --max_ratio and --max_imbalance 1 or more.\n")]
    [InlineData("--undo --fix quarantine", "--undo brings back what --fix moved; give one of them.\n")]
    public async Task A_wrong_value_is_wrong_use(string options, string message)
    {
        using var run = await CheckAsync(2, options.Split(' '));

        Assert.Equal(message, run.ErrorText);
    }

    [Fact]
    public async Task A_dataset_that_is_no_folder_cannot_be_mended()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["dataset", "check", "--dataset", "user/pets", "--fix", "quarantine"], run.Console);

        Assert.Equal(1, code);
        Assert.Equal("'user/pets' is not a folder. Only files of a dataset on this machine can be moved into quarantine.\n", run.ErrorText);
    }

    private async Task<ConsoleRun> CheckAsync(int expected, params string[] options)
    {
        var run = new ConsoleRun();
        var code = await CommandLine.RunAsync(["dataset", "check", "--dataset", Pets, .. options], run.Console);
        Assert.True(code == expected, $"exit code {code}, expected {expected}\n{run.ErrorText}\n{run.OutText}");
        return run;
    }

    private void Spoil()
    {
        var whole = File.ReadAllBytes(_folder["pets", "train", "fish", "2.png"]);
        File.WriteAllBytes(_folder["pets", "train", "fish", "2.png"], whole[..(whole.Length / 2)]);
        File.Copy(_folder["pets", "train", "fish", "1.png"], _folder["pets", "test", "fish", "copy.png"]);
    }

    private List<string> Files() => [.. Directory.EnumerateFiles(Pets, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
}
