using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Vizsla.Native;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla doctor</c>: what this machine has, how fast it multiplies, what is wrong and how to fix it.</summary>
internal sealed class DoctorCommand : Verb
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private const int NameWidth = 20;

    private readonly Option<string> _format;
    private readonly Option<double> _seconds;
    private readonly Option<bool> _verbose;

    public DoctorCommand()
        : base("doctor", "Examines this machine: system, libtorch, speed, memory, disk; says what is wrong and how to fix it.", "vizsla doctor", "mpirun -np 4 vizsla doctor")
    {
        _format = AddOption("--format", "How the report is written: table or json.", "table");
        _format.AcceptOnlyFromAmong("table", "json");
        _seconds = AddOption("--seconds", "How long each of the two matrix rates is measured, in seconds.", 1.0);
        _verbose = AddOption<bool>("--verbose", "Also compute convolutions of many shapes, as libtorch has them and as they are computed here, and list each.");
    }

    protected override bool IsShared => true;

    protected override Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var report = DoctorReport.Examine(Math.Clamp(arguments.GetValue(_seconds), 0.01, 60), console.Processes);
        if (arguments.GetValue(_format) == "json")
        {
            console.WriteLine(report.ToJson().ToJsonString(Indented));
        }
        else
        {
            Write(report, console);
            if (arguments.GetValue(_verbose) && report.Torch is not null && console.Processes.Rank == 0)
            {
                WriteConvolutions(console);
            }
        }

        return Task.FromResult(report.TorchFailure is null && report.Processes.Failure is null ? 0 : 1);
    }

    /// <summary>How this program is started as the process that computes convolutions for a test.</summary>
    internal static IReadOnlyList<string> SelfTest() => [.. CommandLine.Itself(), ConvolutionSelfTest.Argument];

    private static void WriteConvolutions(CommandConsole console)
    {
        var cases = ConvolutionCase.Table(TorchThreads.Count, CpuFeatures.HasFastBfloat16);
        var patience = TimeSpan.FromMinutes(1);
        var libtorch = ConvolutionSelfTest.Run(SelfTest(), cases, Convolutions.OneDnn, patience);
        var here = ConvolutionSelfTest.Run(SelfTest(), cases, Convolutions.Way == ConvolutionWay.Products ? Convolutions.Products : null, patience);
        console.WriteLine("");
        console.WriteLine("Largest difference of result and gradients from float64, as a share of the largest number: by libtorch as it is | as computed here");
        for (var i = 0; i < cases.Count; i++)
        {
            console.WriteLine($"{Describe(libtorch[i]),-14}| {Describe(here[i]),-14}{cases[i]}");
        }

        console.WriteLine($"Right: {libtorch.Count(f => f.IsRight)} | {here.Count(f => f.IsRight)} of {cases.Count}.");
    }

    private static string Describe(ConvolutionFinding finding) =>
        finding.Error is { } error ? string.Create(CultureInfo.InvariantCulture, $"{error:E1}{(finding.IsRight ? "" : " WRONG")}") : finding.Failure!;

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
