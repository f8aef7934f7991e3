using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, N = R S tokens in R rows and S columns, D width, H heads, W side of a window, M windows of a picture, I inner width.

/// <summary>timm's Swin, Swin of AutoFormerV2 (S3) and Swin V2.</summary>
/// <remarks>Source: timm <c>SwinTransformer</c>, <c>SwinTransformerV2</c>. Parity: 1e-4.</remarks>
internal sealed class TimmSwinNetwork : TimmNetwork
{
    private const double Deviation = 0.02;
    private const double OwnDropPath = 0.1;

    private readonly (int Height, int Width) _patchSize;
    private readonly Convolution _patches;
    private readonly LayerNormalization _first;
    private readonly List<(PatchMerging? Merging, List<TimmSwinBlock> Blocks)> _stages = [];
    private readonly LayerNormalization _last;
    private readonly TimmPooling _pooling;

    /// <param name="configuration">timm's configuration.</param>
    /// <param name="arguments">What the table gives the class.</param>
    /// <param name="isSecond">Whether it is a Swin V2.</param>
    public TimmSwinNetwork(ModelConfiguration configuration, ModelConfiguration arguments, bool isSecond)
        : base(configuration, arguments, OwnDropPath)
    {
        const double Epsilon = 1e-5;
        _pooling = new TimmPooling(Options.Pooling);
        var width = arguments.WholeNumber("embed_dim", 96);
        var (depths, heads) = (arguments.WholeNumbers("depths", 2, 2, 6, 2), arguments.WholeNumbers("num_heads", 3, 6, 12, 24));
        var trained = arguments.WholeNumbers("pretrained_window_sizes", [.. depths.Select(_ => 0)]);
        _patchSize = arguments.Size("patch_size", 4);
        OptionChecks.Patches(Options.ImageSize, _patchSize);
        (int Rows, int Columns) plane = (Options.ImageSize.Height / _patchSize.Height, Options.ImageSize.Width / _patchSize.Width);
        _patches = Add("patch_embed.proj", new Convolution(Options.Channels, width, new ConvolutionOptions(_patchSize) { Stride = _patchSize }));
        _first = Add("patch_embed.norm", new LayerNormalization(width, Epsilon));
        var rates = new Queue<double>(StochasticDepth.Rising(Options.DropPath, depths.Sum()));
        for (var stage = 0; stage < depths.Count; stage++)
        {
            PatchMerging? merging = null;
            if (stage > 0)
            {
                merging = Add($"layers.{stage}.downsample", new PatchMerging(width, normsAfter: isSecond, namesNormFirst: !isSecond));
                (width, plane) = (2 * width, ((plane.Rows + 1) / 2, (plane.Columns + 1) / 2));
            }

            var window = WindowOf(arguments, stage, plane);
            var blocks = new List<TimmSwinBlock>();
            for (var i = 0; i < depths[stage]; i++)
            {
                blocks.Add(Add($"layers.{stage}.blocks.{i}", new TimmSwinBlock(
                    width, heads[stage], (window.Side, i % 2 == 1 ? window.Shift : 0), isSecond ? trained[stage] : null, rates.Dequeue())));
            }

            _stages.Add((merging, blocks));
        }

        _last = Add("norm", new LayerNormalization(width, Epsilon));
        Classifier = Add(HeadName, new Dense(width * _pooling.Multiplier, Options.ClassCount));
    }

    protected override string HeadName => "head.fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        CheckSize(pixels);
        using var scope = NewDisposeScope();
        var patches = _patches.Forward(pixels);                                                 // [B, D, R, S]
        (long Rows, long Columns) plane = (patches.shape[2], patches.shape[3]);
        var x = _first.Forward(patches.Flatten(2).Transpose(1, 2));                             // [B, N, D]
        trace?.AddHiddenState(x);
        foreach (var (merging, blocks) in _stages)
        {
            if (merging is not null)
            {
                x = merging.Forward(x, plane);                                                  // [B, N / 4, 2 D]
                plane = ((plane.Rows + 1) / 2, (plane.Columns + 1) / 2);
            }

            var own = plane;
            x = Through(x, blocks, (block, tokens) => block.Forward(tokens, own, trace));     // [B, N, D]
            trace?.AddHiddenState(x);
        }

        x = _last.Forward(x);
        trace?.KeepPlane(x, plane);
        return _pooling.ApplyToTokens(x).MoveToOuterDisposeScope();                             // [B, D]
    }

    protected override void InitializeLayer(Layer layer)
    {
        switch (layer)
        {
            case Dense dense:
                WeightInitialization.TruncatedNormal(dense.Weight, Deviation);
                WeightInitialization.Fill(dense.Bias, 0);
                break;
            case TimmSwinBlock block:
                block.InitializeNorms();
                break;
        }
    }

    /// <summary>Other sizes than the network's own need positions that may be stretched, as timm's <c>dynamic_img_size</c>; windows stay as large as they are.</summary>
    private void CheckSize(Tensor pixels)
    {
        var (height, width) = (pixels.shape[2], pixels.shape[3]);
        if ((height, width) != Options.ImageSize && (!InterpolatesPositions || height % _patchSize.Height + width % _patchSize.Width > 0))
        {
            throw new ArgumentException($"Input image size ({height}*{width}) doesn't match model ({Options.ImageSize.Height}*{Options.ImageSize.Width}).", nameof(pixels));
        }
    }

    /// <summary>Side and shift of a stage's windows; a plane no larger than a window is one, unshifted.</summary>
    private (int Side, int Shift) WindowOf(ModelConfiguration arguments, int stage, (int Rows, int Columns) plane)
    {
        var sides = arguments.Json["window_size"] is System.Text.Json.Nodes.JsonArray ? arguments.WholeNumbers("window_size") : [arguments.WholeNumber("window_size", 7)];
        var side = sides[Math.Min(stage, sides.Count - 1)];
        var (down, across) = (Math.Min(side, plane.Rows), Math.Min(side, plane.Columns));
        if (down != across || (plane.Rows <= down) != (plane.Columns <= across))
        {
            throw new ModelLoadException(Invariant(
                $"With input_size {Options.ImageSize.Height}x{Options.ImageSize.Width} the windows of {Options.Architecture} are not square; use a square picture, or one whose sides are both larger."));
        }

        return (down, plane.Rows <= down ? 0 : side / 2);
    }
}

/// <summary>One block: attention within windows, every second time within windows shifted by half, then a perceptron.</summary>
/// <remarks>Source: timm <c>SwinTransformerBlock</c>, <c>SwinTransformerV2Block</c> and their <c>WindowAttention</c>. Parity: 1e-5.</remarks>
internal sealed class TimmSwinBlock : Layer
{
    private const double Epsilon = 1e-5;
    private const double Deviation = 0.02;
    private const int Widening = 4;

    private readonly int _heads;
    private readonly (int Side, int Shift) _window;
    private readonly double _dropPath;
    private readonly bool _isSecond;
    private readonly ParameterSlot? _table;
    private readonly Dense? _joined;
    private readonly ParameterSlot? _scale;
    private readonly TimmJoinedDense? _separate;
    private readonly WindowDistances? _distances;
    private readonly Dense _mixed;
    private readonly LayerNormalization _attentionNorm;
    private readonly LayerNormalization _perceptronNorm;
    private readonly TimmPerceptron _perceptron;

    /// <param name="width">Width D of the tokens.</param>
    /// <param name="heads">Heads H of the attention.</param>
    /// <param name="window">Side of the windows and how far they are shifted.</param>
    /// <param name="trainedSide">Of a Swin V2 the side of the windows that it was trained with, 0 for its own; null for a Swin.</param>
    /// <param name="dropPath">Share of the pictures for which a branch is left out, in training.</param>
    public TimmSwinBlock(int width, int heads, (int Side, int Shift) window, int? trainedSide, double dropPath)
        : base(nameof(TimmSwinBlock))
    {
        OptionChecks.Heads(width, heads);
        (_heads, _window, _dropPath, _isSecond) = (heads, window, dropPath, trainedSide is not null);
        if (trainedSide is { } trained)
        {
            var attention = Add("attn", new Part());
            _scale = ModuleTree.AddParameter(attention, "logit_scale", heads, 1, 1);
            _distances = new WindowDistances(attention, "cpb_mlp", heads, window.Side, trained);
            _separate = new TimmJoinedDense(attention, width, width, hasBias: true);
            _mixed = ModuleTree.Add(attention, "proj", new Dense(width, width));
            _attentionNorm = Add("norm1", new LayerNormalization(width, Epsilon));
            _perceptron = Add("mlp", new TimmPerceptron(width, Widening * width, "gelu"));
            _perceptronNorm = Add("norm2", new LayerNormalization(width, Epsilon));
            return;
        }

        var span = 2 * window.Side - 1;
        _attentionNorm = Add("norm1", new LayerNormalization(width, Epsilon));
        _table = AddParameter("attn.relative_position_bias_table", span * span, heads);
        _joined = Add("attn.qkv", new Dense(width, 3 * width));
        _mixed = Add("attn.proj", new Dense(width, width));
        _perceptronNorm = Add("norm2", new LayerNormalization(width, Epsilon));
        _perceptron = Add("mlp", new TimmPerceptron(width, Widening * width, "gelu"));
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="plane">Rows and columns of the tokens.</param>
    /// <param name="trace">Takes the attention of the windows; null keeps none.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, (long Rows, long Columns) plane, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        if (_isSecond)
        {
            var turned = Windows.Apply(tokens, plane, _window.Side, _window.Shift, (x, mask) => AttendByAngle(x, mask, trace), padsLast: true); // [B, N, D]
            var attended = tokens.Plus(StochasticDepth.Apply(_attentionNorm.Forward(turned), _dropPath, training));
            return attended.Plus(StochasticDepth.Apply(_perceptronNorm.Forward(_perceptron.Forward(attended)), _dropPath, training)).MoveToOuterDisposeScope();
        }

        var mixed = Windows.Apply(_attentionNorm.Forward(tokens), plane, _window.Side, _window.Shift, (x, mask) => Attend(x, mask, trace), padsLast: true); // [B, N, D]
        var first = tokens.Plus(StochasticDepth.Apply(mixed, _dropPath, training));             // [B, N, D]
        return first.Plus(StochasticDepth.Apply(_perceptron.Forward(_perceptronNorm.Forward(first)), _dropPath, training)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        if (_table is { } table)
        {
            WeightInitialization.TruncatedNormal(table.Value, Deviation);
        }

        WeightInitialization.Fill(_scale?.Value, Math.Log(10));
        _separate?.ResetBias();
    }

    /// <summary>Has both branches of a Swin V2 start as nothing.</summary>
    public void InitializeNorms()
    {
        foreach (var norm in _isSecond ? new[] { _attentionNorm, _perceptronNorm } : [])
        {
            WeightInitialization.Fill(norm.get_parameter("weight"), 0);
            WeightInitialization.Fill(norm.get_parameter("bias"), 0);
        }
    }

    private Tensor Attend(Tensor windows, Tensor? mask, NetworkTrace? trace)
    {
        var parts = _joined!.Forward(windows).Chunk(3, -1);                                     // 3 x [B M, W W, D]
        var area = _window.Side * _window.Side;
        var index = TensorShapes.Constant(Windows.PairIndex(_window.Side), windows.device);
        var bias = _table!.Value.Value.Gather(0, index).Reshape(area, area, -1).Permute(2, 0, 1).Contiguous().Unsqueeze(0);     // [1, H, W W, W W]
        bias = mask is null ? bias : bias.Plus(mask);                                           // [B M, H, W W, W W]
        return _mixed.Forward(Attention.Mix(parts[0], parts[1], parts[2], _heads, bias, trace: trace));
    }

    private Tensor AttendByAngle(Tensor windows, Tensor? mask, NetworkTrace? trace)
    {
        var parts = _separate!.Forward(windows);                                                // 3 x [B M, W W, D]
        var bias = _distances!.Bias();                                                          // [1, H, W W, W W]
        bias = mask is null ? bias : bias.Plus(mask);                                           // [B M, H, W W, W W]
        return _mixed.Forward(Attention.MixByAngle(parts[0], parts[1], parts[2], _heads, _scale!.Value.Value, bias, 0, trace));
    }

    /// <summary>Holds parameters under one name.</summary>
    private sealed class Part() : Layer(nameof(Part));
}
