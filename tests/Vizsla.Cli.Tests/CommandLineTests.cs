using System.CommandLine;

namespace Vizsla.Cli.Tests;

public sealed class CommandLineTests
{
    [Fact]
    public void Dashes_and_underscores_in_an_option_are_the_same()
    {
        var root = new RootCommand { new Option<int>("--test_size"), new Option<bool>("--no-cache") };

        var words = CommandLine.Normalize(root, ["--test-size=3", "--no_cache", "--other-one", "a_b-c", "--", "--test-size"]);

        Assert.Equal(["--test_size=3", "--no-cache", "--other-one", "a_b-c", "--", "--test-size"], words);
    }

    [Fact]
    public async Task An_unknown_verb_is_wrong_use()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["tran"], run.Console);

        Assert.Equal(2, code);
        Assert.Contains("'tran'", run.ErrorText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_is_no_error()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["--help"], run.Console);

        Assert.Equal(0, code);
        Assert.Contains("Usage:", run.OutText, StringComparison.Ordinal);
    }
}
