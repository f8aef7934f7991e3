using System.CommandLine;
using Vizsla.Studio;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla report</c>: the page of a run as one file.</summary>
internal sealed class ReportCommand : Verb
{
    private readonly Argument<string> _run;
    private readonly Option<string> _output;
    private readonly Option<string?> _dataset;

    public ReportCommand()
        : base("report", "Write the page of a run as one HTML file that opens without a server.",
            "vizsla report runs/pets --output report.html",
            "vizsla report runs/pets --dataset photos")
    {
        _run = AddArgument<string>("RUN", "The run folder.", ArgumentArity.ExactlyOne);
        _output = AddOption("--output", "The file to write.", "report.html");
        _dataset = AddOption<string>("--dataset", "Dataset folder of the run, if the run does not name it.");
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var output = arguments.GetValue(_output)!;
        var html = RunReport.Write(arguments.GetValue(_run)!, arguments.GetValue(_dataset), (_, _) => cancellationToken.ThrowIfCancellationRequested());
        await File.WriteAllTextAsync(output, html, cancellationToken);
        console.WriteLine(output);
        return 0;
    }
}
