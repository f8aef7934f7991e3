using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models;

/// <summary>A network of transformers: its head, and how its weights are initialized.</summary>
/// <remarks>
/// torch's constructors initialize every layer first, transformers then does so again; the head comes after the backbone.
/// Source: <c>PreTrainedModel.post_init</c>, <c>_init_weights</c>. Parity: the weights of 4.57 for the same seed.
/// </remarks>
internal abstract class TransformersNetwork(ModelConfiguration configuration, string className, string basePrefix)
    : ClassificationNetwork(configuration, className, basePrefix)
{
    private readonly List<(string Path, Dense Layer)> _head = [];

    /// <summary>The linear layers of the head, in their order.</summary>
    protected virtual IReadOnlyList<Dense> HeadLayers => [.. _head.Select(h => h.Layer)];

    public override IReadOnlyList<string> HeadParameterNames => [.. _head.SelectMany(h => new[] { h.Path + ".weight", h.Path + ".bias" })];

    public override Tensor Head(Tensor features) => _head[0].Layer.Forward(features);

    /// <summary>Adds a linear layer of the head, as wide as there are classes.</summary>
    private protected Dense AddHead(string path, long inputs)
    {
        var layer = Add(path, new Dense(inputs, Configuration.LabelCount));
        _head.Add((path, layer));
        return layer;
    }

    public override void Initialize()
    {
        using var mode = no_grad();
        var head = HeadLayers.ToHashSet<Layer>();
        var backbone = ModuleTree.Layers(this).Where(l => !head.Contains(l)).ToList();
        ResetConstructed(backbone);
        backbone.ForEach(InitializeLayer);
        foreach (var layer in HeadLayers)
        {
            layer.ResetParameters();
        }

        foreach (var layer in HeadLayers)
        {
            InitializeLayer(layer);
        }
    }

    public override void InitializeHead()
    {
        using var mode = no_grad();
        SkipConstructed();
        foreach (var layer in HeadLayers)
        {
            InitializeLayer(layer);
        }
    }

    /// <summary>Advances the generator by what a constructor of Python draws even for weights that come from a file.</summary>
    protected virtual void SkipConstructed()
    {
    }

    /// <summary>Initializes as torch's constructors do, in their order; all of it is initialized again.</summary>
    protected virtual void ResetConstructed(IReadOnlyList<Layer> backbone)
    {
        foreach (var layer in backbone)
        {
            layer.ResetParameters();
        }
    }

    /// <summary>Initializes a layer's own parameters as the class's <c>_init_weights</c> does.</summary>
    protected abstract void InitializeLayer(Layer layer);

    /// <summary>Linear layers and convolutions from a normal distribution, biases zero.</summary>
    private protected static void InitializeNormal(Layer layer, double deviation)
    {
        if (layer is IWeighted weighted)
        {
            WeightInitialization.Normal(weighted.Weight, deviation);
            WeightInitialization.Fill(weighted.Bias, 0);
        }
    }

    /// <summary>Linear layers and convolutions from a cut normal distribution, biases zero.</summary>
    private protected static void InitializeTruncatedNormal(Layer layer, double deviation)
    {
        if (layer is IWeighted weighted)
        {
            WeightInitialization.TruncatedNormal(weighted.Weight, deviation);
            WeightInitialization.Fill(weighted.Bias, 0);
        }
    }
}
