using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vizsla.Native;

/// <summary>What became of one convolution of the self-test.</summary>
/// <param name="Case">The convolution.</param>
/// <param name="Error">Largest difference from float64 as a share of the largest number; null where there is no answer.</param>
/// <param name="Failure">Why there is no answer; null where there is one.</param>
internal sealed record ConvolutionFinding(ConvolutionCase Case, double? Error, string? Failure)
{
    /// <summary>Whether there was no answer in time, which a busy machine is reason enough for.</summary>
    public bool HasHung { get; init; }

    /// <summary>Whether it was computed, and right.</summary>
    public bool IsRight => Error <= Case.Tolerance;
}

/// <summary>Computes convolutions in a process of its own, which may die of them, write where it should not, or never end.</summary>
internal static class ConvolutionSelfTest
{
    /// <summary>The only argument of the program when it is that process.</summary>
    public const string Argument = "--convolution-self-test";

    // A fault that ends the process at each shape would otherwise start it again and again.
    private const int MostStarts = 4;

    /// <summary>How that process is started: a program and its arguments; null in an application that only references this library, which has no program of its own to start.</summary>
    public static IReadOnlyList<string>? Command { get; set; }

    /// <summary>The other process: reads convolutions, a line each, and answers each with its error before it goes on to the next.</summary>
    public static void Answer(TextReader input, TextWriter output)
    {
        while (input.ReadLine() is { Length: > 0 } line)
        {
            output.WriteLine(JsonSerializer.Serialize(JsonSerializer.Deserialize(line, ConvolutionJson.Default.ConvolutionCase)!.Measure(), ConvolutionJson.Default.Double));
            output.Flush();
        }
    }

    /// <summary>Has convolutions computed.</summary>
    /// <param name="command">A program and its arguments.</param>
    /// <param name="cases">The convolutions.</param>
    /// <param name="way">What <see cref="Convolutions.Variable"/> is in that process; null leaves the choice to it.</param>
    /// <param name="patience">How long one answer may take.</param>
    /// <returns>What became of each, in order. After some deaths the rest is not tried.</returns>
    public static IReadOnlyList<ConvolutionFinding> Run(IReadOnlyList<string> command, IReadOnlyList<ConvolutionCase> cases, string? way, TimeSpan patience)
    {
        var findings = new List<ConvolutionFinding>(cases.Count);
        for (var starts = 0; findings.Count < cases.Count && starts < MostStarts; starts++)
        {
            RunOnce(command, cases, findings, way, patience);
        }

        findings.AddRange(cases.Skip(findings.Count).Select(c => new ConvolutionFinding(c, null, "was not tried after the others failed")));
        return findings;
    }

    private static void RunOnce(IReadOnlyList<string> command, IReadOnlyList<ConvolutionCase> cases, List<ConvolutionFinding> findings, string? way, TimeSpan patience)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[Convolutions.Variable] = way ?? "";
        using var process = Process.Start(start)!;
        // Its own complaints say nothing that the exit code does not.
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        try
        {
            var asked = new StringBuilder();
            foreach (var one in cases.Skip(findings.Count))
            {
                asked.Append(JsonSerializer.Serialize(one, ConvolutionJson.Default.ConvolutionCase)).Append('\n');
            }

            // Written aside: a process that does not read would stop the writer.
            _ = process.StandardInput.WriteAsync(asked.Append('\n').ToString()).ContinueWith(
                written => _ = written.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            while (findings.Count < cases.Count)
            {
                var reading = process.StandardOutput.ReadLineAsync();
                if (!reading.Wait(patience))
                {
                    findings.Add(new(cases[findings.Count], null, $"gave no answer in {patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s") { HasHung = true });
                    return;
                }

                if (reading.Result is not { } line)
                {
                    process.WaitForExit();
                    findings.Add(new(cases[findings.Count], null, $"ended the process with code {process.ExitCode}"));
                    return;
                }

                findings.Add(new(cases[findings.Count], JsonSerializer.Deserialize(line, ConvolutionJson.Default.Double), null));
            }
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
    }
}

/// <summary>What the processes say to one another, and what is kept of it; described ahead of time, since programs of one file have no reflection for JSON.</summary>
[JsonSourceGenerationOptions(NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(ConvolutionCase))]
[JsonSerializable(typeof(double))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class ConvolutionJson : JsonSerializerContext;
