using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models;

/// <summary>A network of transformers: how it draws its weights.</summary>
/// <remarks>
/// torch's constructors draw every layer first, transformers then draws them again; the head comes after the backbone.
/// Source: <c>PreTrainedModel.post_init</c>, <c>_init_weights</c>. Parity: the weights of 4.57 for the same seed.
/// </remarks>
internal abstract class TransformersNetwork(ModelConfiguration configuration, string className, string basePrefix)
    : ClassificationNetwork(configuration, className, basePrefix)
{
    /// <summary>The linear layers of the head, in their order.</summary>
    protected abstract IReadOnlyList<Dense> HeadLayers { get; }

    public override void Initialize()
    {
        using var mode = no_grad();
        var head = HeadLayers.ToHashSet<Layer>();
        var backbone = ModuleTree.Layers(this).Where(l => !head.Contains(l)).ToList();
        DrawConstructors(backbone);
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
        DrawTokens();
        foreach (var layer in HeadLayers)
        {
            InitializeLayer(layer);
        }
    }

    /// <summary>Draws and forgets what a constructor of Python draws even for weights that come from a file; the generator moves on.</summary>
    protected virtual void DrawTokens()
    {
    }

    /// <summary>Draws what torch's constructors draw, in their order; all of it is drawn again.</summary>
    protected virtual void DrawConstructors(IReadOnlyList<Layer> backbone)
    {
        foreach (var layer in backbone)
        {
            layer.ResetParameters();
        }
    }

    /// <summary>Draws a layer's own parameters as the class's <c>_init_weights</c> does.</summary>
    protected abstract void InitializeLayer(Layer layer);

    /// <summary>Linear layers and convolutions from a normal distribution, biases zero.</summary>
    private protected static void DrawNormal(Layer layer, double deviation)
    {
        if (layer is IWeighted weighted)
        {
            Drawing.Normal(weighted.Weight, deviation);
            Drawing.Fill(weighted.Bias, 0);
        }
    }

    /// <summary>Linear layers and convolutions from a cut normal distribution, biases zero.</summary>
    private protected static void DrawTruncatedNormal(Layer layer, double deviation)
    {
        if (layer is IWeighted weighted)
        {
            Drawing.TruncatedNormal(weighted.Weight, deviation);
            Drawing.Fill(weighted.Bias, 0);
        }
    }
}
