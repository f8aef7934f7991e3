using Spectre.Console;

namespace Vizsla.Cli.Tests;

/// <summary>A console that keeps what a verb writes.</summary>
internal sealed class ConsoleRun : IDisposable
{
    private readonly StringWriter _out = new();
    private readonly StringWriter _error;

    /// <summary>Starts with nothing written.</summary>
    /// <param name="log">Gets the lines of standard error as they come. A test of more than half a minute gives its own: the runner takes a process for crashed that ends after a minute without a message.</param>
    public ConsoleRun(ITestOutputHelper? log = null)
    {
        _error = log is null ? new StringWriter() : new LoggedWriter(log);
        Console = new(Plain(_out), Plain(_error), Interactive: false);
    }

    public CommandConsole Console { get; }

    public string OutText => _out.ToString();

    public string ErrorText => _error.ToString();

    public void Dispose()
    {
        _out.Dispose();
        _error.Dispose();
    }

    private static IAnsiConsole Plain(TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = 200;
        return console;
    }

    private sealed class LoggedWriter(ITestOutputHelper log) : StringWriter
    {
        public override void Write(string? value)
        {
            base.Write(value);
            if (!string.IsNullOrWhiteSpace(value))
            {
                log.WriteLine(value.TrimEnd());
            }
        }
    }
}
