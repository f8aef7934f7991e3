using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

/// <summary>A network of timm: one linear head, weights drawn layer by layer.</summary>
/// <remarks>Files of transformers' <c>TimmWrapper</c> put <c>timm_model.</c> before each name; both are read, timm's own are written.</remarks>
internal abstract class TimmNetwork : ClassificationNetwork
{
    private const string WrapperPrefix = "timm_model.";

    protected TimmNetwork(ModelConfiguration configuration, TimmOptions options)
        : base(configuration, options.Architecture, "") => Options = options;

    /// <summary>Name of the head's linear layer in the file.</summary>
    protected abstract string HeadName { get; }

    /// <summary>The head's linear layer.</summary>
    protected abstract Dense Classifier { get; }

    protected TimmOptions Options { get; }

    public sealed override IReadOnlyList<string> HeadParameterNames => [HeadName + ".weight", HeadName + ".bias"];

    public sealed override Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        return Classifier.Forward(Dropout.Apply(features, Options.DropRate, training)).MoveToOuterDisposeScope();
    }

    public override void Initialize()
    {
        using var mode = no_grad();
        var layers = ModuleTree.Layers(this).ToList();
        layers.ForEach(l => l.ResetParameters());
        layers.ForEach(InitializeLayer);
    }

    /// <remarks>
    /// Source: timm <c>reset_classifier</c>, which leaves torch's own small weights. Those that timm's <c>create_model</c> draws for a whole EfficientNet are six times as wide,
    /// and a head that learns on frozen features keeps their noise.
    /// </remarks>
    public sealed override void InitializeHead()
    {
        using var mode = no_grad();
        Classifier.ResetParameters();
    }

    internal override string? NameOf(string name) =>
        name.StartsWith(WrapperPrefix, StringComparison.Ordinal) ? name[WrapperPrefix.Length..] : name;

    /// <summary>Draws a layer's own parameters as timm does, after torch's constructor.</summary>
    protected abstract void InitializeLayer(Layer layer);
}
