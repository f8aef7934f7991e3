using Vizsla.Runs;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

public sealed class StopCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ConsoleRun _console = new();

    [Fact]
    public async Task A_training_is_asked_by_a_file_in_its_folder()
    {
        using var training = RunLock.Take(_folder["run"]);

        var code = await CommandLine.RunAsync(["stop", _folder["run"]], _console.Console);

        Assert.Equal(0, code);
        Assert.True(File.Exists(_folder["run", "stop"]));
        Assert.Equal($"The training in '{_folder["run"]}' stops after the step that runs, with a checkpoint.\n", _console.OutText);
    }

    [Fact]
    public async Task A_folder_in_which_nothing_trains_is_refused()
    {
        RunLock.Take(_folder["run"]).Dispose();

        var code = await CommandLine.RunAsync(["stop", _folder["run"]], _console.Console);

        Assert.Equal(2, code);
        Assert.Equal($"No training runs in '{_folder["run"]}'.\n", _console.ErrorText);
        Assert.False(File.Exists(_folder["run", "stop"]));
    }

    [Fact]
    public async Task A_folder_that_is_no_run_is_refused()
    {
        var code = await CommandLine.RunAsync(["stop", _folder.Path], _console.Console);

        Assert.Equal(2, code);
        Assert.Equal($"'{_folder.Path}' is not the folder of a run: give the --output of the training.\n", _console.ErrorText);
    }

    public void Dispose()
    {
        _console.Dispose();
        _folder.Dispose();
    }
}
