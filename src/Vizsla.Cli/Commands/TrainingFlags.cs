using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Vizsla.Training.Arguments;

namespace Vizsla.Cli.Commands;

/// <summary>The training arguments as options of a verb: every name that the Hugging Face Trainer has had, typed as text and read by <see cref="ArgumentReader"/>.</summary>
internal sealed class TrainingFlags
{
    private static readonly Lazy<IReadOnlyDictionary<string, string>> Summaries = new(ReadSummaries);

    // A token on the command line could be read by everybody on the machine.
    private static readonly string[] s_secrets = ["hub_token", "push_to_hub_token"];

    private readonly List<(string Name, Option<string?> Option)> _options = [];

    /// <param name="command">The verb that gets the options.</param>
    /// <param name="taken">Arguments that the verb offers as options of its own.</param>
    public TrainingFlags(Command command, params string[] taken)
    {
        foreach (var field in ArgumentTable.Fields.Where(f => !taken.Contains(f.Name)))
        {
            Add(command, field.Name, hidden: s_secrets.Contains(field.Name), Describe(field));
        }

        var hidden = ArgumentTable.OlderSpellings.Keys.Concat(ArgumentTable.Refused.Keys)
            .Except(ArgumentTable.Fields.Select(f => f.Name)).Except(taken).Except(["output"]);
        foreach (var name in hidden)
        {
            Add(command, name, hidden: true, "");
        }
    }

    /// <summary>Reads a configuration and the flags that were given, which overrule it.</summary>
    /// <param name="arguments">The parsed command line.</param>
    /// <param name="basis">What holds where neither says anything.</param>
    /// <param name="configuration">The object of a <c>--config</c> file; null for none.</param>
    /// <returns>The checked arguments.</returns>
    /// <exception cref="UsageException">A flag holds a token.</exception>
    /// <exception cref="ArgumentsException">Something is unknown, malformed or contradicts the rest; names every problem.</exception>
    public TrainingArguments Read(ParseResult arguments, TrainingArguments basis, JsonObject? configuration)
    {
        var reader = new ArgumentReader(basis);
        if (configuration is not null)
        {
            reader.Take(configuration);
        }

        foreach (var (name, _) in _options)
        {
            // A flag without a value switches on.
            if (ValueOf(arguments, name) is { } text)
            {
                if (s_secrets.Contains(name))
                {
                    throw new UsageException($"--{name} would show the token to everybody on this machine. Log in with 'vizsla login', set HF_TOKEN, or write hub_token into a --config file.");
                }

                reader.TakeText(name, text);
            }
        }

        return reader.Finish();
    }

    /// <summary>True when the command line names the argument.</summary>
    public bool IsGiven(ParseResult arguments, string name) =>
        _options.Any(o => o.Name == name && arguments.GetResult(o.Option) is { Implicit: false });

    /// <summary>The text that the command line gives for an argument, <c>true</c> for a bare flag; null where it is not named.</summary>
    public string? ValueOf(ParseResult arguments, string name) =>
        IsGiven(arguments, name) ? arguments.GetValue(_options.First(o => o.Name == name).Option) ?? "true" : null;

    private void Add(Command command, string name, bool hidden, string description)
    {
        var option = new Option<string?>("--" + name)
        {
            Description = description,
            Hidden = hidden,
            Arity = ArgumentArity.ZeroOrOne,
            HelpName = "value",
        };
        if (name == "overwrite_output_dir")
        {
            option.Aliases.Add("--overwrite");
        }

        command.Options.Add(option);
        _options.Add((name, option));
    }

    private static string Describe(ArgumentField field)
    {
        var text = Summaries.Value.GetValueOrDefault(field.PropertyName, "");
        if (!text.Contains("Default", StringComparison.OrdinalIgnoreCase) && field.Default is { } value)
        {
            text += string.Create(CultureInfo.InvariantCulture, $" Default {value}.");
        }

        return field.Choices.Count > 0 ? $"{text} One of {string.Join(", ", field.Choices)}.".Trim() : text.Trim();
    }

    // The library's own documentation is the help, so that the two cannot drift; it lies beside the assembly.
    private static Dictionary<string, string> ReadSummaries()
    {
        var file = Path.Combine(AppContext.BaseDirectory, typeof(TrainingArguments).Assembly.GetName().Name + ".xml");
        if (!File.Exists(file))
        {
            return [];
        }

        const string Prefix = "P:Vizsla.TrainingArguments.";
        return XDocument.Load(file).Descendants("member")
            .Where(m => ((string?)m.Attribute("name"))?.StartsWith(Prefix, StringComparison.Ordinal) == true)
            .ToDictionary(m => ((string)m.Attribute("name")!)[Prefix.Length..], m => Plain(m.Element("summary")));
    }

    private static string Plain(XElement? summary) => summary is null
        ? ""
        : string.Join(' ', string.Concat(summary.Nodes().Select(Text)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static string Text(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" } see => SeeText(see),
        XElement element => element.Value,
        _ => "",
    };

    private static string SeeText(XElement see)
    {
        var name = ((string?)see.Attribute("cref"))?.Split('.')[^1] ?? see.Value;
        return ArgumentTable.Fields.FirstOrDefault(f => f.PropertyName == name)?.Name ?? name;
    }
}
