using System.CommandLine;

namespace Vizsla.Cli;

/// <summary>One verb of the command line: its options, its example, what it does.</summary>
/// <remarks>Option names are written with underscores, as Hugging Face spells them; dashes are accepted for each.</remarks>
internal abstract class Verb : Command
{
    /// <param name="name">The verb.</param>
    /// <param name="description">One sentence for the help.</param>
    /// <param name="examples">Whole command lines shown at the end of the verb's help.</param>
    protected Verb(string name, string description, params string[] examples)
        : base(name, description)
    {
        Examples = examples;
        SetAction((result, token) => RunAsync(result, RequireAlone(CommandLine.ConsoleOf(result)), token));
    }

    /// <summary>Whether several processes may run this verb together.</summary>
    protected virtual bool IsShared => false;

    /// <summary>Command lines that work, for the help.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>What the help shows first, by what people do; empty shows all options in one list.</summary>
    public virtual IReadOnlyList<OptionGroup> Groups => [];

    /// <summary>Does the work.</summary>
    /// <param name="arguments">The parsed command line.</param>
    /// <param name="console">Where to write.</param>
    /// <param name="cancellationToken">Signalled by Ctrl-C and SIGTERM.</param>
    /// <returns>0 done, 1 failed, 2 wrong use.</returns>
    protected abstract Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken);

    /// <summary>Adds an option with a default that the help shows.</summary>
    /// <param name="name">With its leading dashes, words joined by underscores.</param>
    /// <param name="description">One sentence; ranges and units included.</param>
    /// <param name="value">The default.</param>
    /// <param name="aliases">Other spellings.</param>
    protected Option<T> AddOption<T>(string name, string description, T value, params string[] aliases)
    {
        var option = new Option<T>(name, Spellings(name, aliases)) { Description = description, DefaultValueFactory = _ => value };
        Options.Add(option);
        return option;
    }

    /// <summary>Adds an option without a default: absent means null or false.</summary>
    /// <param name="name">With its leading dashes, words joined by underscores.</param>
    /// <param name="description">One sentence.</param>
    /// <param name="aliases">Other spellings.</param>
    protected Option<T?> AddOption<T>(string name, string description, params string[] aliases)
    {
        var option = new Option<T?>(name, Spellings(name, aliases)) { Description = description };
        Options.Add(option);
        return option;
    }

    /// <summary>Adds an option that must be given.</summary>
    /// <param name="name">With its leading dashes, words joined by underscores.</param>
    /// <param name="description">One sentence.</param>
    /// <param name="aliases">Other spellings.</param>
    protected Option<T> AddRequired<T>(string name, string description, params string[] aliases)
    {
        var option = new Option<T>(name, Spellings(name, aliases)) { Description = description, Required = true };
        Options.Add(option);
        return option;
    }

    /// <summary>Adds a positional argument.</summary>
    /// <param name="name">Shown in the usage line.</param>
    /// <param name="description">One sentence.</param>
    /// <param name="arity">How many.</param>
    protected Argument<T> AddArgument<T>(string name, string description, ArgumentArity arity)
    {
        var argument = new Argument<T>(name) { Description = description, Arity = arity };
        Arguments.Add(argument);
        return argument;
    }

    private CommandConsole RequireAlone(CommandConsole console) => IsShared || console.Processes.Size == 1
        ? console
        : throw new UsageException($"vizsla {Name} runs in one process: start it without mpirun.");

    // The same in every verb, so that what one has taught works in the next.
    private static string[] Spellings(string name, string[] more) => [.. (name switch
    {
        "--output" => ["-o", "--output_dir"],
        "--overwrite" => ["--overwrite_output_dir"],
        _ => Array.Empty<string>(),
    }).Union(more)];
}
