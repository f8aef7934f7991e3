using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Vizsla.Cli;

/// <summary>Options of a verb that belong together in its help.</summary>
/// <param name="Title">What people do with them.</param>
/// <param name="Options">Their names, with the dashes, in the order of the help.</param>
internal sealed record OptionGroup(string Title, params string[] Options);

/// <summary>The help of a verb: by groups where it has some, with the remaining options under <c>--help all</c>; then its examples.</summary>
internal sealed class VerbHelp : SynchronousCommandLineAction
{
    private const string All = "all";
    private const int MinWidth = 60;
    private readonly HelpAction _help = new();

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        var command = parseResult.CommandResult.Command;
        if (command is Verb { Groups.Count: > 0 } grouped && !parseResult.UnmatchedTokens.Contains(All))
        {
            var width = CommandLine.ConsoleOf(parseResult).Out.Profile.Width;
            WriteGroups(grouped, output, Math.Max(width, MinWidth));
        }
        else
        {
            _ = _help.Invoke(parseResult);
        }

        if (command is Verb { Examples.Count: > 0 } verb)
        {
            output.WriteLine(verb.Examples.Count == 1 ? "Example:" : "Examples:");
            foreach (var example in verb.Examples)
            {
                output.WriteLine("  " + example);
            }

            output.WriteLine();
        }

        return 0;
    }

    private static void WriteGroups(Verb verb, TextWriter output, int width)
    {
        var options = verb.Options.ToDictionary(o => o.Name);
        output.WriteLine("Description:");
        output.WriteLine("  " + verb.Description);
        output.WriteLine();
        output.WriteLine("Usage:");
        output.WriteLine($"  vizsla {verb.Name} [options]");
        var column = verb.Groups.SelectMany(g => g.Options).Max(name => name.Length) + 4;
        foreach (var group in verb.Groups)
        {
            output.WriteLine();
            output.WriteLine(group.Title + ":");
            foreach (var name in group.Options)
            {
                output.Write(("  " + name).PadRight(column));
                WriteWrapped(Short(options[name].Description ?? ""), output, column, width);
            }
        }

        output.WriteLine();
        output.WriteLine($"'vizsla {verb.Name} --help {All}' lists all {verb.Options.Count(o => !o.Hidden)} options.");
        output.WriteLine();
    }

    // The first sentence, and what holds where nothing is said.
    private static string Short(string description) =>
        string.Join(". ", description.Split(". ").Where((sentence, i) => i == 0 || sentence.StartsWith("Default", StringComparison.Ordinal)).Select(s => s.TrimEnd('.'))) + ".";

    private static void WriteWrapped(string text, TextWriter output, int column, int width)
    {
        var left = width - column;
        foreach (var word in text.Split(' '))
        {
            if (word.Length > left && left < width - column)
            {
                output.WriteLine();
                output.Write(new string(' ', column));
                left = width - column;
            }

            output.Write(word);
            output.Write(' ');
            left -= word.Length + 1;
        }

        output.WriteLine();
    }
}
