using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

/// <summary>A network of timm: one linear head unless it says otherwise, weights drawn layer by layer.</summary>
/// <remarks>Files of transformers' <c>TimmWrapper</c> put <c>timm_model.</c> before each name; both are read, and a folder that had the one or the other is saved so.</remarks>
internal abstract class TimmNetwork : ClassificationNetwork
{
    private const string WrapperPrefix = "timm_model.";

    private bool _isWrapped;

    /// <param name="configuration">timm's configuration.</param>
    /// <param name="arguments">What the table gives the class.</param>
    /// <param name="dropPath">The class's own <c>drop_path_rate</c>.</param>
    protected TimmNetwork(ModelConfiguration configuration, ModelConfiguration arguments, double dropPath = 0)
        : base(configuration, configuration.Text("architecture", ""), "") => Options = TimmOptions.From(configuration, arguments, dropPath);

    /// <summary>Name of the head's linear layer in the file.</summary>
    protected abstract string HeadName { get; }

    /// <summary>The head: a linear layer, or a convolution of single places.</summary>
    protected abstract TensorLayer Classifier { get; }

    protected TimmOptions Options { get; }

    public override IReadOnlyList<string> HeadParameterNames => [HeadName + ".weight", HeadName + ".bias"];

    public override Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        var dropped = Dropout.Apply(features, Options.DropRate, training);
        return (Classifier is Convolution ? Classifier.Forward(dropped.Unsqueeze(-1).Unsqueeze(-1)).Flatten(1) : Classifier.Forward(dropped)).MoveToOuterDisposeScope();
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
    public override void InitializeHead()
    {
        using var mode = no_grad();
        Classifier.ResetParameters();
    }

    internal override string? NameOf(string name) =>
        name.StartsWith(WrapperPrefix, StringComparison.Ordinal) ? name[WrapperPrefix.Length..] : name;

    internal override void KeepExtras(IReadOnlyCollection<string> names) => _isWrapped = names.Any(n => n.StartsWith(WrapperPrefix, StringComparison.Ordinal));

    internal override string NameInFile(string name) => _isWrapped ? WrapperPrefix + name : name;

    /// <summary>Draws a layer's own parameters as timm does, after torch's constructor.</summary>
    protected abstract void InitializeLayer(Layer layer);

    /// <summary>Sends a tensor through layers, one after the other.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="x">What the first takes; disposed.</param>
    /// <returns>What the last gives, in the caller's scope.</returns>
    internal static Tensor Through(IEnumerable<TensorLayer> layers, Tensor x)
    {
        foreach (var layer in layers)
        {
            var next = Recomputation.Run((plane, _) => layer.Forward(plane), x);
            x.Dispose();
            x = next;
        }

        return x;
    }
}
