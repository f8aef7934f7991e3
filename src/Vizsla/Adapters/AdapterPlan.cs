using System.Globalization;
using System.Text.RegularExpressions;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Primitives;
using static TorchSharp.torch;

namespace Vizsla.Adapters;

/// <summary>A layer that gets an adapter.</summary>
/// <param name="Name">Its name in the model's own file.</param>
/// <param name="Layer">A linear layer or a convolution.</param>
/// <param name="Rank">Rank of a low-rank adapter; 0 for one that rescales.</param>
/// <param name="Scaling">Factor of a low-rank change.</param>
/// <param name="IsFeedForward">Whether its inputs are rescaled in the place of its outputs.</param>
internal sealed record AdapterTarget(string Name, TensorLayer Layer, int Rank, double Scaling, bool IsFeedForward)
{
    public Tensor Weight => ((IWeighted)Layer).Weight;
}

/// <summary>What a configuration means for a network: which layers get an adapter and what trains beside them.</summary>
/// <remarks>Needs names and shapes alone, no weights. Source: <c>BaseTuner.inject_adapter</c>, <c>check_target_module_exists</c>, <c>_set_trainable</c> of PEFT.</remarks>
internal sealed class AdapterPlan
{
    // PEFT looks for a shorter list from this length on.
    private const int MinimumToShorten = 20;
    private const int MostExamples = 8;

    private static readonly TimeSpan PatternTimeout = TimeSpan.FromSeconds(1);

    private readonly ClassificationNetwork _network;

    private AdapterPlan(ClassificationNetwork network, AdapterConfig config)
    {
        _network = network;
        Config = config;
        Modules = [.. network.named_modules().Select(m => m.name).Where(n => n.Length > 0)];
        Saved = [.. ModuleTree.State(network).Select(s => s.Name).Where(IsSaved)];
        var layers = ModuleTree.TensorLayers(network).ToList();
        Targets = [.. layers.Where(l => IsTarget(l.Name, l.Layer)).Select(Target)];
        Biases = BiasNames(config);
    }

    /// <summary>The configuration.</summary>
    public AdapterConfig Config { get; }

    /// <summary>The layers that get an adapter, in the order of the network.</summary>
    public IReadOnlyList<AdapterTarget> Targets { get; }

    /// <summary>Parameters and buffers of the network itself that train, or follow the training, and are saved.</summary>
    public IReadOnlyList<string> Saved { get; }

    /// <summary>Biases of the network itself that train and are saved.</summary>
    public IReadOnlyList<string> Biases { get; }

    private IReadOnlyList<string> Modules { get; }

    /// <summary>Makes a plan and checks it.</summary>
    /// <param name="network">The network; its weights may hold anything.</param>
    /// <param name="config">What is asked.</param>
    /// <exception cref="ModelLoadException">A target or module is not there, a rank does not fit, or a layer cannot be adapted; the message names it.</exception>
    public static AdapterPlan Of(ClassificationNetwork network, AdapterConfig config)
    {
        config.Check();
        if (ModuleTree.TensorLayers(network).Any(l => l.Layer.Adapter is not null))
        {
            throw new ModelLoadException("The model has an adapter already: merge it first, or start from the base model.");
        }

        var plan = new AdapterPlan(network, config);
        plan.RequireModules();
        plan.RequireTargets();
        plan.Targets.ToList().ForEach(plan.RequireFit);
        return plan;
    }

    /// <summary>The configuration as it is saved: a word for all linear layers stands for their names.</summary>
    /// <param name="spelling">How names are spelled.</param>
    public AdapterConfig SavedConfig(AdapterSpelling spelling)
    {
        if (!Config.TargetsAllLinear)
        {
            return Config;
        }

        var targets = Targets.Select(t => AdapterNames.Spell(_network, t.Name, spelling)).ToHashSet(StringComparer.Ordinal);
        var saved = Config.ModulesToSave is null ? [] : ModuleTree.TensorLayers(_network).Where(l => l.Layer is Dense && IsSavedModule(l.Name)).Select(l => AdapterNames.Spell(_network, l.Name, spelling));
        targets.UnionWith(saved);
        var names = targets.Count >= MinimumToShorten && Config is LoraConfig ? Shortened(targets, [.. Modules.Select(m => AdapterNames.Spell(_network, m, spelling)).Except(targets)]) : targets;
        return Config.With(("target_modules", new System.Text.Json.Nodes.JsonArray([.. names.Order(StringComparer.Ordinal).Select(n => (System.Text.Json.Nodes.JsonNode)n)])));
    }

    /// <summary>The shortest ends of names that tell the targets from all other modules.</summary>
    /// <remarks>Source: <c>_find_minimal_target_modules</c> of PEFT.</remarks>
    private static HashSet<string> Shortened(IReadOnlyCollection<string> targets, IReadOnlyCollection<string> others)
    {
        var foreign = others.SelectMany(Ends).ToHashSet(StringComparer.Ordinal);
        var chosen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var target in targets.OrderBy(t => t.Length).ThenBy(t => t, StringComparer.Ordinal))
        {
            if (!Ends(target).Any(chosen.Contains))
            {
                chosen.Add(Ends(target).FirstOrDefault(e => !foreign.Contains(e)) ?? target);
            }
        }

        return chosen;
    }

    // From the last part to the whole name.
    private static IEnumerable<string> Ends(string name)
    {
        var parts = name.Split('.');
        return Enumerable.Range(1, parts.Length).Select(count => string.Join('.', parts[^count..]));
    }

    private bool IsTarget(string name, TensorLayer layer)
    {
        var spellings = AdapterNames.Spellings(_network, name);
        if (spellings.Any(s => Matches(s, Config.Excluded.Names, Config.Excluded.Pattern)) || IsSavedModule(name))
        {
            return false;
        }

        if (Config.TargetsAllLinear)
        {
            return layer is Dense;
        }

        return spellings.Any(s => Matches(s, Config.TargetModules, Config.TargetPattern) && (Config is not LoraConfig lora || IsInLayers(s, lora)));
    }

    private static bool IsInLayers(string name, LoraConfig config)
    {
        if (config.LayersToTransform is not { Count: > 0 } layers)
        {
            return true;
        }

        var match = config.LayersPattern is { } patterns
            ? patterns.Select(p => Match($@"^(?:|.*?\.)(?:{p})\.(?<idx>\d+)\.", name)).FirstOrDefault(m => m.Success)
            : Match(@"^.*?\.[^.]*\.(?<idx>\d+)\.", name);
        return match is { Success: true } && layers.Contains(int.Parse(match.Groups["idx"].Value, CultureInfo.InvariantCulture));
    }

    private bool IsSavedModule(string name) =>
        Config.ModulesToSave is { } modules && AdapterNames.Spellings(_network, name).Any(s => modules.Any(m => Match($@"^(?:|.*\.){m}(?:$|\..*)", s).Success));

    // A parameter or buffer below a module whose name ends in one that is to be saved.
    private bool IsSaved(string name)
    {
        if (Config.ModulesToSave is not { } modules)
        {
            return false;
        }

        var parts = name.Split('.');
        return Enumerable.Range(1, parts.Length - 1).Select(count => string.Join('.', parts[..count]))
            .Any(module => AdapterNames.Spellings(_network, module).Any(s => modules.Any(m => s.EndsWith(m, StringComparison.Ordinal))));
    }

    private AdapterTarget Target((string Name, TensorLayer Layer) found)
    {
        var spellings = AdapterNames.Spellings(_network, found.Name);
        if (Config is not LoraConfig lora)
        {
            return new AdapterTarget(found.Name, found.Layer, 0, 1, IsFeedForward(spellings, (IA3Config)Config));
        }

        var rank = (int)(Of(lora.RankPattern, spellings) ?? lora.R);
        var alpha = Of(lora.AlphaPattern, spellings) ?? lora.LoraAlpha;
        return new AdapterTarget(found.Name, found.Layer, rank, lora.UseRslora ? alpha / Math.Sqrt(rank) : alpha / rank, IsFeedForward: false);
    }

    private static double? Of(IReadOnlyDictionary<string, double> patterns, IReadOnlyList<string> spellings) =>
        patterns.Where(p => spellings.Any(s => Match($@"^(?:.*\.)?(?:{p.Key})$", s).Success)).Select(p => (double?)p.Value).FirstOrDefault();

    private static bool IsFeedForward(IReadOnlyList<string> spellings, IA3Config config) => config.FeedforwardPattern is { } pattern
        ? spellings.Any(s => Matches(s, null, pattern))
        : config.FeedforwardModules is { } names && spellings.Any(s => names.Any(n => s.EndsWith(n, StringComparison.Ordinal)));

    private static bool Matches(string name, IReadOnlyList<string>? names, string? pattern) => pattern is not null
        ? Match($@"^(?:{pattern})\z", name).Success
        : names is not null && names.Any(n => name == n || name.EndsWith('.' + n, StringComparison.Ordinal));

    private static Match Match(string pattern, string name)
    {
        try
        {
            return Regex.Match(name, pattern, RegexOptions.CultureInvariant, PatternTimeout);
        }
        catch (Exception e) when (e is ArgumentException or RegexMatchTimeoutException)
        {
            throw new ModelLoadException($"'{pattern}' of the adapter's configuration cannot be used as a regular expression: {e.Message}", e);
        }
    }

    private List<string> BiasNames(AdapterConfig config) => config is not LoraConfig { Bias: not "none" } lora
        ? []
        : lora.Bias == "all"
            ? [.. _network.named_parameters().Select(p => p.name).Where(n => n == "bias" || n.EndsWith(".bias", StringComparison.Ordinal)).Except(Saved)]
            : [.. Targets.Where(t => ((IWeighted)t.Layer).Bias is not null).Select(t => t.Name + ".bias")];

    private void RequireModules()
    {
        foreach (var module in Config.ModulesToSave ?? [])
        {
            if (!Modules.Any(m => AdapterNames.Spellings(_network, m).Any(s => s.EndsWith(module, StringComparison.Ordinal))))
            {
                throw new ModelLoadException($"modules_to_save: '{module}' is not a module of {_network.ClassName}. {Known(module, Modules)}");
            }
        }
    }

    private void RequireTargets()
    {
        if (Config.TargetModules is null && Config.TargetPattern is null)
        {
            throw new ModelLoadException($"target_modules is empty: name the layers of {_network.ClassName} that get an adapter. {Known("", Adaptable())}");
        }

        foreach (var asked in Config.TargetModules ?? [])
        {
            if (Modules.Where(m => AdapterNames.Spellings(_network, m).Any(s => Matches(s, [asked], null))).ToList() is var found && found.Count == 0)
            {
                throw new ModelLoadException($"target_modules: '{asked}' is not a layer of {_network.ClassName}. {Known(asked, Adaptable())}");
            }
        }

        if (Targets.Count == 0)
        {
            throw new ModelLoadException(
                $"target_modules: no linear layer or convolution of {_network.ClassName} matches {(Config.TargetPattern is { } pattern ? $"'{pattern}'" : string.Join(", ", Config.TargetModules!.Select(n => $"'{n}'")))}. {Known(Config.TargetPattern ?? Config.TargetModules![0], Adaptable())}");
        }
    }

    private void RequireFit(AdapterTarget target)
    {
        if (target.Layer is not (Dense or Convolution))
        {
            throw new ModelLoadException($"target_modules: '{target.Name}' of {_network.ClassName} is neither a linear layer nor a convolution; only those can be adapted. {Known(target.Name, Adaptable())}");
        }

        var shape = target.Weight.shape;
        var inputs = target.Layer is Convolution { Options.Groups: var groups } ? shape[1] * groups : shape[1];
        if (target.Rank > Math.Min(shape[0], inputs * (shape.Length > 2 ? shape[2] * shape[3] : 1)))
        {
            throw new ModelLoadException(Invariant($"The rank {target.Rank} is above the size of '{target.Name}', {shape[0]}x{inputs * (shape.Length > 2 ? shape[2] * shape[3] : 1)}; give a smaller r, or leave this layer out of target_modules."));
        }

        if (target.Rank > 0 && target.Layer is Convolution convolution)
        {
            RequireFit(target, convolution.Options);
        }
    }

    private void RequireFit(AdapterTarget target, ConvolutionOptions options)
    {
        if (target.Rank % options.Groups != 0)
        {
            throw new ModelLoadException(Invariant($"'{target.Name}' is a convolution of {options.Groups} groups, which do not divide the rank {target.Rank}; give an r that they divide, or leave this layer out of target_modules."));
        }

        if (options.Dilation != 1)
        {
            throw new ModelLoadException($"'{target.Name}' is a dilated convolution, which PEFT cannot adapt either; leave this layer out of target_modules.");
        }

        if (options.Groups > 1 && ((LoraConfig)Config).UseDora)
        {
            throw new ModelLoadException(Invariant($"'{target.Name}' is a convolution of {options.Groups} groups, which DoRA has no length of weights for; leave this layer out of target_modules, or take LoRA."));
        }
    }

    // The last parts of the names of all layers that can be adapted.
    private IEnumerable<string> Adaptable() => ModuleTree.TensorLayers(_network).Where(l => l.Layer is Dense or Convolution).Select(l => l.Name);

    private static string Known(string asked, IEnumerable<string> names)
    {
        var last = names.Select(n => n[(n.LastIndexOf('.') + 1)..]).Where(n => !int.TryParse(n, out _)).Distinct(StringComparer.Ordinal).ToList();
        var nearest = Suggestion.Nearest(asked, last);
        var ordered = last.OrderBy(n => n == nearest ? 0 : 1).Take(MostExamples).ToList();
        return $"It has {string.Join(", ", ordered)}{(last.Count > ordered.Count ? ", ..." : "")}.";
    }
}
