using System.Globalization;
using Vizsla.Models.Layers;
using Vizsla.Primitives;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm.Vit;

// Shapes: B batch, N tokens (the class token and the patches), D width, L labels.

/// <summary>timm's Vision Transformer.</summary>
/// <remarks>Source: timm <c>VisionTransformer</c>. Parity: 1e-4.</remarks>
internal sealed class TimmVitNetwork : TimmNetwork
{
    private const int Depth = 12;
    private const int PatchSide = 16;
    private const double Deviation = 0.02;
    private const double TokenDeviation = 1e-6;
    private static readonly string[] _poolings = ["avg", "avgmax", "max", "token"];

    private readonly ParameterSlot _classToken;
    private readonly ParameterSlot _positions;
    private readonly Convolution _patches;
    private readonly List<TimmVitBlock> _blocks = [];
    private readonly LayerNormalization _last;
    private readonly string _pooling;

    /// <param name="configuration">timm's configuration.</param>
    /// <param name="width">Width of the tokens.</param>
    /// <param name="heads">Heads of the attention.</param>
    public TimmVitNetwork(ModelConfiguration configuration, int width, int heads)
        : base(configuration, TimmOptions.From(configuration))
    {
        _pooling = Options.Pooling ?? "token";
        if (!_poolings.Contains(_pooling))
        {
            throw new ModelLoadException($"Unknown global_pool '{_pooling}'. Known: {string.Join(", ", _poolings)}.{Suggestion.DidYouMean(_pooling, _poolings)}");
        }

        OptionChecks.Patches(Options.ImageSize, (PatchSide, PatchSide));
        var patchCount = Options.ImageSize.Height / PatchSide * (Options.ImageSize.Width / PatchSide);
        _classToken = AddParameter("cls_token", 1, 1, width);
        _positions = AddParameter("pos_embed", 1, patchCount + 1, width);
        _patches = Add("patch_embed.proj", new Convolution(
            Options.Channels, width, new ConvolutionOptions(PatchSide) { Stride = (PatchSide, PatchSide) }));
        var rates = StochasticDepth.Rising(Options.DropPath, Depth);
        for (var i = 0; i < Depth; i++)
        {
            _blocks.Add(Add(string.Create(CultureInfo.InvariantCulture, $"blocks.{i}"), new TimmVitBlock(width, heads, rates[i])));
        }

        // Where patches are pooled, the norm comes after the pooling and has another name.
        _last = Add(_pooling == "token" ? "norm" : "fc_norm", new LayerNormalization(width, TimmVitBlock.Epsilon));
        Classifier = Add(HeadName, new Dense(width, Options.ClassCount));
    }

    internal override bool CanDropPatches => true;

    protected override string HeadName => "head";

    protected override Dense Classifier { get; }

    internal override bool AttendsGlobally => true;

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = Embed(pixels);                                                                  // [B, N, D]
        trace?.Tokens = TokenMap.Of(pixels.shape, (PatchSide, PatchSide), _pooling == "token" ? 1 : 0);
        trace?.AddHiddenState(x);
        foreach (var block in _blocks)
        {
            var next = block.Forward(x, trace);                                                 // [B, N, D]
            x.Dispose();
            x = next;
            trace?.AddHiddenState(x);
        }

        var pooled = _pooling == "token" ? _last.Forward(x).select(1, 0) : _last.Forward(Pool(x.narrow(1, 1, x.shape[1] - 1)));
        return pooled.MoveToOuterDisposeScope();                                                // [B, D]
    }

    public override void Initialize()
    {
        base.Initialize();
        WeightInitialization.TruncatedNormal(_positions.Value, Deviation);
        WeightInitialization.Normal(_classToken.Value, TokenDeviation);
    }

    protected override void InitializeLayer(Layer layer)
    {
        if (layer is Dense dense)
        {
            WeightInitialization.TruncatedNormal(dense.Weight, Deviation);
            WeightInitialization.Fill(dense.Bias, 0);
        }
    }

    private Tensor Embed(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var positions = PositionEmbeddings.For(
            _positions.Value, 1, (pixels.shape[2], pixels.shape[3]), Options.ImageSize, (PatchSide, PatchSide), InterpolatesPositions);
        var patches = _patches.Forward(pixels).flatten(2).transpose(1, 2);                      // [B, N - 1, D]
        var token = _classToken.Value.expand(pixels.shape[0], -1, -1);                          // [B, 1, D]
        var x = cat([token, patches], 1).Plus(positions);                // [B, N, D]
        return PatchDropout.Apply(x, 1, PatchDropRate, training).MoveToOuterDisposeScope();
    }

    /// <summary>Float [B, N - 1, D] to [B, D].</summary>
    private Tensor Pool(Tensor patches) => _pooling switch
    {
        "avg" => patches.mean([1]),
        "max" => patches.amax([1]),
        _ => patches.amax([1]).Plus(patches.mean([1])).Times(0.5),
    };
}
