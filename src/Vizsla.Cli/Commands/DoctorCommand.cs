using System.CommandLine;
using System.Text.Json;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla doctor</c>: what this machine has, how fast it multiplies, what is wrong and how to fix it.</summary>
internal sealed class DoctorCommand : Verb
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private const int NameWidth = 20;

    private readonly Option<string> _format;
    private readonly Option<double> _seconds;

    public DoctorCommand()
        : base("doctor", "Examines this machine: system, libtorch, speed, memory, disk; says what is wrong and how to fix it.", "vizsla doctor")
    {
        _format = AddOption("--format", "How the report is written: table or json.", "table");
        _format.AcceptOnlyFromAmong("table", "json");
        _seconds = AddOption("--seconds", "How long each of the two matrix rates is measured, in seconds.", 1.0);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var report = DoctorReport.Examine(Math.Clamp(arguments.GetValue(_seconds), 0.01, 60));
        if (arguments.GetValue(_format) == "json")
        {
            console.WriteLine(report.ToJson().ToJsonString(Indented));
        }
        else
        {
            Write(report, console);
        }

        return Task.FromResult(report.TorchFailure is null ? 0 : 1);
    }

    private static void Write(DoctorReport report, CommandConsole console)
    {
        foreach (var (name, value) in report.Rows())
        {
            console.WriteLine($"{name,-NameWidth}{value}");
        }

        console.WriteLine("");
        var findings = DoctorFindings.Of(report).ToArray();
        foreach (var finding in findings)
        {
            console.WriteLine("- " + finding);
        }

        if (findings.Length == 0)
        {
            console.WriteLine("Nothing is wrong.");
        }
    }
}
