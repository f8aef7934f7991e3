using Vizsla.Cli;
using Vizsla.Native;

MemoryReuse.Restart();
return await CommandLine.RunAsync(args, CommandConsole.ForProcess());
