namespace Vizsla.Cli;

/// <summary>Whether the process may open as many files as the program itself needs; fewer would end it in the middle of loading its libraries.</summary>
internal static class FileLimit
{
    /// <summary>Files that the runtime and the libraries of a training keep open, with room for pictures.</summary>
    internal const int Least = 128;

    /// <summary>Where Linux says what a process may do.</summary>
    private const string Limits = "/proc/self/limits";

    /// <summary>What is wrong, as a sentence; null where nothing is.</summary>
    public static string? Problem() => File.Exists(Limits) ? Problem(File.ReadLines(Limits)) : null;

    /// <summary>The same for the lines of a table of limits: name, soft limit, hard limit, unit.</summary>
    internal static string? Problem(IEnumerable<string> limits)
    {
        const string Name = "Max open files";
        var row = limits.FirstOrDefault(l => l.StartsWith(Name, StringComparison.Ordinal))?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // The runtime has raised the soft limit to the hard one.
        return row is [_, var hard, ..] && int.TryParse(hard, System.Globalization.CultureInfo.InvariantCulture, out var files) && files < Least
            ? $"A process may open only {files} files here, and vizsla needs at least {Least}: allow more, for example with 'ulimit -n 1024', and try again."
            : null;
    }
}
