using Vizsla.Models.Layers;
using Vizsla.Primitives;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, N tokens (P leading ones and the patches), D width, H heads, K width of a head.

/// <summary>timm's Vision Transformers with relative and rotary positions: BEiT and BEiT V2, EVA and EVA02, DINOv3, and ViTs with rotary positions.</summary>
/// <remarks>Source: timm <c>Beit</c>, <c>Eva</c>. Parity: 1e-4.</remarks>
internal sealed class TimmEvaNetwork : TimmNetwork
{
    private const double Deviation = 0.02;
    private static readonly string[] _poolings = ["avg", "avgmax", "max", "token"];

    private readonly TimmEvaShape _shape;
    private readonly List<ParameterSlot> _leading = [];
    private readonly ParameterSlot? _positions;
    private readonly TimmRotary? _rotary;
    private readonly Convolution _patches;
    private readonly List<TimmEvaBlock> _blocks = [];
    private readonly TensorLayer? _norm;
    private readonly TensorLayer? _pooledNorm;
    private readonly string _pooling;
    private readonly int _patchSide;
    private readonly bool _leadingHavePositions;
    private readonly bool _takesAnySize;

    public TimmEvaNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = Options.Pooling ?? "avg";
        if (!_poolings.Contains(_pooling))
        {
            throw new ModelLoadException($"Unknown global_pool '{_pooling}'. Known: {string.Join(", ", _poolings)}.{Suggestion.DidYouMean(_pooling, _poolings)}");
        }

        _patchSide = arguments.WholeNumber("patch_size", 16);
        OptionChecks.Patches(Options.ImageSize, (_patchSide, _patchSide));
        (int Rows, int Columns) grid = (Options.ImageSize.Height / _patchSide, Options.ImageSize.Width / _patchSide);
        _shape = TimmEvaShape.From(arguments, grid);
        _takesAnySize = arguments.Flag("dynamic_img_size", false);
        _leadingHavePositions = !arguments.Flag("no_embed_class", false);
        var (hasClass, registers) = (arguments.Flag("class_token", true), arguments.WholeNumber("num_reg_tokens", 0));
        if (_pooling == "token" && !hasClass)
        {
            throw new ModelLoadException($"global_pool 'token' needs a class token, which {Options.Architecture} does not have. Known: avg, avgmax, max.");
        }

        LeadingCount = (hasClass ? 1 : 0) + registers;
        if (hasClass)
        {
            _leading.Add(AddParameter("cls_token", 1, 1, _shape.Width));
        }

        if (registers > 0)
        {
            _leading.Add(AddParameter("reg_token", 1, registers, _shape.Width));
        }

        _positions = arguments.Flag("use_abs_pos_emb", true)
            ? AddParameter("pos_embed", 1, grid.Rows * grid.Columns + (_leadingHavePositions ? LeadingCount : 0), _shape.Width)
            : null;
        _patches = Add("patch_embed.proj", new Convolution(Options.Channels, _shape.Width, new ConvolutionOptions(_patchSide) { Stride = (_patchSide, _patchSide) }));
        var depth = arguments.WholeNumber("depth", 12);
        _rotary = arguments.Flag("use_rot_pos_emb", false) ? new TimmRotary(this, arguments, _shape.Width / _shape.Heads, _shape.Heads, depth, LeadingCount) : null;
        var rates = StochasticDepth.Rising(Options.DropPath, depth);
        for (var i = 0; i < depth; i++)
        {
            _blocks.Add(Add($"blocks.{i}", new TimmEvaBlock(_shape, rates[i])));
        }

        // Where patches are pooled, the norm comes after the pooling and has another name.
        var pooledNorm = arguments.Flag("use_fc_norm", _pooling == "avg");
        _norm = pooledNorm ? null : Add("norm", _shape.MakeNorm(_shape.Width));
        _pooledNorm = pooledNorm ? Add("fc_norm", _shape.MakeNorm(_shape.Width)) : null;
        Classifier = Add(HeadName, new Dense(_shape.Width, Options.ClassCount));
    }

    internal override bool CanDropPatches => !_shape.HasRelativeBias;

    internal override bool AttendsGlobally => true;

    protected override string HeadName => "head";

    protected override TensorLayer Classifier { get; }

    /// <summary>Tokens before the patches.</summary>
    private int LeadingCount { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        CheckSize(pixels);
        using var scope = NewDisposeScope();
        (long Rows, long Columns) grid = (pixels.shape[2] / _patchSide, pixels.shape[3] / _patchSide);
        var x = Embed(pixels);                                                                  // [B, N, D]
        var rotary = _rotary?.For(grid.Rows, grid.Columns, x);
        if (training && PatchDropRate > 0)
        {
            var places = PatchDropout.Draw(x, LeadingCount, PatchDropRate, PatchNoise);         // [B, patches kept]
            x = PatchDropout.Keep(x, LeadingCount, places);
            rotary = rotary?.Select(r => r.Keep(LeadingCount, places)).ToList();
        }

        trace?.Tokens = TokenMap.Of(
            pixels.shape, (_patchSide, _patchSide), _pooling == "token" ? [1, .. Enumerable.Repeat(0.0, LeadingCount - 1)] : new double[LeadingCount]);
        trace?.AddHiddenState(x);
        for (var i = 0; i < _blocks.Count; i++)
        {
            var (block, turns) = (_blocks[i], rotary is null ? default(RotaryPositions?) : rotary[Math.Min(i, rotary.Count - 1)]);
            var next = Recomputation.Run((tokens, packed) => block.Forward(tokens, turns?.Unpack(packed), grid, trace), x, turns?.Pack());  // [B, N, D]
            x.Dispose();
            x = next;
            trace?.AddHiddenState(x);
        }

        x = _norm?.Forward(x) ?? x;
        var pooled = Pool(x);                                                                   // [B, D]
        return (_pooledNorm?.Forward(pooled) ?? pooled).MoveToOuterDisposeScope();
    }

    public override void Initialize()
    {
        base.Initialize();
        using var mode = no_grad();
        WeightInitialization.TruncatedNormal(_positions?.Value, Deviation);
        _leading.ForEach(t => WeightInitialization.TruncatedNormal(t.Value, Deviation));
        for (var i = 0; i < _blocks.Count; i++)
        {
            _blocks[i].Calm(Math.Sqrt(2.0 * (i + 1)));
        }
    }

    protected override void InitializeLayer(Layer layer)
    {
        if (layer is Dense dense)
        {
            WeightInitialization.TruncatedNormal(dense.Weight, Deviation);
            WeightInitialization.Fill(dense.Bias, 0);
        }
    }

    private void CheckSize(Tensor pixels)
    {
        var (height, width) = (pixels.shape[2], pixels.shape[3]);
        var fits = (height, width) == Options.ImageSize
            || ((InterpolatesPositions || _takesAnySize) && height % _patchSide + width % _patchSide == 0 && Math.Min(height, width) > 0);
        if (!fits)
        {
            throw new ArgumentException($"Input image size ({height}*{width}) doesn't match model ({Options.ImageSize.Height}*{Options.ImageSize.Width}).", nameof(pixels));
        }
    }

    private Tensor Embed(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var x = _patches.Forward(pixels).Flatten(2).Transpose(1, 2);                            // [B, patches, D]
        var positions = _positions is { } slot
            ? PositionEmbeddings.For(
                slot.Value, _leadingHavePositions ? LeadingCount : 0, (pixels.shape[2], pixels.shape[3]), Options.ImageSize, (_patchSide, _patchSide),
                InterpolatesPositions || _takesAnySize)
            : null;
        x = positions is null || _leadingHavePositions ? x : x.Plus(positions);
        if (_leading.Count > 0)
        {
            x = TensorShapes.Concat([.. _leading.Select(t => t.Value.Expand(pixels.shape[0], -1, -1)), x], 1);      // [B, N, D]
        }

        return (positions is not null && _leadingHavePositions ? x.Plus(positions) : x).MoveToOuterDisposeScope();
    }

    /// <summary>Float [B, N, D] to [B, D].</summary>
    private Tensor Pool(Tensor x)
    {
        if (_pooling == "token")
        {
            return x.Select(1, 0);
        }

        var patches = x.Narrow(1, LeadingCount, x.shape[1] - LeadingCount);
        return _pooling switch
        {
            "avg" => patches.Mean([1]),
            "max" => patches.Max([1]),
            _ => patches.Max([1]).Plus(patches.Mean([1])).Times(0.5),
        };
    }
}
