using System.CommandLine;
using Vizsla.Runs;
using Vizsla.Training.Checkpoints;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla stop</c>: has a training that runs elsewhere stop with a checkpoint.</summary>
internal sealed class StopCommand : Verb
{
    private readonly Argument<string> _folder;

    public StopCommand()
        : base("stop", "Ask the training in a run folder to stop after the step that runs, with a checkpoint; from any machine that sees the folder.", "vizsla stop breed-classification") =>
        _folder = AddArgument<string>("run", "Run folder of the training.", ArgumentArity.ExactlyOne);

    protected override Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var folder = arguments.GetValue(_folder)!;
        if (!File.Exists(Path.Combine(folder, RunLock.FileName)))
        {
            throw new UsageException($"'{folder}' is not the folder of a run: give the --output of the training.");
        }

        if (!RunLock.IsTaken(folder))
        {
            throw new UsageException($"No training runs in '{folder}'.");
        }

        StopRequest.Write(folder);
        console.WriteLine($"The training in '{folder}' stops after the step that runs, with a checkpoint.");
        return Task.FromResult(0);
    }
}
