using System.Diagnostics;
using System.Text.Json;
using Vizsla.Datasets.Drawing;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

public sealed class QuickstartTests
{
    private const double RequiredAccuracy = 0.9;

    [Fact]
    [Trait("Category", "Slow")]
    public async Task The_quickstart_reaches_ninety_percent_on_pictures_it_has_not_seen()
    {
        using var folder = new TemporaryFolder();
        using var run = new ConsoleRun();
        var root = Path.Combine(folder.Path, "quickstart");

        var code = await CommandLine.RunAsync(["quickstart", "--output", root], run.Console);

        Assert.True(code == 0, run.ErrorText);
        using var results = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(root, "animal-classification", "all_results.json")));
        Assert.InRange(results.RootElement.GetProperty("test_accuracy").GetDouble(), RequiredAccuracy, 1);
        Assert.True(File.Exists(Path.Combine(root, "prediction.png")));
    }

    [Fact]
    public async Task An_earlier_quickstart_is_not_overwritten_unasked()
    {
        using var folder = new TemporaryFolder();
        using var run = new ConsoleRun();
        Directory.CreateDirectory(Path.Combine(folder.Path, "photos"));

        var code = await CommandLine.RunAsync(["quickstart", "--output", folder.Path], run.Console);

        Assert.Equal(2, code);
        Assert.Contains("Pass --overwrite", run.ErrorText, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task The_sample_program_runs_from_photos_to_a_named_breed()
    {
        using var folder = new TemporaryFolder();
        var photos = Path.Combine(folder.Path, "photos");
        _ = AnimalPainter.WriteFolder(photos, countPerClass: 20, size: 48);
        var checkpoint = Path.Combine(folder.Path, "checkpoint");
        using (var model = ImageClassifier.Create("vit-nano", ["cat", "dog"], imageSize: 48, seed: 1))
        {
            model.Save(checkpoint);
        }

        using var process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "QuickStart.dll"), photos, checkpoint])
        {
            WorkingDirectory = folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // One thread: other tests want the cores.
            Environment = { ["OMP_NUM_THREADS"] = "1" },
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        Assert.True(process.ExitCode == 0, await errors);
        Assert.Contains("test accuracy ", output, StringComparison.Ordinal);
        Assert.Equal(1 + 5, output.Trim().Split('\n').Length);
        Assert.True(File.Exists(Path.Combine(folder.Path, "breed-classification", "all_results.json")));
    }

    [Fact]
    public void The_readme_shows_the_sample_program()
    {
        var readme = File.ReadAllText(Path.Combine(Golden.Checkout, "README.md")).ReplaceLineEndings("\n");
        var program = File.ReadAllText(Path.Combine(Golden.Checkout, "samples", "QuickStart", "Program.cs")).ReplaceLineEndings("\n");

        Assert.Contains($"```csharp\n{program}```\n", readme, StringComparison.Ordinal);
    }
}
