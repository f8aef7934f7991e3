using Vizsla.Cli;

return await CommandLine.RunAsync(args, CommandConsole.ForProcess());
