using Vizsla.Adapters;
using Vizsla.Models;
using static TorchSharp.torch;

namespace Vizsla;

/// <content>Adapters: few parameters that train in the place of the model's own.</content>
public sealed partial class ImageClassifier
{
    private string? _source;

    /// <summary>The configuration of the model's adapter as it is saved; null for a whole model.</summary>
    public AdapterConfig? Adapter => ActiveAdapter?.Config;

    /// <summary>The adapter; null for a whole model.</summary>
    internal NetworkAdapter? ActiveAdapter { get; private set; }

    /// <summary>What is saved of the model and trains or follows the training, by name; the network keeps the tensors.</summary>
    internal IReadOnlyList<(string Name, Tensor Value)> SavedState => ActiveAdapter?.State ?? [.. Network.State().Select(s => (Network.NameInFile(s.Name), s.Value))];

    /// <summary>Adds an adapter with drawn values: from here on it alone trains and is saved. A head that is new trains and is saved with it.</summary>
    /// <param name="config">Which layers are adapted, and how.</param>
    /// <param name="spelling">How the adapter's files name the layers: as the model's own file does by default, or as transformers 5 does.</param>
    /// <param name="seed">Seeds torch's generator before values are drawn; null draws from it as it stands.</param>
    /// <exception cref="ModelLoadException">A target is not there, a rank does not fit, or the model has an adapter; the message names it, and the model is unchanged.</exception>
    /// <remarks>Source: <c>peft.get_peft_model</c>. Parity: initial values equal for the same seed.</remarks>
    public void AddAdapter(AdapterConfig config, AdapterSpelling spelling = AdapterSpelling.Transformers4, long? seed = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        ThrowIfDisposed();
        lock (Network.Gate)
        {
            var plan = AdapterPlan.Of(Network, AdapterFolder.Complete(config, Network, LoadReport, _source));
            Seed(seed);
            var adapter = NetworkAdapter.Attach(Network, plan, spelling);
            adapter.Draw();
            ActiveAdapter = adapter;
        }
    }

    /// <summary>Writes the adapter into the weights, in float32, and takes it out: a whole model that computes the same.</summary>
    /// <exception cref="InvalidOperationException">The model has no adapter.</exception>
    /// <exception cref="ModelLoadException">The adapter of a convolution of several groups cannot be merged; the message names it, and nothing is changed.</exception>
    /// <remarks>Source: <c>PeftModel.merge_and_unload</c>. Parity: 1e-6.</remarks>
    public void MergeAdapter()
    {
        ThrowIfDisposed();
        lock (Network.Gate)
        {
            (ActiveAdapter ?? throw new InvalidOperationException("The model has no adapter to merge.")).Merge();
            ActiveAdapter = null;
        }
    }

    /// <summary>A second model: this one's weights with an adapter. The weights that the adapter leaves alone are in memory once.</summary>
    /// <param name="nameOrFolder">Folder of an adapter of this model, or its Hub name in this machine's cache.</param>
    /// <returns>The model in evaluation mode; the caller owns it, and it may outlive this one. Train neither while both are used.</returns>
    /// <exception cref="ModelLoadException">It is not an adapter, or not one of this model; the message names the tensor.</exception>
    /// <exception cref="InvalidOperationException">This model has an adapter itself.</exception>
    public ImageClassifier WithAdapter(string nameOrFolder)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        ThrowIfDisposed();
        if (ActiveAdapter is not null)
        {
            throw new InvalidOperationException("The model has an adapter itself; take its base model.");
        }

        var folder = AdapterFolder.Find(nameOrFolder, MainRevision) ?? throw new ModelLoadException($"'{nameOrFolder}' holds no {AdapterConfig.FileName}: it is not an adapter.");
        var location = new ModelLocation(_source ?? Network.ClassName, _folder, Configuration.Clone(), () => throw new InvalidOperationException("The weights are in memory."));
        return LoadAdapter(AdapterFolder.Of(folder, location, Network), labels: null, configure: null);
    }

    private static ImageClassifier LoadAdapter(AdapterFolder adapter, IReadOnlyList<string>? labels, Action<ModelConfiguration>? configure)
    {
        var network = adapter.Build(labels, configure);
        try
        {
            var (active, report) = adapter.Load(network);
            return new ImageClassifier(network, adapter.ProcessorFolder, report)
            {
                ActiveAdapter = active,
                BaseModel = Path.Exists(adapter.Base.Name) ? null : adapter.Base.Name,
                _source = adapter.Base.Name,
            };
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }
}
