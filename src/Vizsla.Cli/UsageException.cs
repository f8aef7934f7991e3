namespace Vizsla.Cli;

/// <summary>The command line asks for something invalid; the process ends with exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
