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

    [Fact]
    public async Task What_is_no_dataset_fails_with_its_message()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["dataset", "info", "--dataset", "no/such/folder"], run.Console);

        Assert.Equal(1, code);
        Assert.Equal("'no/such/folder' is neither a folder nor the name of a dataset on a Hub ('owner/name').\n", run.ErrorText);
    }
}
