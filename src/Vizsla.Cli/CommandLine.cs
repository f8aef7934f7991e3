using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Globalization;
using System.Runtime.CompilerServices;
using Vizsla.Heif;
using Vizsla.Primitives;

namespace Vizsla.Cli;

/// <summary>From the words of the command line to an exit code: 0 done, 1 failed, 2 wrong use.</summary>
internal static class CommandLine
{
    private const int Failed = 1;
    private const int WrongUse = 2;
    /// <summary>Ended by Ctrl-C, SIGTERM or SIGHUP, as shells count it.</summary>
    internal const int Interrupted = 130;

    private static readonly ConditionalWeakTable<InvocationConfiguration, CommandConsole> Consoles = [];

    /// <summary>Parses and runs.</summary>
    /// <param name="arguments">The words after the program's name.</param>
    /// <param name="console">Where to write.</param>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, CommandConsole console)
    {
        HeifDecoder.Register();
        var root = CreateRoot();
        var parsed = Parse(root, arguments);
        if (parsed.Action is not VerbHelp && (parsed.Action is ParseErrorAction || parsed.Errors.Count > 0 || StrayOptions(parsed).Any()))
        {
            return ReportUsage(parsed, console);
        }

        var invocation = new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
            Output = console.Out.Profile.Out.Writer,
            Error = console.Error.Profile.Out.Writer,
        };
        Consoles.Add(invocation, console);
        using var signals = new StopSignals();
        try
        {
            return await parsed.InvokeAsync(invocation, signals.Token);
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            return Fail(console, Interrupted, "Interrupted.");
        }
        catch (UsageException e)
        {
            return Fail(console, WrongUse, e.Message);
        }
        catch (Exception e)
        {
            return ReportFailure(e, console);
        }
    }

    // The parser reads numbers by the culture of the thread: a program that runs under another one than ours reads them alike.
    private static ParseResult Parse(RootCommand root, IReadOnlyList<string> arguments)
    {
        var culture = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            return root.Parse(Normalize(root, arguments), new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    /// <summary>The console that <see cref="RunAsync"/> was given for this run.</summary>
    public static CommandConsole ConsoleOf(ParseResult result) =>
        Consoles.TryGetValue(result.InvocationConfiguration, out var console) ? console : CommandConsole.ForProcess();

    /// <summary>Words as one would type them in a shell.</summary>
    public static string Quote(IEnumerable<string> words) =>
        string.Join(' ', words.Select(w => w.Length > 0 && w.All(c => char.IsLetterOrDigit(c) || "-_./=:,".Contains(c, StringComparison.Ordinal)) ? w : $"'{w.Replace("'", "'\\''", StringComparison.Ordinal)}'"));

    /// <summary>The words that start this program again: itself, or dotnet and its assembly.</summary>
    public static IReadOnlyList<string> Itself()
    {
        var program = Environment.ProcessPath!;
        var name = typeof(CommandLine).Assembly.GetName().Name;
        return System.IO.Path.GetFileNameWithoutExtension(program) == name
            ? [program]
            : [System.IO.Path.GetFileNameWithoutExtension(program) == "dotnet" ? program : "dotnet", System.IO.Path.Combine(AppContext.BaseDirectory, name + ".dll")];
    }

    /// <summary>The whole tree of verbs.</summary>
    internal static RootCommand CreateRoot()
    {
        var root = new RootCommand("Vizsla fine-tunes image classifiers: from a folder of photos to a model that classifies new ones.");
        foreach (var verb in CommandList.Create())
        {
            root.Subcommands.Add(verb);
        }

        foreach (var help in root.Options.OfType<HelpOption>())
        {
            help.Action = new VerbHelp();
        }

        return root;
    }

    /// <summary>Writes each option's dashes as its registered name has them, so that <c>--test-size</c> and <c>--test_size</c> are one.</summary>
    internal static string[] Normalize(RootCommand root, IReadOnlyList<string> arguments)
    {
        var known = AllCommands(root).SelectMany(c => c.Options).SelectMany(o => o.Aliases.Prepend(o.Name))
            .Distinct().ToLookup(Fold);
        var words = new string[arguments.Count];
        var literal = false;
        for (var i = 0; i < words.Length; i++)
        {
            var word = arguments[i];
            literal |= word == "--";
            if (!literal && word.StartsWith("--", StringComparison.Ordinal))
            {
                var equals = word.IndexOf('=', StringComparison.Ordinal);
                var name = equals < 0 ? word : word[..equals];
                word = (known[Fold(name)].FirstOrDefault() ?? name) + (equals < 0 ? "" : word[equals..]);
            }

            words[i] = word;
        }

        return words;
    }

    private static string Fold(string option) => "--" + option.TrimStart('-').Replace('-', '_');

    private static IEnumerable<Command> AllCommands(Command command) => command.Subcommands.SelectMany(AllCommands).Prepend(command);

    // One line for each mistake: what follows from it is not repeated.
    private static int ReportUsage(ParseResult parsed, CommandConsole console)
    {
        var command = parsed.CommandResult.Command;
        var lines = UnknownWords(parsed, command).ToList();
        if (lines.Count == 0)
        {
            lines.AddRange(parsed.Errors.Select(e => e.Message).Distinct());
        }

        var path = string.Join(' ', Path(parsed.CommandResult).Reverse());
        lines[^1] += $" Run 'vizsla {path}{(path.Length > 0 ? " " : "")}--help' for {(command.Subcommands.Count > 0 ? "the verbs" : "the options")}.";
        return Fail(console, WrongUse, [.. lines]);
    }

    private static IEnumerable<string> UnknownWords(ParseResult parsed, Command command)
    {
        var options = command.Options.Where(o => !o.Hidden).Select(o => o.Name).ToList();
        var isValue = false;
        foreach (var word in StrayOptions(parsed).Concat(parsed.UnmatchedTokens))
        {
            if (command.Subcommands.Count > 0 && !word.StartsWith('-'))
            {
                yield return $"Unknown verb '{word}'.{Guesses.Verb(word, [.. command.Subcommands.Select(c => c.Name)])}";
                yield break;
            }

            if (word.StartsWith('-'))
            {
                yield return $"Unknown option '{word.Split('=')[0]}'.{Guesses.Option(word, options)}";
                isValue = !word.Contains('=', StringComparison.Ordinal);
            }
            else if (!isValue)
            {
                yield return $"Unknown argument '{word}'.";
            }
            else
            {
                isValue = false;
            }
        }
    }

    // A verb that takes files takes an unknown option for one.
    private static IEnumerable<string> StrayOptions(ParseResult parsed) => parsed.Tokens.Any(t => t.Value == "--")
        ? []
        : parsed.CommandResult.Children.OfType<System.CommandLine.Parsing.ArgumentResult>().SelectMany(a => a.Tokens).Select(t => t.Value).Where(v => v.StartsWith("--", StringComparison.Ordinal));

    private static IEnumerable<string> Path(System.CommandLine.Parsing.CommandResult? result)
    {
        for (; result is not null && result.Command is not RootCommand; result = result.Parent as System.CommandLine.Parsing.CommandResult)
        {
            yield return result.Command.Name;
        }
    }

    private static int ReportFailure(Exception e, CommandConsole console)
    {
        List<string> lines = [ErrorSentence.Of(e)];
        if (IsFault(e))
        {
            lines.Add($"This is a bug in Vizsla ({e.GetType().Name}). Set VIZSLA_TRACE=1 to see where it happened.");
        }

        if (Environment.GetEnvironmentVariable("VIZSLA_TRACE") is { Length: > 0 })
        {
            lines.Add(e.ToString());
        }

        return Fail(console, Failed, [.. lines]);
    }

    // Where several processes run a verb, the others wait for one that fails: the whole job ends.
    private static int Fail(CommandConsole console, int code, params string[] lines)
    {
        if (console.Processes.Size > 1)
        {
            console.Processes.Abort(string.Join('\n', lines));
        }

        foreach (var line in lines)
        {
            console.Note(line);
        }

        return code;
    }

    // Our own exceptions and those of the file system and the network explain themselves; the rest are bugs.
    private static bool IsFault(Exception e) =>
        e is not (IOException or UnauthorizedAccessException or ArgumentException or HttpRequestException or OperationCanceledException)
        && e.GetType().Namespace?.StartsWith(nameof(Vizsla), StringComparison.Ordinal) != true;
}
