using System.Text;
using Spectre.Console;
using Vizsla.Distributed;

namespace Vizsla.Cli;

/// <summary>Where a verb writes: results to <see cref="Out"/>, progress, warnings and errors to <see cref="Error"/>.</summary>
/// <param name="Out">Standard output: tables, paths, JSON.</param>
/// <param name="Error">Standard error: progress, warnings, errors.</param>
/// <param name="Interactive">True when a terminal that can redraw is attached: progress bars are drawn; else plain lines.</param>
internal sealed record CommandConsole(IAnsiConsole Out, IAnsiConsole Error, bool Interactive)
{
    /// <summary>The processes that run this verb together; one alone where mpirun did not start them.</summary>
    public ProcessGroup Processes { get; init; } = ProcessGroup.Solo;

    /// <summary>The console of a process that does not speak for the others, and of them all where it does.</summary>
    /// <param name="processes">The processes that run the verb together.</param>
    public CommandConsole Of(ProcessGroup processes) => (processes.IsFirst
        ? this
        : new CommandConsole(Create(TextWriter.Null, plain: true), Create(TextWriter.Null, plain: true), Interactive: false)) with { Processes = processes };

    /// <summary>The consoles of this process; plain when redirected or when <c>CI</c> is set.</summary>
    /// <param name="isPlain">Whether they are plain in any case.</param>
    public static CommandConsole ForProcess(bool isPlain = false)
    {
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var ci = isPlain || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"));
        return new(
            Create(Console.Out, Console.IsOutputRedirected || ci),
            Create(Console.Error, Console.IsErrorRedirected || ci),
            !ci && !Console.IsErrorRedirected && !Console.IsOutputRedirected);
    }

    /// <summary>A console that writes plain text to writers.</summary>
    /// <param name="output">Takes results.</param>
    /// <param name="error">Takes progress, warnings and errors.</param>
    public static CommandConsole To(TextWriter output, TextWriter error) => new(Create(output, plain: true), Create(error, plain: true), Interactive: false);

    /// <summary>Writes one line of text, no markup, to standard output; never wrapped.</summary>
    public void WriteLine(string text) => Out.Profile.Out.Writer.WriteLine(text);

    /// <summary>Writes one line of text, no markup, to standard error; never wrapped.</summary>
    public void Note(string text) => Error.Profile.Out.Writer.WriteLine(text);

    /// <summary>Writes a table of plain text to standard output.</summary>
    /// <param name="columns">The headings.</param>
    /// <param name="rows">Cells of each row, as many as there are columns.</param>
    public void WriteTable(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table();
        foreach (var column in columns)
        {
            table.AddColumn(Markup.Escape(column));
        }

        foreach (var row in rows)
        {
            table.AddRow([.. row.Select(Markup.Escape)]);
        }

        Out.Write(table);
    }

    private static IAnsiConsole Create(TextWriter writer, bool plain)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = plain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = plain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = plain ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (plain)
        {
            // A table in a file or a log is not cut at the 80 columns that an absent terminal reports.
            console.Profile.Width = 200;
        }

        return console;
    }
}
