using Vizsla.Cli;
using Vizsla.Cli.Commands;
using Vizsla.Native;

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

// What loads no network starts once.
if (args is not ([] or ["--help" or "-h" or "-?" or "--version" or "dataset" or "prepare" or "models" or "augment" or "report" or "hub" or "cache" or "push" or "pull" or "login" or "whoami", ..]))
{
    MemoryReuse.Restart();
}

ConvolutionSelfTest.Command = DoctorCommand.SelfTest();
return await CommandLine.RunAsync(args, CommandConsole.ForProcess());
