using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Adapters;
using Vizsla.Models;

namespace Vizsla.Cli.Commands;

/// <summary>The options by which <c>train</c> is told to train an adapter: those of PEFT's configurations, under their names.</summary>
internal sealed class PeftFlags
{
    private const string Kind = "peft";
    private const string Names = "adapter_names";
    private static readonly (string Word, AdapterSpelling Spelling)[] s_spellings = [("transformers-4", AdapterSpelling.Transformers4), ("transformers-5", AdapterSpelling.Transformers5)];
    private static readonly SearchValues<char> s_signs = SearchValues.Create("*+?()[]{}|^$\\");
    private static readonly string[] s_kinds = ["lora", "dora", "ia3"];

    private static readonly (string Name, string Description)[] s_options =
    [
        (Kind, "Train an adapter, which PEFT reads, instead of the weights: lora, dora or ia3; its options: --help all."),
        ("lora_r", "Rank of a low-rank adapter. Default 8."),
        ("lora_alpha", "Its change is scaled by this over the rank. Default 8."),
        ("lora_dropout", "Share of a layer's inputs that the adapter does not see in training. Default 0."),
        ("target_modules", "Layers that get an adapter: ends of names such as query,value, all-linear, or a regular expression of whole names. Default all-linear."),
        ("feedforward_modules", "With ia3: the targets whose inputs are scaled, separated by commas."),
        ("modules_to_save", "Modules that train in full and are saved, separated by commas; a new head is always among them."),
        ("use_rslora", "Scale by alpha over the root of the rank."),
        ("rank_pattern", "Other ranks for some targets: query=4,dense=16."),
        ("alpha_pattern", "Other alphas for some targets, as --rank_pattern."),
        ("layers_to_transform", "Blocks, counted from 0, in which targets get an adapter: 0,1,2. Default: all."),
        ("bias", "Biases that train: none (default), all, or lora_only for those of the targets."),
        ("init_lora_weights", "How a low-rank adapter starts: true (default), gaussian or false."),
        (Names, "How the adapter's files name layers: transformers-4 (default), as the model's own file does, or transformers-5."),
    ];

    /// <summary>The keys of these options in a configuration file.</summary>
    public static readonly string[] Keys = [.. s_options.Select(o => o.Name)];

    private readonly Dictionary<string, Option<string?>> _options = [];

    /// <param name="verb">The verb that gets the options.</param>
    public PeftFlags(Command verb)
    {
        foreach (var (name, description) in s_options)
        {
            var option = new Option<string?>("--" + name) { Description = description, Arity = ArgumentArity.ZeroOrOne, HelpName = "value" };
            verb.Options.Add(option);
            _options.Add(name, option);
        }
    }

    /// <summary>What was asked of an adapter; null where none is to train.</summary>
    /// <param name="arguments">The parsed command line.</param>
    /// <param name="own">A configuration file's own keys.</param>
    /// <exception cref="UsageException">A value is malformed, or an option has no effect.</exception>
    /// <exception cref="ModelLoadException">A value is outside its range.</exception>
    public AdapterChoice? Read(ParseResult arguments, JsonObject own)
    {
        var given = new JsonObject();
        foreach (var (name, option) in _options)
        {
            if (arguments.GetResult(option) is { Implicit: false })
            {
                given[name] = arguments.GetValue(option) ?? "true";
            }
            else if (own[name] is { } value)
            {
                given[name] = value.DeepClone();
            }
        }

        if (given.Count == 0)
        {
            return null;
        }

        var kind = Text(given, Kind) ?? throw new UsageException($"--{given.First().Key} has no effect without --peft: add --peft lora, dora or ia3, or leave the option out.");
        if (!s_kinds.Contains(kind))
        {
            throw new UsageException($"--peft '{kind}' is not known. Known: {string.Join(", ", s_kinds)}.");
        }

        string[] foreign = kind == "ia3"
            ? [.. Keys.Where(k => k is "use_rslora" or "rank_pattern" or "alpha_pattern" or "layers_to_transform" or "bias" || k.Contains("lora_", StringComparison.Ordinal))]
            : ["feedforward_modules"];
        if (foreign.FirstOrDefault(given.ContainsKey) is { } vain)
        {
            throw new UsageException($"--{vain} has no effect with --peft {kind}: leave it out.");
        }

        AdapterConfig config = kind == "ia3" ? Ia3(given) : Lora(given, kind == "dora");
        config.Check();
        return new AdapterChoice(config, Choice.Parse("--" + Names, Text(given, Names) ?? "transformers-4", s_spellings), given);
    }

    private static IA3Config Ia3(JsonObject given) => Targeted(given) switch
    {
        (var names, null) => new IA3Config { TargetModules = names, ModulesToSave = List(given, "modules_to_save"), FeedforwardModules = List(given, "feedforward_modules") ?? [] },
        (_, var pattern) => new IA3Config { TargetPattern = pattern, ModulesToSave = List(given, "modules_to_save"), FeedforwardModules = List(given, "feedforward_modules") ?? [] },
    };

    private static LoraConfig Lora(JsonObject given, bool isDora)
    {
        var config = new LoraConfig
        {
            R = (int)Number(given, "lora_r", 8),
            LoraAlpha = Number(given, "lora_alpha", 8),
            LoraDropout = Number(given, "lora_dropout", 0),
            UseDora = isDora,
            UseRslora = Text(given, "use_rslora") is { } word && Choice.Parse("--use_rslora", word.ToLowerInvariant(), ("true", true), ("false", false)),
            Bias = Text(given, "bias") ?? "none",
            RankPattern = Map(given, "rank_pattern"),
            AlphaPattern = Map(given, "alpha_pattern"),
            ModulesToSave = List(given, "modules_to_save"),
            LayersToTransform = List(given, "layers_to_transform")?.Select(text => (int)Parse("layers_to_transform", text)).ToList(),
        };
        var (names, pattern) = Targeted(given);
        var start = Text(given, "init_lora_weights") ?? "true";
        JsonNode first = bool.TryParse(start, out var isOn) ? isOn : start;
        return (LoraConfig)config.With(("target_modules", names is null ? pattern : new JsonArray([.. names.Select(n => (JsonNode)n)])), ("init_lora_weights", first));
    }

    // Names without any sign of a regular expression are ends of names.
    private static (IReadOnlyList<string>? Names, string? Pattern) Targeted(JsonObject given)
    {
        if (given["target_modules"] is JsonArray)
        {
            return (List(given, "target_modules"), null);
        }

        var text = Text(given, "target_modules") ?? AdapterConfig.AllLinear;
        var isPattern = text.Equals(AdapterConfig.AllLinear, StringComparison.OrdinalIgnoreCase) || text.AsSpan().ContainsAny(s_signs);
        return isPattern ? (null, text) : (List(given, "target_modules"), null);
    }

    private static string? Text(JsonObject given, string name) => given[name] is { } value ? value.ToString() : null;

    private static string[]? List(JsonObject given, string name) => given[name] switch
    {
        null => null,
        JsonArray list => [.. list.Select(n => n!.ToString())],
        var text => text.ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
    };

    private static Dictionary<string, double> Map(JsonObject given, string name)
    {
        if (given[name] is JsonObject map)
        {
            return map.ToDictionary(e => e.Key, e => Parse(name, e.Value!.ToString()));
        }

        var result = new Dictionary<string, double>();
        foreach (var pair in List(given, name) ?? [])
        {
            var equals = pair.LastIndexOf('=');
            if (equals <= 0)
            {
                throw new UsageException($"--{name} takes pairs of a name and a number such as query=4, got '{pair}'.");
            }

            result[pair[..equals]] = Parse(name, pair[(equals + 1)..]);
        }

        return result;
    }

    private static double Number(JsonObject given, string name, double missing) => Text(given, name) is { } text ? Parse(name, text) : missing;

    private static double Parse(string name, string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new UsageException($"--{name} takes a number, got '{text}'.");
}

/// <summary>The adapter that <c>train</c> is to train.</summary>
/// <param name="Config">Its configuration.</param>
/// <param name="Spelling">How its files name layers.</param>
/// <param name="Given">What was asked, for a run that is resumed.</param>
internal sealed record AdapterChoice(AdapterConfig Config, AdapterSpelling Spelling, JsonObject Given);
