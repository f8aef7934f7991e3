using Vizsla.Cli;
using Vizsla.Cli.Commands;
using Vizsla.Distributed;
using Vizsla.Native;
using Vizsla.Studio.Trainings;

if (FileLimit.Problem() is { } problem)
{
    Console.Error.WriteLine(problem);
    return 1;
}

if (args is [ConvolutionSelfTest.Argument])
{
    ConvolutionSelfTest.Answer(Console.In, Console.Out);
    return 0;
}

var launch = Launch.Find();
launch?.ShareCores();
if (launch is not null)
{
    // Open MPI gives every process a terminal of its own; .NET would greet it with control characters before the first line.
    Environment.SetEnvironmentVariable("TERM", "dumb");
}

// What loads no network starts once.
if (args is not ([] or ["--help" or "-h" or "-?" or "--version" or "dataset" or "prepare" or "models" or "augment" or "report" or "hub" or "cache" or "push" or "pull" or "login" or "whoami", ..]))
{
    MemoryReuse.Restart();
}

using var training = TrainingProcess.FromEnvironment();
ConvolutionSelfTest.Command = DoctorCommand.SelfTest();
var console = CommandConsole.ForProcess(isPlain: launch is not null);
try
{
    using var processes = ProcessGroup.FromEnvironment(console.Note);
    var status = await CommandLine.RunAsync(args, console.Of(processes));
    training?.End(status);
    return status;
}
catch (NotSupportedException e) when (launch is { Rank: var rank })
{
    // Without a library of MPI the processes cannot speak with one voice; rank 0 does.
    if (rank == 0)
    {
        console.Note(e.Message);
    }

    return 1;
}
