using System.Text.Json.Nodes;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width, N = H W places, h heads.

/// <summary>timm's FastViT, and the picture towers of MobileCLIP: convolutions side by side, which are one once they are trained, then attention.</summary>
/// <remarks>Source: timm <c>FastVit</c>. Parity: 1e-4.</remarks>
internal sealed class TimmFastVitNetwork : TimmNetwork
{
    private const double Deviation = 0.02;

    private readonly List<TensorLayer> _stem = [];
    private readonly List<List<TensorLayer>> _stages = [];
    private readonly TimmMobileOne _last;
    private readonly TimmPooling _pooling;

    public TimmFastVitNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = new TimmPooling(Options.Pooling);
        var (depths, widths) = (arguments.WholeNumbers("layers", 2, 2, 6, 2), arguments.WholeNumbers("embed_dims", 64, 128, 256, 512));
        var ratios = arguments.Numbers("mlp_ratios", [.. depths.Select(_ => 4.0)]);
        var squeezes = arguments.Flags("se_downsamples", [.. depths.Select(_ => false)]);
        var shrinks = arguments.Flags("downsamples", [.. depths.Select((_, i) => i > 0)]);
        var mixers = arguments.Json["token_mixers"] is JsonArray list ? [.. list.Select(m => (string)m!)] : depths.Select(_ => "repmixer").ToList();
        var positions = arguments.Json["pos_embs"] is JsonArray given ? [.. given.Select(p => p is not null)] : depths.Select(_ => false).ToList();
        var norm = arguments.Text("norm_layer", TimmStyle.BatchNorm);
        var stemScales = arguments.Flag("stem_use_scale_branch", true);
        _stem.Add(Add("stem.0", new TimmMobileOne(new(Options.Channels, widths[0], 3) { Stride = 2, HasScale = stemScales })));
        _stem.Add(Add("stem.1", new TimmMobileOne(new(widths[0], widths[0], 3) { Stride = 2, Groups = widths[0], HasScale = stemScales })));
        _stem.Add(Add("stem.2", new TimmMobileOne(new(widths[0], widths[0], 1))));
        var rates = new Queue<double>(StochasticDepth.Rising(Options.DropPath, depths.Sum()));
        var inputs = widths[0];
        for (var stage = 0; stage < depths.Count; stage++)
        {
            var layers = new List<TensorLayer>();
            var width = widths[stage];
            if (shrinks[stage] || inputs != width)
            {
                layers.Add(Add($"stages.{stage}.downsample.proj.0", new TimmLargeKernel((inputs, width), squeezes[stage], arguments.Flag("lkc_use_act", false))));
                layers.Add(Add($"stages.{stage}.downsample.proj.1", new TimmMobileOne(new(width, width, 1))));
            }

            if (positions[stage])
            {
                layers.Add(Add($"stages.{stage}.pos_emb", new TimmConditionalPositions(width)));
            }

            for (var i = 0; i < depths[stage]; i++)
            {
                layers.Add(Add<TensorLayer>($"stages.{stage}.blocks.{i}", mixers[stage] == "attention"
                    ? new TimmFastVitAttentionBlock(width, (int)(width * ratios[stage]), norm, rates.Dequeue())
                    : new TimmFastVitMixerBlock(width, (int)(width * ratios[stage]), rates.Dequeue())));
            }

            inputs = width;
            _stages.Add(layers);
        }

        _last = Add("final_conv", new TimmMobileOne(new(inputs, 2 * inputs, 3) { Groups = inputs, HasSqueeze = true }));
        Classifier = Add(HeadName, new Dense(2 * inputs * _pooling.Multiplier, Options.ClassCount));
    }

    protected override string HeadName => "head.fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = Through(_stem, Arranged(pixels));                                               // [B, C, H / 4, W / 4]
        foreach (var stage in _stages)
        {
            x = Through(stage, x);
            trace?.AddHiddenState(x);
        }

        x = _last.Forward(x);
        trace?.KeepPlane(x);
        return _pooling.Apply(x).MoveToOuterDisposeScope();                                     // [B, C]
    }

    protected override void InitializeLayer(Layer layer)
    {
        if (layer is Dense dense)
        {
            WeightInitialization.TruncatedNormal(dense.Weight, Deviation);
            WeightInitialization.Fill(dense.Bias, 0);
        }
    }
}
