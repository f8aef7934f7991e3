using Vizsla.Cli;
using Vizsla.Native;

// What loads no network starts once.
if (args is not ([] or ["--help" or "-h" or "-?" or "--version" or "dataset" or "prepare" or "models" or "augment" or "report" or "hub" or "cache" or "push" or "pull" or "login" or "whoami", ..]))
{
    MemoryReuse.Restart();
}

return await CommandLine.RunAsync(args, CommandConsole.ForProcess());
