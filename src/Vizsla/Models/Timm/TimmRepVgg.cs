using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width.

/// <summary>timm's RepVGG: blocks of two convolutions and a norm side by side, which are one convolution once they are trained.</summary>
/// <remarks>Source: timm <c>ByobNet</c> with <c>RepVggBlock</c>. Parity: 1e-4.</remarks>
internal sealed class TimmRepVggNetwork : TimmNetwork
{
    private readonly TimmRepVggBlock _stem;
    private readonly List<List<TimmRepVggBlock>> _stages = [];
    private readonly TimmPooling _pooling;

    public TimmRepVggNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = new TimmPooling(Options.Pooling);
        var squeeze = arguments.TextOrNull("attn_layer") is null ? null : arguments.Json["attn_kwargs"];
        double? ratio = squeeze is null ? null : (double)squeeze["rd_ratio"]!;
        var channels = arguments.WholeNumber("stem_chs", 32);
        _stem = Add("stem", new TimmRepVggBlock(Options.Channels, channels, 2, 1, ratio, 0));
        var stages = arguments.Json["blocks"]!.AsArray().Select(s => s!.AsObject()).ToList();
        var rates = new Queue<double>(StochasticDepth.Rising(Options.DropPath, stages.Sum(s => (int)s["d"]!)));
        foreach (var (index, stage) in stages.Index())
        {
            var outputs = (int)(double)stage["c"]!;
            var blocks = new List<TimmRepVggBlock>();
            for (var i = 0; i < (int)stage["d"]!; i++)
            {
                var groups = GroupsOf(stage["gs"], channels, i);
                blocks.Add(Add($"stages.{index}.{i}", new TimmRepVggBlock(channels, outputs, i == 0 ? 2 : 1, groups, ratio, rates.Dequeue())));
                channels = outputs;
            }

            _stages.Add(blocks);
        }

        Classifier = Add(HeadName, new Dense(channels * _pooling.Multiplier, Options.ClassCount));
    }

    protected override string HeadName => "head.fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = _stem.Forward(Arranged(pixels));                                                // [B, C, H / 2, W / 2]
        foreach (var stage in _stages)
        {
            x = Through(stage, x);
            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        return _pooling.Apply(x).MoveToOuterDisposeScope();                                     // [B, C]
    }

    protected override void InitializeLayer(Layer layer)
    {
        const double HeadDeviation = 0.01;
        switch (layer)
        {
            case Convolution convolution:
                var outputs = convolution.Weight.shape[0] * convolution.Options.Kernel.Height * convolution.Options.Kernel.Width;
                WeightInitialization.Normal(convolution.Weight, Math.Sqrt(2.0 / (outputs / convolution.Options.Groups)));
                WeightInitialization.Fill(convolution.Bias, 0);
                break;
            case Dense dense:
                WeightInitialization.Normal(dense.Weight, HeadDeviation);
                WeightInitialization.Fill(dense.Bias, 0);
                break;
            case TimmRepVggBlock block:
                block.InitializeNorms();
                break;
        }
    }

    // A function in the table splits every other convolution of a stage into four groups.
    private static int GroupsOf(JsonNode? size, int inputs, int index)
    {
        const int SplitGroups = 4;
        return size?.GetValueKind() == JsonValueKind.String
            ? (index % 2 == 1 ? SplitGroups : 1)
            : size is null || (int)size == 0 ? 1 : inputs / (int)size;
    }
}

/// <summary>One block: a convolution of three by three, one of single places, and the plane itself, each with a norm, added up.</summary>
/// <remarks>Source: timm <c>RepVggBlock</c>. Parity: 1e-5.</remarks>
internal sealed class TimmRepVggBlock : TensorLayer
{
    private static readonly TimmStyle _style = new("relu");
    private readonly BatchNormalization? _identity;
    private readonly ConvolutionUnit _wide;
    private readonly ConvolutionUnit _point;
    private readonly ConvolutionBranches _branches;
    private readonly TensorLayer? _squeeze;
    private readonly double _dropPath;

    /// <param name="inputs">Channels of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="stride">Step of the convolutions.</param>
    /// <param name="groups">Groups of channels that do not see each other.</param>
    /// <param name="squeezeRatio">Reduced channels of the squeeze as a share; null for none.</param>
    /// <param name="dropPath">Share of the pictures for which both convolutions are left out, in training.</param>
    public TimmRepVggBlock(int inputs, int outputs, int stride, int groups, double? squeezeRatio, double dropPath)
        : base(nameof(TimmRepVggBlock))
    {
        _dropPath = dropPath;
        _identity = inputs == outputs && stride == 1 ? Add("identity", new BatchNormalization(outputs)) : null;
        _wide = ConvolutionUnit.Add(this, ("conv_kxk.conv", "conv_kxk.bn"), inputs, outputs, _style.Convolution(3, stride, groups), null);
        _point = ConvolutionUnit.Add(this, ("conv_1x1.conv", "conv_1x1.bn"), inputs, outputs, _style.Convolution(1, stride, groups), null);
        _branches = new ConvolutionBranches([_point, _wide], _identity);
        _squeeze = squeezeRatio is { } ratio
            ? Add("attn", new TimmSqueeze(outputs, TimmRounding.ToMultiple(outputs * ratio, 1, 0), ("relu", "sigmoid"), ("fc1", "fc2")))
            : null;
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _branches.Forward(input, sum => _identity is null ? sum : StochasticDepth.Apply(sum, _dropPath, training));
        return (_squeeze?.Forward(x) ?? x).Relu().MoveToOuterDisposeScope();
    }

    /// <summary>Draws the norms around a tenth, as timm does.</summary>
    public void InitializeNorms()
    {
        const double Spread = 0.1;
        foreach (var norm in new[] { _identity, _wide.Norm, _point.Norm }.OfType<BatchNormalization>())
        {
            norm.Weight.normal_(Spread, Spread);
            norm.Bias.normal_(0, Spread);
        }
    }
}
