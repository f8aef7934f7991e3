using Vizsla.Models.Layers;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Swin;

// Shapes: B batch, C channels, N tokens, D width, L labels.

/// <summary>Swin with a linear head on the mean of its last tokens.</summary>
/// <remarks>Source: transformers <c>SwinForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class SwinNetwork : TransformersNetwork
{
    private const double FirstEpsilon = 1e-5;

    private readonly SwinOptions _options;
    private readonly ParameterSlot? _positions;
    private readonly Convolution _patches;
    private readonly LayerNormalization _first;
    private readonly List<(List<SwinLayer> Blocks, PatchMerging? Merging)> _stages = [];
    private readonly LayerNormalization _last;
    private readonly Dense _classifier;

    public SwinNetwork(ModelConfiguration configuration)
        : base(configuration, SwinNames.ClassName, SwinNames.BasePrefix)
    {
        _options = SwinOptions.From(configuration);
        _positions = _options.HasPositions ? AddParameter(SwinNames.Positions, 1, _options.PatchCount, _options.Width) : null;
        _patches = Add(SwinNames.Patches, new Convolution(
            _options.Channels, _options.Width, new ConvolutionOptions(_options.PatchSize) { Stride = _options.PatchSize }));
        _first = Add(SwinNames.FirstNorm, new LayerNormalization(_options.Width, FirstEpsilon));
        var rates = new Queue<double>(StochasticDepth.Rising(_options.DropPath, _options.Depths.Sum()));
        for (var stage = 0; stage < _options.Depths.Count; stage++)
        {
            _stages.Add(MakeStage(stage, rates));
        }

        _last = Add(SwinNames.LastNorm, new LayerNormalization(_options.LastWidth, _options.Epsilon));
        _classifier = Add(SwinNames.Classifier, new Dense(_options.LastWidth, configuration.LabelCount));
    }

    public override IReadOnlyList<string> HeadParameterNames => SwinNames.Head;

    protected override IReadOnlyList<Dense> HeadLayers => [_classifier];

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var (x, plane) = Embed(pixels);                                                         // [B, N, D]
        trace?.AddHiddenState(x);
        foreach (var (blocks, merging) in _stages)
        {
            foreach (var block in blocks)
            {
                var next = block.Forward(x, plane, trace);                                      // [B, N, D]
                x.Dispose();
                x = next;
            }

            if (merging is not null)
            {
                x = merging.Forward(x, plane);                                                  // [B, N / 4, 2 D]
                plane = ((plane.Rows + 1) / 2, (plane.Columns + 1) / 2);
            }

            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x, plane);
        return _last.forward(x).mean([1]).MoveToOuterDisposeScope();                            // [B, D]
    }

    public override Tensor Head(Tensor features) => _classifier.forward(features);

    internal override void KeepExtras(IReadOnlyCollection<string> names)
    {
        if (names.Any(n => n.EndsWith(SwinNames.DerivedIndex, StringComparison.Ordinal)))
        {
            _stages.SelectMany(s => s.Blocks).ToList().ForEach(b => b.KeepIndex());
        }
    }

    protected override void InitializeLayer(Layer layer)
    {
        DrawNormal(layer, _options.InitializerRange);
        if (layer == _patches)
        {
            Drawing.Fill(_positions?.Value, 0);
        }
    }

    private (List<SwinLayer> Blocks, PatchMerging? Merging) MakeStage(int stage, Queue<double> rates)
    {
        var blocks = new List<SwinLayer>();
        for (var i = 0; i < _options.Depths[stage]; i++)
        {
            blocks.Add(Add(SwinNames.Block(stage, i), new SwinLayer(_options, stage, isShifted: i % 2 == 1, rates.Dequeue())));
        }

        var isLast = stage == _options.Depths.Count - 1;
        return (blocks, isLast ? null : Add(SwinNames.Merging(stage), new PatchMerging(_options.StageWidth(stage))));
    }

    private (Tensor Tokens, (long Rows, long Columns) Plane) Embed(Tensor pixels)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var (height, width) = (pixels.shape[2], pixels.shape[3]);
        var (patchHeight, patchWidth) = _options.PatchSize;
        var (below, right) = ((patchHeight - height % patchHeight) % patchHeight, (patchWidth - width % patchWidth) % patchWidth);
        var padded = below + right > 0 ? nn.functional.pad(pixels, (0, right, 0, below)) : pixels;
        var patches = _patches.forward(padded);                                                 // [B, D, R, S]
        var x = _first.forward(patches.flatten(2).transpose(1, 2));                             // [B, N, D]
        if (_positions is { } slot)
        {
            using var positions = InterpolatesPositions
                ? PositionEmbeddings.Stretched(slot.Value, 0, (height, width), _options.PatchSize)
                : slot.Value.alias();
            if (positions.shape[1] != x.shape[1])
            {
                throw new ArgumentException(
                    $"Input image size ({height}*{width}) doesn't match model ({_options.ImageSize.Height}*{_options.ImageSize.Width}).", nameof(pixels));
            }

            x = x.Plus(positions);
        }

        return (Dropout.Apply(x, _options.HiddenDropout, training).MoveToOuterDisposeScope(), (patches.shape[2], patches.shape[3]));
    }
}
