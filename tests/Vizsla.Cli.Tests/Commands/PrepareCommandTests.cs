using Vizsla.Datasets.Drawing;
using Vizsla.Datasets.Splits;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

public sealed class PrepareCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PrepareCommandTests() => AnimalPainter.WriteFolder(_folder["photos"], countPerClass: 6, size: 24);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Splits_a_folder_with_labels()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["prepare", "--images", _folder["photos"], "--output-dir", _folder["out"], "--test-size", "0.2", "--validation_size", "6"], run.Console);

        Assert.Equal(0, code);
        Assert.Contains($"Prepared '{_folder["out"]}'; what went where is in '{_folder["out", "split.json"]}'.", run.OutText, StringComparison.Ordinal);
        Assert.Equal("checked 36 pictures\ncopied 36 pictures\n", run.ErrorText);
        Assert.Equal([22, 6, 8], SplitManifest.Read(_folder["out"])!.Splits.Values.Select(s => s.Count));
    }

    [Fact]
    public async Task Copies_are_counted_and_kept_together()
    {
        var first = Directory.EnumerateFiles(_folder["photos"], "*.jpg").Order(StringComparer.Ordinal).First();
        File.Copy(first, _folder["photos", "copy.jpg"]);
        var row = File.ReadLines(_folder["photos", "labels.csv"]).First(line => line.StartsWith(Path.GetFileNameWithoutExtension(first), StringComparison.Ordinal));
        await File.AppendAllTextAsync(_folder["photos", "labels.csv"], $"copy,{row.Split(',')[1]}\n");
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["prepare", "--images", _folder["photos"], "--output", _folder["out"], "--validation_size", "6", "--group_duplicates"], run.Console);

        Assert.Equal(0, code);
        Assert.Contains("2 photos are copies of one another, in 1 group; each group is in one split.\n", run.ErrorText, StringComparison.Ordinal);
        Assert.Equal(37, SplitManifest.Read(_folder["out"])!.Splits.Values.Sum(s => s.Count));
    }

    [Fact]
    public async Task A_bad_input_fails_with_its_message()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["prepare", "--images", _folder["absent"], "--output", _folder["out"]], run.Console);

        Assert.Equal(1, code);
        Assert.Equal($"The picture folder '{_folder["absent"]}' does not exist.\n", run.ErrorText);
    }

    [Theory]
    [InlineData("--missing", "skp", "--missing takes error, skip, got 'skp'. Did you mean 'skip'?\n")]
    [InlineData("--link", "soft", "--link takes hard, symbolic, got 'soft'.\n")]
    [InlineData("--test_size", "1.5", "--test_size takes a fraction from 0 to below 1 (0.2), or a number of photos (200), got '1.5'.\n")]
    [InlineData("--seed", "-1", "--seed takes a number from 0 to 4294967295, got -1.\n")]
    public async Task A_wrong_value_is_wrong_use(string option, string value, string message)
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["prepare", "--images", _folder["photos"], "--output", _folder["out"], $"{option}={value}"], run.Console);

        Assert.Equal(2, code);
        Assert.Equal(message, run.ErrorText);
        Assert.False(Directory.Exists(_folder["out"]));
    }
}
