using Vizsla.Models.Layers;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Beit;

// Shapes: B batch, C channels, N tokens (the class token and the patches), D width, H heads, L labels.

/// <summary>BEiT with a linear head on the normalized mean of its patches, or on its class token.</summary>
/// <remarks>Source: transformers <c>BeitForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class BeitNetwork : TransformersNetwork
{
    private readonly BeitOptions _options;
    private readonly ParameterSlot _classToken;
    private readonly ParameterSlot? _maskToken;
    private readonly ParameterSlot? _positions;
    private readonly Convolution _patches;
    private readonly RelativePositionBias? _sharedBias;
    private readonly List<BeitLayer> _layers = [];
    private readonly LayerNormalization _last;
    private readonly Dense _classifier;

    public BeitNetwork(ModelConfiguration configuration)
        : base(configuration, BeitNames.ClassName, BeitNames.BasePrefix)
    {
        _options = BeitOptions.From(configuration);
        var (rows, columns) = _options.Grid;
        _classToken = AddParameter(BeitNames.ClassToken, 1, 1, _options.Width);
        _maskToken = _options.HasMaskToken ? AddParameter(BeitNames.MaskToken, 1, 1, _options.Width) : null;
        _positions = _options.HasPositions ? AddParameter(BeitNames.Positions, 1, rows * columns + 1, _options.Width) : null;
        _patches = Add(BeitNames.Patches, new Convolution(
            _options.Channels, _options.Width, new ConvolutionOptions(_options.PatchSize) { Stride = _options.PatchSize }));
        _sharedBias = _options.HasSharedRelativeBias
            ? Add(BeitNames.SharedBias, new RelativePositionBias(_options.Grid, _options.HeadCount))
            : null;
        var rates = StochasticDepth.Rising(_options.DropPath, _options.LayerCount);
        for (var i = 0; i < _options.LayerCount; i++)
        {
            _layers.Add(Add(BeitNames.Layer(i), new BeitLayer(_options, rates[i])));
        }

        _last = Add(_options.PoolsMean ? BeitNames.PoolerNorm : BeitNames.LastNorm, new LayerNormalization(_options.Width, _options.Epsilon));
        _classifier = Add(BeitNames.Classifier, new Dense(_options.Width, configuration.LabelCount));
    }

    public override IReadOnlyList<string> HeadParameterNames => BeitNames.Head;

    public override int SmallestSide => Math.Max(_options.PatchSize.Height, _options.PatchSize.Width);

    protected override IReadOnlyList<Dense> HeadLayers => [_classifier];

    internal override bool AttendsGlobally => true;

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var grid = (pixels.shape[2] / _options.PatchSize.Height, pixels.shape[3] / _options.PatchSize.Width);
        var x = Embed(pixels);                                                                  // [B, N, D]
        var shared = _sharedBias?.For(grid.Item1, grid.Item2);                                  // [1, H, N, N]
        trace?.Tokens = TokenMap.Of(pixels.shape, _options.PatchSize, _options.PoolsMean ? 0 : 1);
        trace?.AddHiddenState(x);
        foreach (var layer in _layers)
        {
            var next = layer.Forward(x, grid, shared, trace);                                   // [B, N, D]
            x.Dispose();
            x = next;
            trace?.AddHiddenState(x);
        }

        var pooled = _options.PoolsMean
            ? _last.forward(x.narrow(1, 1, x.shape[1] - 1).mean([1]))
            : _last.forward(x).select(1, 0);                                                    // [B, D]
        return pooled.MoveToOuterDisposeScope();
    }

    public override Tensor Head(Tensor features) => _classifier.forward(features);

    internal override string? NameOf(string name) =>
        name.Contains(BeitNames.DerivedIndex, StringComparison.Ordinal) ? null : name;

    protected override void InitializeLayer(Layer layer)
    {
        DrawNormal(layer, _options.InitializerRange);
        if (layer == _patches)
        {
            Drawing.Fill(_classToken.Value, 0);
            Drawing.Fill(_maskToken?.Value, 0);
            Drawing.Fill(_positions?.Value, 0);
        }
    }

    private Tensor Embed(Tensor pixels)
    {
        CheckChannels(pixels, _options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var patches = _patches.forward(pixels).flatten(2).transpose(1, 2);                      // [B, N - 1, D]
        var token = _classToken.Value.expand(pixels.shape[0], -1, -1);                          // [B, 1, D]
        var x = cat([token, patches], 1);                                                       // [B, N, D]
        if (_positions is { } positions)
        {
            x = x.Plus(PositionEmbeddings.Stretched(positions.Value, 1, (pixels.shape[2], pixels.shape[3]), _options.PatchSize));
        }

        return Dropout.Apply(x, _options.HiddenDropout, training).MoveToOuterDisposeScope();
    }
}
