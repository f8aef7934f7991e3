using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models;

/// <summary>A network from pictures to class scores whose parameters have, in memory, the names that the Hub's files give them.</summary>
/// <remarks>
/// Built without drawing weights: they are loaded, or drawn by <see cref="Initialize"/>. Build it outside any dispose scope.
/// Source: transformers <c>*ForImageClassification</c>, timm models.
/// </remarks>
public abstract class ClassificationNetwork : nn.Module<Tensor, Tensor>
{
    // With channels side by side the backward pass of libtorch 2.10 writes beyond its buffer for strided convolutions of single places
    // whose channels do not fill a vector; networks of real sizes have none.
    private const int VectorChannels = 16;

    private Folding? _folding;
    private int _foldingCount;
    private bool? _allowsChannelsLast;

    /// <summary>Makes a network without weights; an extension point, with <see cref="Architectures.Register"/>.</summary>
    /// <param name="configuration">What it is built from.</param>
    /// <param name="className">The class in Python.</param>
    /// <param name="basePrefix">What the names of the backbone begin with, such as <c>vit.</c>.</param>
    protected ClassificationNetwork(ModelConfiguration configuration, string className, string basePrefix)
        : base(className)
    {
        Configuration = configuration;
        ClassName = className;
        BasePrefix = basePrefix;
    }

    /// <summary>The configuration that the network was built from.</summary>
    public ModelConfiguration Configuration { get; }

    /// <summary>The class in Python, such as <c>ViTForImageClassification</c>; timm's name for a model of timm's.</summary>
    public string ClassName { get; }

    /// <summary>What the names of the backbone begin with, such as <c>vit.</c>; empty for timm's models.</summary>
    public string BasePrefix { get; }

    /// <summary>Names of the parameters of the head, which a change of classes replaces.</summary>
    public abstract IReadOnlyList<string> HeadParameterNames { get; }

    /// <summary>Names of parameters outside the head that are new together with it, where an encoder alone is the start: they come in their initial state and train.</summary>
    internal virtual IReadOnlyList<string> NewWithHead => [];

    /// <summary>The smallest height and width that the network can take, in pixels.</summary>
    public virtual int SmallestSide => 1;

    /// <summary>Whether position embeddings are stretched to pictures of other sizes than the model's own; off by default.</summary>
    /// <remarks>Source: the argument <c>interpolate_pos_encoding</c> of transformers.</remarks>
    public virtual bool InterpolatesPositions { get; set; }

    /// <summary>Whether every token attends to the whole picture, so that attention tells where the network looked.</summary>
    internal virtual bool AttendsGlobally => false;

    /// <summary>Whether <see cref="PatchDropRate"/> means something to this network.</summary>
    internal virtual bool CanDropPatches => false;

    /// <summary>Whether a processor with bfloat16 products nevertheless trains this network faster in float32.</summary>
    internal virtual bool TrainsSlowerInBfloat16 => false;

    /// <summary>Held by the thread that computes with the network, and while its weights or modes change; the same thread may take it again.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Whether the weights are disposed.</summary>
    internal bool IsDisposed { get; private set; }

    /// <summary>Share of the patches left out of each forward pass in training, at least 0 and below 1; 0 by default.</summary>
    internal double PatchDropRate { get; set; }

    /// <summary>Gives, for pictures and patches, the standard normal numbers whose order says which patches stay, float [B, patches]; null draws them from torch's global generator.</summary>
    internal Func<long, long, Tensor>? PatchNoise { get; set; }

    /// <summary>Whether pixels stay as they lie in memory also where another order is faster; off by default, for measurements.</summary>
    internal bool KeepsMemoryLayout { get; set; }

    /// <summary>Whether the convolutions of this network may have the channels of each place side by side.</summary>
    internal bool AllowsChannelsLast => _allowsChannelsLast ??= ModuleTree.Layers(this).OfType<Convolution>().All(c =>
        c.Options.Kernel != (1, 1) || c.Options.Stride == (1, 1) || c.Weight.shape[1] % VectorChannels == 0);

    /// <summary>Class scores of a batch.</summary>
    /// <param name="pixels">Float [B, C, H, W], preprocessed.</param>
    /// <returns>Float [B, L]; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The pictures do not have the model's channels or size.</exception>
    public override Tensor forward(Tensor pixels)
    {
        NumberGuard.Require(this, pixels);
        using var features = Features(pixels);
        return Head(features);
    }

    /// <summary>The pooled features that the head turns into scores.</summary>
    /// <param name="pixels">Float [B, C, H, W], preprocessed.</param>
    /// <param name="trace">Takes hidden states on the way; null keeps none.</param>
    /// <returns>Float [B, F]; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The pictures do not have the model's channels or size.</exception>
    public abstract Tensor Features(Tensor pixels, NetworkTrace? trace = null);

    /// <summary>Class scores of pooled features.</summary>
    /// <param name="features">What <see cref="Features"/> gives.</param>
    /// <returns>Float [B, L]; the caller owns it.</returns>
    public abstract Tensor Head(Tensor features);

    /// <summary>Draws every weight as the Python class does when it is made, from torch's global generator.</summary>
    /// <remarks>Seed it before with <c>torch.manual_seed</c>; the same seed gives Python's weights where the class says so.</remarks>
    public abstract void Initialize();

    /// <summary>Draws the head's weights alone, as transformers does for a head that the file does not hold.</summary>
    public abstract void InitializeHead();

    /// <summary>Puts the network in evaluation mode, after whoever computes with it.</summary>
    internal void Evaluate()
    {
        lock (Gate)
        {
            eval();
        }
    }

    /// <summary>Folds each batch norm into the convolution before it, for prediction: fewer passes over the planes, the same scores up to rounding.</summary>
    /// <returns>Takes the folding back when the last one is disposed; the weights themselves never change.</returns>
    internal IDisposable FoldForPrediction()
    {
        lock (Gate)
        {
            if (_foldingCount++ == 0)
            {
                _folding = new Folding([.. ModuleTree.Layers(this).OfType<BatchNormalization>().Select(n => n.Unit).OfType<IFoldable>().Distinct().Where(u => u.CanFold)]);
            }
        }

        return new FoldingUse(this);
    }

    /// <summary>Whether batch norms are folded, see <see cref="FoldForPrediction"/>.</summary>
    internal bool IsFolded => _foldingCount > 0;

    /// <summary>Has pixels lie in memory as in training, also in evaluation mode, until it is disposed.</summary>
    internal IDisposable ArrangeAsInTraining()
    {
        _foldingCount++;
        return new FoldingUse(this);
    }

    /// <summary>Parameters and buffers under their names in the file, in the order of Python's <c>state_dict()</c>; the network keeps them.</summary>
    public IEnumerable<(string Name, Tensor Value)> State() => ModuleTree.State(this).Select(s => (SavedName(s.Name), s.Value));

    /// <summary>Adds what a file holds beside the weights and what would be missed in it when it is saved again.</summary>
    /// <param name="names">Names in the file.</param>
    internal virtual void KeepExtras(IReadOnlyCollection<string> names)
    {
    }

    /// <summary>The name in this network of a weight in a file, where the two differ; null for a weight to pass over.</summary>
    /// <param name="name">Name in the file.</param>
    internal virtual string? NameOf(string name) => name;

    /// <summary>The name under which a weight is saved, where the folder that was read has all names in another form.</summary>
    /// <param name="name">Name in this network.</param>
    internal virtual string NameInFile(string name) => name;

    /// <summary>Changes a weight of a file to the shape that this network keeps it in; null where it stays as it is.</summary>
    /// <param name="name">Name in this network.</param>
    /// <param name="fileShape">Shape in the file.</param>
    internal virtual IReadOnlyList<long>? Reshaped(string name, IReadOnlyList<long> fileShape) => null;

    /// <summary>The name in the file of a weight of this network, where a file was read that spells it otherwise.</summary>
    private protected virtual string SavedName(string name) => name;

    /// <summary>Does nothing: parts are registered by hand, under the names of the file.</summary>
    protected override void RegisterComponents()
    {
    }

    /// <summary>Disposes the weights, after whoever computes with them.</summary>
    protected override void Dispose(bool disposing)
    {
        if (!disposing)
        {
            base.Dispose(disposing);
            return;
        }

        lock (Gate)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }

    /// <summary>Registers a part under the dotted name that it has in the file.</summary>
    /// <param name="path">The name, such as <c>vit.layernorm</c>.</param>
    /// <param name="module">The part.</param>
    /// <returns>The part.</returns>
    protected T Add<T>(string path, T module)
        where T : nn.Module => ModuleTree.Add(this, path, module);

    private protected ParameterSlot AddParameter(string path, params long[] shape) => ModuleTree.AddParameter(this, path, shape);

    /// <summary>Sends a tensor through blocks one after the other, each result in the place of the one before.</summary>
    /// <param name="x">The first block's input; disposed.</param>
    /// <param name="blocks">The blocks.</param>
    /// <param name="forward">The work of one block.</param>
    /// <param name="trace">Takes each block's result; null keeps none.</param>
    /// <returns>The last block's result, in the caller's scope.</returns>
    private protected static Tensor Through<T>(Tensor x, IEnumerable<T> blocks, Func<T, Tensor, Tensor> forward, NetworkTrace? trace = null) =>
        Through(x, null, blocks, (block, tokens, _) => forward(block, tokens), trace);

    /// <summary>The same where all blocks take a tensor with a gradient beside their input.</summary>
    private protected static Tensor Through<T>(Tensor x, Tensor? shared, IEnumerable<T> blocks, Func<T, Tensor, Tensor?, Tensor> forward, NetworkTrace? trace = null)
    {
        foreach (var block in blocks)
        {
            var next = Recomputation.Run((tokens, other) => forward(block, tokens, other), x, shared);
            x.Dispose();
            x = next;
            trace?.AddHiddenState(x);
        }

        return x;
    }

    /// <summary>The pixels as the convolutions of this network work fastest on them, in training and in prediction; otherwise as in Python, where rounding counts.</summary>
    /// <param name="pixels">Float [B, C, H, W].</param>
    /// <returns>The same values; the caller owns it.</returns>
    private protected Tensor Arranged(Tensor pixels) =>
        (training || _foldingCount > 0) && !KeepsMemoryLayout && AllowsChannelsLast ? MemoryLayout.ChannelsLast(pixels) : pixels.Alias();

    /// <summary>Refuses a batch that does not have the configured channels.</summary>
    private protected static void CheckChannels(Tensor pixels, int channels)
    {
        if (pixels.dim() != 4 || pixels.shape[1] != channels)
        {
            throw new ArgumentException(
                $"Make sure that the channel dimension of the pixel values match with the one set in the configuration. Expected [B, {channels}, H, W] but got [{string.Join(", ", pixels.shape)}].",
                nameof(pixels));
        }
    }

    /// <summary>Refuses pictures that shrink to nothing on the way.</summary>
    private protected void CheckSmallestSide(Tensor pixels)
    {
        if (pixels.shape[2] < SmallestSide || pixels.shape[3] < SmallestSide)
        {
            throw new ArgumentException(
                $"A picture of {pixels.shape[2]}x{pixels.shape[3]} pixels is too small for {ClassName}, which needs at least {SmallestSide}x{SmallestSide}; resize it first.",
                nameof(pixels));
        }
    }

    private void EndFolding()
    {
        lock (Gate)
        {
            if (--_foldingCount == 0)
            {
                _folding?.Dispose();
                _folding = null;
            }
        }
    }

    /// <summary>One of those who want the network folded.</summary>
    private sealed class FoldingUse(ClassificationNetwork network) : IDisposable
    {
        private ClassificationNetwork? _network = network;

        public void Dispose()
        {
            _network?.EndFolding();
            _network = null;
        }
    }
}
