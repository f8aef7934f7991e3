using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vizsla.Adapters;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Native;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla;

/// <summary>A model with its configuration, labels and preprocessing: loaded, trained, saved and asked as one thing.</summary>
/// <remarks>
/// Any number of threads may ask it at once, also while it is trained: they take turns at the network, and pictures are read and prepared beside it.
/// It always answers in evaluation mode, and leaves the modules of the network in the modes that they were in.
/// Source: transformers <c>AutoModelForImageClassification</c> with <c>AutoImageProcessor</c>.
/// </remarks>
public sealed partial class ImageClassifier : IBatchClassifier
{
    private const string MainRevision = "main";

    private readonly string? _folder;
    private bool _isEncoder;
    private ImageProcessor? _processor;

    private ImageClassifier(ClassificationNetwork network, string? folder, LoadReport? report)
    {
        TorchDefaults.Apply();
        network.eval();
        Network = network;
        _folder = folder;
        LoadReport = report;
    }

    /// <summary>The network; this object owns it.</summary>
    public ClassificationNetwork Network { get; }

    /// <summary>How the model wants its pictures; read from its folder when first asked for.</summary>
    /// <exception cref="ModelLoadException">While it is read: a file says something invalid.</exception>
    public ImageProcessor Processor
    {
        get => _processor ??= ModelFolder.Processor(Configuration, _folder);
        set => _processor = value;
    }

    /// <summary>Hears once in a process, before the first prediction, where convolutions are not computed as libtorch does by itself (on machines that hide their caches); nobody by default.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;

    /// <summary>Hub name of the model that was loaded; null for one of a folder or a file, or with random weights.</summary>
    public string? BaseModel { get; private init; }

    /// <summary>The model's <c>config.json</c>.</summary>
    public ModelConfiguration Configuration => Network.Configuration;

    /// <summary>Class names in order of their index.</summary>
    public IReadOnlyList<string> Labels => Configuration.Id2Label;

    /// <summary>How the weights of the file fitted; null for a model that was drawn anew.</summary>
    public LoadReport? LoadReport { get; }

    /// <summary>Loads a model from a folder, or by its Hub name from this machine's cache.</summary>
    /// <param name="nameOrFolder">
    /// A folder with <c>config.json</c> and weights, a name such as <c>google/vit-base-patch16-224</c> or <c>timm/resnet50.a1_in1k</c>,
    /// a bare name of timm's, a weight file named after one, or <c>ResNet18.onnx</c> of the package <c>Microsoft.ML.DnnImageFeaturizer.ResNet18</c>.
    /// </param>
    /// <param name="labels">Class names in order of their index; null keeps the model's. Another number of them needs a new head.</param>
    /// <param name="ignoreMismatchedSizes">Whether a head for another number of classes is replaced by a new one; HF: <c>ignore_mismatched_sizes</c>.</param>
    /// <param name="seed">Seeds torch's generator before new weights are drawn; null draws from it as it stands.</param>
    /// <param name="configure">Changes the configuration before the network is built, a dropout rate say; null leaves it.</param>
    /// <param name="revision">Branch, tag or commit of a Hub name; null means <c>main</c>.</param>
    /// <param name="baseModel">Folder or Hub name of the model that an adapter changes; null takes the one that its <c>adapter_config.json</c> names. Without effect for a whole model.</param>
    /// <returns>The model in evaluation mode; the caller owns it.</returns>
    /// <exception cref="ModelLoadException">It is not found, not known, or its weights do not fit; the exception carries the report.</exception>
    public static ImageClassifier FromPretrained(
        string nameOrFolder,
        IReadOnlyList<string>? labels = null,
        bool ignoreMismatchedSizes = false,
        long? seed = null,
        Action<ModelConfiguration>? configure = null,
        string? revision = null,
        string? baseModel = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        if (AdapterFolder.Find(nameOrFolder, revision ?? MainRevision) is { } adapter)
        {
            return LoadAdapter(AdapterFolder.Open(nameOrFolder, adapter, baseModel), labels, configure);
        }

        return Load(ModelLocation.Find(nameOrFolder, revision ?? MainRevision), labels, ignoreMismatchedSizes, seed, configure);
    }

    /// <summary>Loads a model for its features alone: a checkpoint without a classifier, such as <c>facebook/dinov2-base</c>, serves too.</summary>
    /// <param name="nameOrFolder">A folder, a Hub name in this machine's cache, a bare name of timm's, or a weight file, as for <see cref="FromPretrained"/>.</param>
    /// <param name="revision">Branch, tag or commit of a Hub name; null means <c>main</c>.</param>
    /// <returns>A model for <see cref="Embed(string)"/>; where the checkpoint has no classifier, it refuses to name classes. The caller owns it.</returns>
    /// <exception cref="ModelLoadException">It is not found, not known, or its weights do not fit; the exception carries the report.</exception>
    public static ImageClassifier FromEncoder(string nameOrFolder, string? revision = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        return AdapterFolder.Find(nameOrFolder, revision ?? MainRevision) is not null
            ? FromPretrained(nameOrFolder, revision: revision)
            : Load(ModelLocation.Find(nameOrFolder, revision ?? MainRevision), labels: null, ignoreMismatchedSizes: false, seed: null, configure: null, isEncoder: true);
    }

    /// <summary>Loads a weight file into a network of timm's.</summary>
    /// <param name="architecture">timm's name, such as <c>resnet50</c>.</param>
    /// <param name="weightFile">A <c>.safetensors</c>, <c>.bin</c> or <c>.pth</c> file.</param>
    /// <param name="labels">Class names in order of their index; null numbers them.</param>
    /// <param name="ignoreMismatchedSizes">Whether a head for another number of classes is replaced by a new one.</param>
    /// <param name="seed">Seeds torch's generator before new weights are drawn; null draws from it as it stands.</param>
    /// <returns>The model in evaluation mode; the caller owns it.</returns>
    /// <exception cref="ModelLoadException">The name is not known, or the weights do not fit; the exception carries the report.</exception>
    public static ImageClassifier FromWeights(
        string architecture, string weightFile, IReadOnlyList<string>? labels = null, bool ignoreMismatchedSizes = false, long? seed = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(architecture);
        return Load(ModelLocation.OfFile(weightFile, architecture), labels, ignoreMismatchedSizes, seed, configure: null);
    }

    /// <summary>Whether <see cref="FromPretrained"/> would find a model without asking a Hub.</summary>
    /// <param name="nameOrFolder">A folder, or a Hub name.</param>
    public static bool IsAvailable(string nameOrFolder) => Directory.Exists(nameOrFolder) || HubCache.Find(nameOrFolder) is not null;

    /// <summary>Makes a model of a configuration with random weights.</summary>
    /// <param name="configuration">The configuration; its labels give the width of the head.</param>
    /// <param name="seed">Seeds torch's generator before weights are drawn; null draws from it as it stands.</param>
    /// <returns>The model in evaluation mode; the caller owns it.</returns>
    /// <exception cref="ModelLoadException">The architecture is not known, or its numbers do not fit together.</exception>
    public static ImageClassifier FromConfig(ModelConfiguration configuration, long? seed = null)
    {
        var network = Architectures.Build(configuration);
        Seed(seed);
        network.Initialize();
        return new ImageClassifier(network, folder: null, report: null);
    }

    /// <summary>Makes a model of a named size with random weights.</summary>
    /// <param name="variant">One of <see cref="Architectures.Variants"/>, such as <c>vit-tiny</c>.</param>
    /// <param name="labels">Class names in order of their index.</param>
    /// <param name="imageSize">Side of the pictures in pixels; null takes the size's own.</param>
    /// <param name="seed">Seeds torch's generator before weights are drawn; null draws from it as it stands.</param>
    /// <returns>The model in evaluation mode; the caller owns it.</returns>
    /// <exception cref="ModelLoadException">The name is not known, or the size does not fit.</exception>
    public static ImageClassifier Create(string variant, IReadOnlyList<string> labels, int? imageSize = null, long? seed = null)
    {
        var configuration = Architectures.Variant(variant, imageSize);
        configuration.SetLabels(labels);
        return FromConfig(configuration, seed);
    }

    /// <summary>Writes <c>config.json</c>, <c>model.safetensors</c> and <c>preprocessor_config.json</c>; each is written aside and renamed. A model with an adapter has <c>adapter_config.json</c> and <c>adapter_model.safetensors</c> in the place of its weights.</summary>
    /// <param name="folder">The folder; made when it does not exist.</param>
    /// <remarks>A model of timm's is written as timm writes it; its preprocessing stands in <c>config.json</c>.</remarks>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Save(string folder)
    {
        ThrowIfDisposed();
        if (ActiveAdapter is { } adapter)
        {
            adapter.Save(folder);
            ModelFolder.SaveConfiguration(Network, folder);
        }
        else
        {
            ModelFolder.Save(Network, folder);
            AdapterFolder.Clear(folder);
        }

        if (_processor is not null || !ModelFolder.CopyProcessor(_folder, folder))
        {
            Processor.Save(folder);
        }
    }

    /// <summary>Disposes the network, after whoever computes with it.</summary>
    public void Dispose()
    {
        Network.Dispose();
        _computing.Dispose();
    }

    /// <summary>Refuses a model whose head was drawn when it was loaded: it is there to be trained, and would answer at random.</summary>
    /// <exception cref="ModelLoadException">The model has no classifier.</exception>
    internal void RequireHead()
    {
        if (ActiveAdapter is null && LoadReport is { } report && Network.HeadParameterNames.All(report.Missing.Contains))
        {
            throw ModelFolder.NoHead(report.Source, report);
        }
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Network.IsDisposed, this);

    private static ImageClassifier Load(
        ModelLocation location, IReadOnlyList<string>? labels, bool ignoreMismatchedSizes, long? seed, Action<ModelConfiguration>? configure, bool isEncoder = false)
    {
        var configuration = location.Configuration;
        if (labels is not null)
        {
            configuration.SetLabels(labels);
        }

        configure?.Invoke(configuration);
        var network = Architectures.Build(configuration);
        try
        {
            Seed(seed);
            var report = ModelFolder.LoadWeights(network, location, ignoreMismatchedSizes, hasOwnClasses: labels is null && configure is null && !isEncoder);
            return new ImageClassifier(network, location.Folder, report)
            {
                BaseModel = Path.Exists(location.Name) ? null : location.Name, _isEncoder = isEncoder, _source = location.Name, _processor = location.Processor,
            };
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static void Seed(long? seed)
    {
        if (seed is { } value)
        {
            _ = manual_seed(value);
        }
    }
}
