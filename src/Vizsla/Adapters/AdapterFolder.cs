using System.Text.Json.Nodes;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Models.Weights;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Adapters;

/// <summary>An adapter as a folder of files, and the model that it changes.</summary>
/// <remarks>Source: <c>PeftModel.from_pretrained</c>, <c>AutoPeftModel</c> of PEFT.</remarks>
internal sealed class AdapterFolder
{
    private const string MainRevision = "main";

    private readonly string _folder;

    private readonly ClassificationNetwork? _inMemory;

    private AdapterFolder(string folder, AdapterConfig config, ModelLocation location, ClassificationNetwork? inMemory = null) =>
        (_folder, Config, Base, _inMemory) = (folder, config, location, inMemory);

    /// <summary>Its configuration.</summary>
    public AdapterConfig Config { get; }

    /// <summary>Where the model is that it changes.</summary>
    public ModelLocation Base { get; }

    /// <summary>The folder beside whose files a processor may lie: the adapter's own where it has one.</summary>
    public string? ProcessorFolder => File.Exists(Path.Combine(_folder, "preprocessor_config.json")) ? _folder : Base.Folder;

    private string WeightsPath => Path.Combine(_folder, NetworkAdapter.WeightsFile);

    /// <summary>The folder of an adapter by its path or its Hub name in this machine's cache; null where the name is of something else.</summary>
    public static string? Find(string nameOrFolder, string revision) =>
        (Directory.Exists(nameOrFolder) ? nameOrFolder : File.Exists(nameOrFolder) ? null : HubCache.Find(nameOrFolder, revision)) is { } folder && AdapterConfig.IsIn(folder) ? folder : null;

    /// <summary>Reads an adapter's configuration and finds its base model; weights are not read.</summary>
    /// <param name="name">What was asked for.</param>
    /// <param name="folder">The adapter's folder.</param>
    /// <param name="baseModel">Folder or Hub name of the base model; null takes the one that the configuration names.</param>
    /// <exception cref="ModelLoadException">The base model is not named, not on this machine, or an adapter itself.</exception>
    public static AdapterFolder Open(string name, string folder, string? baseModel)
    {
        var config = AdapterConfig.Load(folder);
        if (!File.Exists(Path.Combine(folder, NetworkAdapter.WeightsFile)))
        {
            throw new ModelLoadException($"'{name}' holds {AdapterConfig.FileName} but no {NetworkAdapter.WeightsFile}; an adapter's folder has both.");
        }

        var asked = baseModel ?? BaseOf(config, folder)
            ?? throw new ModelLoadException($"'{name}' is an adapter whose {AdapterConfig.FileName} does not name its base model; give that with --base_model (baseModel).");
        var revision = baseModel is null ? config.Revision ?? MainRevision : MainRevision;
        if (Find(asked, revision) is not null)
        {
            throw new ModelLoadException($"The base model '{asked}' of the adapter '{name}' is an adapter itself; an adapter on an adapter is not read. Merge the first into its base, and give the result with --base_model (baseModel).");
        }

        try
        {
            return new AdapterFolder(folder, config, ModelLocation.Find(asked, revision));
        }
        catch (ModelLoadException e)
        {
            throw new ModelLoadException($"The base model of the adapter '{name}' was not found. {e.Message} Give its location with --base_model (baseModel).", e);
        }
    }

    /// <summary>Reads an adapter's configuration for a base model that is in memory, whose tensors it will share.</summary>
    /// <param name="folder">The adapter's folder.</param>
    /// <param name="location">The base model's configuration and folder.</param>
    /// <param name="network">The base model.</param>
    public static AdapterFolder Of(string folder, ModelLocation location, ClassificationNetwork network) => new(folder, AdapterConfig.Load(folder), location, network);

    /// <summary>Where an adapter's configuration says that its base model is: a name of the Hub, or a folder as seen from here or from the adapter; null where it says nothing.</summary>
    public static string? BaseOf(AdapterConfig config, string folder)
    {
        if (config.BaseModelNameOrPath is not { Length: > 0 } name)
        {
            return null;
        }

        var beside = Path.Combine(folder, name);
        return !Path.Exists(name) && Path.Exists(beside) ? beside : name;
    }

    /// <summary>Deletes an adapter's files from a folder that a whole model was written into.</summary>
    public static void Clear(string folder)
    {
        File.Delete(Path.Combine(folder, AdapterConfig.FileName));
        File.Delete(Path.Combine(folder, NetworkAdapter.WeightsFile));
    }

    /// <summary>A configuration with what the model says: where it is, what its Python class is, and that a new head trains.</summary>
    /// <param name="config">What was asked.</param>
    /// <param name="network">The network.</param>
    /// <param name="report">How its weights were loaded; null for drawn ones.</param>
    /// <param name="source">Folder or Hub name that it was loaded from; null for random weights.</param>
    public static AdapterConfig Complete(AdapterConfig config, ClassificationNetwork network, LoadReport? report, string? source)
    {
        var changes = new List<(string, JsonNode?)>();
        if (config.BaseModelNameOrPath is null && source is not null)
        {
            changes.Add(("base_model_name_or_path", source));
        }

        if (config.Json["auto_mapping"] is null && !network.Configuration.IsTimm)
        {
            var module = network.Configuration.ModelType.Replace('-', '_');
            changes.Add(("auto_mapping", new JsonObject { ["base_model_class"] = network.ClassName, ["parent_library"] = $"transformers.models.{module}.modeling_{module}" }));
        }

        var modules = NewModules(network, report).Where(m => config.ModulesToSave?.Any(s => m.EndsWith(s, StringComparison.Ordinal)) != true).ToList();
        if (modules.Count > 0)
        {
            changes.Add(("modules_to_save", new JsonArray([.. (config.ModulesToSave ?? []).Concat(modules).Select(m => (JsonNode)m)])));
        }

        return config.With([.. changes]);
    }

    /// <summary>Builds the network, as wide at its end as the adapter's own head; its weights hold anything.</summary>
    /// <param name="labels">Class names; null takes those beside the adapter, else the base model's, else numbers.</param>
    /// <param name="configure">Changes the configuration before the network is built; null leaves it.</param>
    public ClassificationNetwork Build(IReadOnlyList<string>? labels, Action<ModelConfiguration>? configure)
    {
        var configuration = Base.Configuration;
        if (labels is not null || File.Exists(Path.Combine(_folder, ModelConfiguration.FileName)))
        {
            configuration.SetLabels(labels ?? ModelConfiguration.Load(_folder).Id2Label);
        }

        configure?.Invoke(configuration);
        var network = Architectures.Build(configuration);
        if (labels is null && HeadWidth(network) is { } width && width != configuration.LabelCount)
        {
            network.Dispose();
            configuration.SetLabels([.. Enumerable.Range(0, width).Select(i => Invariant($"LABEL_{i}"))]);
            network = Architectures.Build(configuration);
        }

        return network;
    }

    /// <summary>Checks that the adapter fits, then loads the base model's weights and the adapter's.</summary>
    /// <exception cref="ModelLoadException">It does not fit; the message names the tensor.</exception>
    public (NetworkAdapter Adapter, LoadReport Report) Load(ClassificationNetwork network)
    {
        var spelling = NetworkAdapter.SpellingOf(WeightsPath, network) ?? AdapterSpelling.Transformers4;
        var plan = AdapterPlan.Of(network, Config);
        var probe = NetworkAdapter.Attach(network, plan, spelling);
        probe.Require(WeightsPath);
        probe.Remove();

        var report = _inMemory is null ? ModelFolder.LoadWeights(network, Base, ignoreMismatchedSizes: true) : Share(network, _inMemory, plan);
        if (report.NewlyInitialized.FirstOrDefault(n => !plan.Saved.Contains(n)) is { } missing)
        {
            throw new ModelLoadException(
                $"'{missing}' is neither in the adapter '{_folder}' nor, in this shape, in its base model '{Base.Name}': it would be initialized at random. Give the base model that the adapter was trained on, with --base_model (baseModel).", report);
        }

        var adapter = NetworkAdapter.Attach(network, plan, spelling);
        adapter.Load(WeightsPath);
        return (adapter, report);
    }

    // What the adapter trains stays this network's own; everything else becomes the storage of the other network.
    private LoadReport Share(ClassificationNetwork network, ClassificationNetwork other, AdapterPlan plan)
    {
        using var mode = no_grad();
        var theirs = ModuleTree.State(other).ToDictionary(s => s.Name, s => s.Value, StringComparer.Ordinal);
        var own = plan.Saved.Concat(plan.Biases).ToHashSet(StringComparer.Ordinal);
        var (missing, mismatched) = (new List<string>(), new List<ShapeMismatch>());
        foreach (var (name, value) in ModuleTree.State(network))
        {
            if (!theirs.TryGetValue(name, out var shared))
            {
                missing.Add(name);
            }
            else if (!shared.shape.SequenceEqual(value.shape))
            {
                mismatched.Add(new ShapeMismatch(name, shared.shape, value.shape));
            }
            else if (own.Contains(name))
            {
                value.copy_(shared);
            }
            else
            {
                using var same = Dispatcher.CallTensor("aten::set_", "source_Tensor", value, shared.detach());
            }
        }

        return new LoadReport(network.ClassName, Base.Name, missing, [], mismatched);
    }

    private static IEnumerable<string> NewModules(ClassificationNetwork network, LoadReport? report) =>
        report is null ? [] : report.NewlyInitialized.Select(n => n[..n.LastIndexOf('.')]).Distinct(StringComparer.Ordinal);

    private int? HeadWidth(ClassificationNetwork network)
    {
        using var file = SafetensorsFile.Open(WeightsPath);
        return network.HeadParameterNames.Where(n => n.EndsWith(".weight", StringComparison.Ordinal))
            .SelectMany(n => AdapterNames.Spellings(network, n)).Select(n => AdapterNames.Prefix + n)
            .Where(file.Contains).Select(n => (int?)file.Entry(n).Shape[0]).FirstOrDefault();
    }
}
