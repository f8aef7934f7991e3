using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Models.Weights;
using static TorchSharp.torch;

namespace Vizsla.Adapters;

/// <summary>An adapter in a network: its layers' changes, and what of the network itself trains beside them.</summary>
/// <remarks>
/// Its parameters hang below the layers that they change, so that they follow the network to a device and into an optimizer. Modules that train in full are the network's own.
/// Source: <c>PeftModel</c>, <c>get_peft_model_state_dict</c>, <c>merge_and_unload</c> of PEFT.
/// </remarks>
internal sealed class NetworkAdapter
{
    /// <summary>The file of an adapter's weights.</summary>
    public const string WeightsFile = "adapter_model.safetensors";

    private readonly ClassificationNetwork _network;
    private readonly AdapterPlan _plan;
    private readonly List<(AdapterTarget Target, LayerAdapter Adapter)> _layers;

    private NetworkAdapter(ClassificationNetwork network, AdapterPlan plan, AdapterSpelling spelling)
    {
        (_network, _plan, Spelling) = (network, plan, spelling);
        _layers = [.. plan.Targets.Select(t => (t, Make(t)))];
        foreach (var (target, adapter) in _layers)
        {
            target.Layer.Adapter = adapter;
        }
    }

    /// <summary>The configuration as it is saved.</summary>
    public AdapterConfig Config => _plan.SavedConfig(Spelling);

    /// <summary>How its files spell names.</summary>
    public AdapterSpelling Spelling { get; }

    /// <summary>Names, in the network, of the parameters that train.</summary>
    public IReadOnlySet<string> Trained
    {
        get
        {
            var own = _plan.Saved.Concat(_plan.Biases).ToHashSet(StringComparer.Ordinal);
            own.UnionWith(_layers.SelectMany(l => l.Adapter.Parameters.Select(p => $"{l.Target.Name}.{PathOf(p.Name)}")));
            return own;
        }
    }

    /// <summary>Numbers of the modules that train in full, of which Python keeps the first values too.</summary>
    public long SavedCount
    {
        get
        {
            var saved = _plan.Saved.ToHashSet(StringComparer.Ordinal);
            return _network.named_parameters().Where(p => saved.Contains(p.name)).Sum(p => p.parameter.numel());
        }
    }

    /// <summary>Everything that is saved, under the names of the file; the network keeps the tensors.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> State => [.. Entries().Select(e => (e.Names.First(n => n.Spelling == Spelling).FileName, e.Value))];

    /// <summary>Puts an adapter into a network; its values may hold anything.</summary>
    /// <param name="network">The network.</param>
    /// <param name="plan">What is adapted.</param>
    /// <param name="spelling">How its files spell names.</param>
    public static NetworkAdapter Attach(ClassificationNetwork network, AdapterPlan plan, AdapterSpelling spelling) => new(network, plan, spelling);

    /// <summary>Draws the initial values as PEFT does, layer by layer.</summary>
    public void Draw() => _layers.ForEach(l => l.Adapter.Draw());

    /// <summary>Reads an adapter's weights, in either spelling.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <exception cref="ModelLoadException">It is of another model: a tensor is missing, left over or of another shape; the message names it. Nothing is changed.</exception>
    public void Load(string path)
    {
        using var file = SafetensorsFile.Open(path);
        using var mode = no_grad();
        foreach (var (name, value) in Require(file, path))
        {
            file.CopyTo(name, value);
        }
    }

    /// <summary>Makes sure that a file's names and shapes are the adapter's.</summary>
    /// <exception cref="ModelLoadException">They are not; the message names the first tensor.</exception>
    public void Require(string path)
    {
        using var file = SafetensorsFile.Open(path);
        _ = Require(file, path);
    }

    private List<(string FileName, Tensor Value)> Require(SafetensorsFile file, string path)
    {
        var found = new List<(string FileName, Tensor Value)>();
        foreach (var (names, value) in Entries())
        {
            var name = names.Select(n => n.FileName).FirstOrDefault(file.Contains)
                ?? throw new ModelLoadException($"'{path}' does not fit {_network.ClassName}: it has no '{names[0].FileName}'. Give the adapter that belongs to this base model.");
            if (!file.Entry(name).Shape.SequenceEqual(value.shape))
            {
                throw new ModelLoadException(
                    $"'{path}' does not fit {_network.ClassName}: '{name}' is [{string.Join(", ", file.Entry(name).Shape)}], expected [{string.Join(", ", value.shape)}]. Give the base model that the adapter was trained on.");
            }

            found.Add((name, value));
        }

        var used = found.Select(f => f.FileName).ToHashSet(StringComparer.Ordinal);
        if (file.Tensors.Select(t => t.Name).FirstOrDefault(n => !used.Contains(n) && !IsCopy(n)) is { } left)
        {
            throw new ModelLoadException($"'{path}' does not fit {_network.ClassName}: its '{left}' belongs to no layer that {AdapterConfig.FileName} names. Give the base model that the adapter was trained on.");
        }

        return found;
    }

    /// <summary>In which spelling a file names the layers; null where both are the same.</summary>
    public static AdapterSpelling? SpellingOf(string path, ClassificationNetwork network)
    {
        using var file = SafetensorsFile.Open(path);
        var names = file.Tensors.Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, _) in ModuleTree.TensorLayers(network))
        {
            var (four, five) = (AdapterNames.Prefix + name + '.', AdapterNames.Prefix + AdapterNames.Spell(network, name, AdapterSpelling.Transformers5) + '.');
            if (four != five && names.Any(n => n.StartsWith(four, StringComparison.Ordinal) || n.StartsWith(five, StringComparison.Ordinal)))
            {
                return names.Any(n => n.StartsWith(five, StringComparison.Ordinal)) ? AdapterSpelling.Transformers5 : AdapterSpelling.Transformers4;
            }
        }

        return null;
    }

    /// <summary>Writes configuration and weights.</summary>
    /// <param name="folder">The folder; made where it is missing.</param>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        SafetensorsFile.Write(Path.Combine(folder, WeightsFile), State.Select(s => KeyValuePair.Create(s.Name, s.Value)));
        ModelFolder.WriteText(Path.Combine(folder, AdapterConfig.FileName), Config.ToJson());
        var card = Path.Combine(folder, AdapterCard.FileName);
        if (!File.Exists(card))
        {
            ModelFolder.WriteText(card, AdapterCard.Write(Config));
        }
    }

    /// <summary>Writes the changes into the weights and takes the adapter out.</summary>
    /// <exception cref="ModelLoadException">A convolution of several groups has a low-rank change, which has no place in its weight; nothing is changed.</exception>
    public void Merge()
    {
        if (Unmergeable is { } name)
        {
            throw new ModelLoadException($"The adapter of '{name}' cannot be merged: the layer is a convolution of several groups, which PEFT does not merge either. Use the adapter as it is.");
        }

        using var mode = no_grad();
        foreach (var (target, adapter) in _layers)
        {
            using var scope = NewDisposeScope();
            var (weight, bias) = adapter.Merged();
            target.Weight.copy_(weight);
            if (bias is not null)
            {
                ((IWeighted)target.Layer).Bias!.copy_(bias);
            }
        }

        Remove();
    }

    /// <summary>The first layer whose change cannot be merged; null where all can.</summary>
    public string? Unmergeable => _layers.FirstOrDefault(l => l.Target is { Rank: > 0, Layer: Convolution { Options.Groups: > 1 } }).Target?.Name;

    /// <summary>Takes the adapter out of the network, and disposes its parameters.</summary>
    public void Remove()
    {
        foreach (var (target, adapter) in _layers)
        {
            target.Layer.Adapter = null;
            foreach (var (_, slot) in adapter.Parameters)
            {
                slot.Value.Dispose();
            }

            foreach (var child in adapter.Parameters.Select(p => PathOf(p.Name).Split('.')[0]).Distinct())
            {
                ModuleTree.Remove(target.Layer, child);
            }
        }
    }

    private LayerAdapter Make(AdapterTarget target) => _plan.Config is LoraConfig lora ? new LowRankAdapter(target, lora) : new RescalingAdapter(target, (IA3Config)_plan.Config);

    // In memory each is a parameter of a module of its own, as in PEFT, so that they come in PEFT's order and can be taken out.
    private static string PathOf(string fileName) => fileName.Contains('.', StringComparison.Ordinal) ? fileName : fileName + ".weight";

    // With bias "all" PEFT also writes the biases of both copies of a module that is saved.
    private static bool IsCopy(string name) => name.Contains(".original_module.", StringComparison.Ordinal) || name.Contains(".modules_to_save.", StringComparison.Ordinal);

    private IEnumerable<(IReadOnlyList<(string FileName, AdapterSpelling Spelling)> Names, Tensor Value)> Entries()
    {
        foreach (var (target, adapter) in _layers)
        {
            foreach (var (name, slot) in adapter.Parameters)
            {
                yield return (Names(target.Name, "." + name), slot.Value);
            }
        }

        var own = ModuleTree.State(_network).ToDictionary(s => s.Name, s => s.Value, StringComparer.Ordinal);
        foreach (var name in _plan.Saved)
        {
            yield return (Names(name, ""), own[name]);
        }

        var adapted = _layers.Select(l => l.Target.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var name in _plan.Biases)
        {
            var owner = name[..name.LastIndexOf('.')];
            yield return (adapted.Contains(owner) ? Names(owner, ".base_layer.bias") : Names(name, ""), own[name]);
        }
    }

    private List<(string FileName, AdapterSpelling Spelling)> Names(string name, string rest)
    {
        var (four, five) = (AdapterNames.Prefix + name + rest, AdapterNames.Prefix + AdapterNames.Spell(_network, name, AdapterSpelling.Transformers5) + rest);
        return [(four, AdapterSpelling.Transformers4), (five, AdapterSpelling.Transformers5), .. AdapterNames.Spellings(_network, name).Skip(1).Select(s => (AdapterNames.Prefix + s + rest, AdapterSpelling.Transformers5))];
    }
}
