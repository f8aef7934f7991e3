using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

public sealed class PredictCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Where_the_model_looked_stands_beside_the_photo_on_the_sheet()
    {
        var photo = _folder["fish.png"];
        using (var fish = AnimalPainter.Paint("fish", 64, new Rng(2)))
        {
            ImageCodec.SavePng(fish, photo);
        }

        using (var classifier = ImageClassifier.Create("vit-nano", ["cat", "fish"], imageSize: 32, seed: 1))
        {
            classifier.Save(_folder["model"]);
        }

        var plain = await RunAsync("predict", photo, "--model", _folder["model"], "--output", _folder["plain.png"]);
        var explained = await RunAsync("predict", photo, "--model", _folder["model"], "--output", _folder["explained.png"], "--explain");

        Assert.Equal((0, 0), (plain.Status, explained.Status));
        using var without = ImageCodec.Load(_folder["plain.png"]);
        using var with = ImageCodec.Load(_folder["explained.png"]);
        Assert.Equal((without.Width + 224 + 12, without.Height), (with.Width, with.Height));
    }

    [Fact]
    public async Task An_explanation_without_a_sheet_is_refused()
    {
        var (status, error) = await RunAsync("predict", "photo.jpg", "--model", "model", "--explain");

        Assert.Equal(2, status);
        Assert.Contains("--explain draws onto the sheet of --output, and there is none; add --output sheet.png.", error, StringComparison.Ordinal);
    }

    private static async Task<(int Status, string Error)> RunAsync(params string[] arguments)
    {
        using var run = new ConsoleRun();
        var status = await CommandLine.RunAsync(arguments, run.Console);
        return (status, run.ErrorText);
    }
}
