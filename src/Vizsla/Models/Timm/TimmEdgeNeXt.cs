using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width, N = H W places, h heads, K = C / h.

/// <summary>timm's EdgeNeXt: blocks of a ConvNeXt, and at the end of each stage one that attends between channels.</summary>
/// <remarks>Source: timm <c>EdgeNeXt</c>. Parity: 1e-4.</remarks>
internal sealed class TimmEdgeNeXtNetwork : TimmNetwork
{
    private const double Epsilon = 1e-6;

    private readonly Convolution _stem;
    private readonly PlaneNormalization _stemNorm;
    private readonly List<List<TensorLayer>> _stages = [];
    private readonly PlaneNormalization _norm;
    private readonly TimmPooling _pooling;

    public TimmEdgeNeXtNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = TimmPooling.OfOneWidth(Options);
        var (depths, widths) = (arguments.WholeNumbers("depths", 3, 3, 9, 3), arguments.WholeNumbers("dims", 24, 48, 88, 168));
        var (globals, kernels) = (arguments.WholeNumbers("global_block_counts", 0, 1, 1, 1), arguments.WholeNumbers("kernel_sizes", 3, 5, 7, 9));
        var (heads, scales) = (arguments.WholeNumbers("heads", 8, 8, 8, 8), arguments.WholeNumbers("d2_scales", 2, 2, 3, 4));
        var (hasBias, shrinksInBlock) = (arguments.Flag("conv_bias", true), arguments.Flag("downsample_block", false));
        var stem = arguments.Text("stem_type", "patch") == "patch" ? new ConvolutionOptions(4) : new ConvolutionOptions(9) { Padding = (4, 4) };
        _stem = Add("stem.0", new Convolution(Options.Channels, widths[0], stem with { Stride = (4, 4), HasBias = hasBias }));
        _stemNorm = Add("stem.1", new PlaneNormalization(widths[0], Epsilon));
        var rates = new Queue<double>(StochasticDepth.Rising(Options.DropPath, depths.Sum()));
        var inputs = widths[0];
        for (var stage = 0; stage < depths.Count; stage++)
        {
            var layers = new List<TensorLayer>();
            if (stage > 0 && !shrinksInBlock)
            {
                layers.Add(Add($"stages.{stage}.downsample.0", new PlaneNormalization(inputs, Epsilon)));
                layers.Add(Add($"stages.{stage}.downsample.1", new Convolution(inputs, widths[stage], new ConvolutionOptions(2) { Stride = (2, 2), HasBias = hasBias })));
                inputs = widths[stage];
            }

            for (var i = 0; i < depths[stage]; i++)
            {
                var stride = stage > 0 && shrinksInBlock && i == 0 ? 2 : 1;
                layers.Add(Add<TensorLayer>($"stages.{stage}.blocks.{i}", i < depths[stage] - globals[stage]
                    ? new TimmEdgeConvolutionBlock((inputs, widths[stage]), kernels[stage], stride, hasBias, rates.Dequeue())
                    : new TimmEdgeGlobalBlock(inputs, scales[stage], heads[stage], hasPositions: stage == 1, hasBias, rates.Dequeue())));
                inputs = widths[stage];
            }

            _stages.Add(layers);
        }

        _norm = Add("head.norm", new PlaneNormalization(inputs, Epsilon));
        Classifier = Add(HeadName, new Dense(inputs, Options.ClassCount));
    }

    protected override string HeadName => "head.fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = _stemNorm.Forward(_stem.Forward(Arranged(pixels)));                             // [B, C, H / 4, W / 4]
        foreach (var stage in _stages)
        {
            x = Through(stage, x);
            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        return _norm.Forward(_pooling.Apply(x).Unsqueeze(-1).Unsqueeze(-1)).Flatten(1).MoveToOuterDisposeScope();   // [B, C]
    }

    protected override void InitializeLayer(Layer layer)
    {
        const double Deviation = 0.02;
        if (layer is IWeighted weighted)
        {
            WeightInitialization.TruncatedNormal(weighted.Weight, Deviation);
            WeightInitialization.Fill(weighted.Bias, 0);
        }
    }
}

/// <summary>A depthwise convolution, a norm and a perceptron beside a shortcut, which leaves from behind the convolution where that changes the shape.</summary>
/// <remarks>Source: timm <c>edgenext.ConvBlock</c>. Parity: 1e-5.</remarks>
internal sealed class TimmEdgeConvolutionBlock : TensorLayer
{
    private const double Epsilon = 1e-6;
    private const double ScaleStart = 1e-6;
    private const int Widening = 4;

    private readonly ParameterSlot _scale;
    private readonly Convolution _depthwise;
    private readonly LayerNormalization _norm;
    private readonly TimmPerceptron _perceptron;
    private readonly bool _changesShape;
    private readonly double _dropPath;

    public TimmEdgeConvolutionBlock((int Inputs, int Outputs) channels, int kernel, int stride, bool hasBias, double dropPath)
        : base(nameof(TimmEdgeConvolutionBlock))
    {
        var (inputs, outputs) = channels;
        _dropPath = dropPath;
        _changesShape = stride > 1 || inputs != outputs;
        _scale = AddParameter("gamma", outputs);
        _depthwise = Add("conv_dw", new Convolution(inputs, outputs, new TimmStyle("gelu").Convolution(kernel, stride, inputs, hasBias)));
        _norm = Add("norm", new LayerNormalization(outputs, Epsilon));
        _perceptron = Add("mlp", new TimmPerceptron(outputs, Widening * outputs, "gelu"));
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _depthwise.Forward(input);
        var shortcut = _changesShape ? x : input;
        x = _perceptron.Forward(_norm.Forward(x.Permute(0, 2, 3, 1))).Times(_scale.Value).Permute(0, 3, 1, 2);
        return shortcut.Plus(StochasticDepth.Apply(x, _dropPath, training)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters() => WeightInitialization.Fill(_scale.Value, ScaleStart);
}

/// <summary>Convolutions of parts of the channels one after the other, attention between channels, and a perceptron.</summary>
/// <remarks>Source: timm <c>SplitTransposeBlock</c>, <c>CrossCovarianceAttn</c>, <c>PositionalEncodingFourier</c>. Parity: 1e-5.</remarks>
internal sealed class TimmEdgeGlobalBlock : TensorLayer
{
    private const double Epsilon = 1e-6;
    private const double ScaleStart = 1e-6;
    private const int Widening = 4;
    private const int PositionWidth = 32;
    private const double Temperature = 10000;

    private readonly ParameterSlot _attentionScale;
    private readonly ParameterSlot _perceptronScale;
    private readonly List<Convolution> _convolutions = [];
    private readonly Convolution? _positions;
    private readonly LayerNormalization _attentionNorm;
    private readonly ParameterSlot _temperature;
    private readonly Dense _joined;
    private readonly Dense _mixed;
    private readonly LayerNormalization _norm;
    private readonly TimmPerceptron _perceptron;
    private readonly long[] _parts;
    private readonly int _heads;
    private readonly double _dropPath;

    public TimmEdgeGlobalBlock(int width, int scales, int heads, bool hasPositions, bool hasBias, double dropPath)
        : base(nameof(TimmEdgeGlobalBlock))
    {
        OptionChecks.Heads(width, heads);
        (_heads, _dropPath) = (heads, dropPath);
        _attentionScale = AddParameter("gamma_xca", width);
        _perceptronScale = AddParameter("gamma", width);
        var part = (width + scales - 1) / scales;
        var count = Math.Max(1, scales - 1);
        for (var i = 0; i < count; i++)
        {
            _convolutions.Add(Add($"convs.{i}", new Convolution(part, part, new ConvolutionOptions(3) { Padding = (1, 1), Groups = part, HasBias = hasBias })));
        }

        _parts = [.. Enumerable.Repeat((long)part, count), width - count * part];
        _positions = hasPositions ? Add("pos_embd.token_projection", new Convolution(2 * PositionWidth, width, new ConvolutionOptions(1))) : null;
        _attentionNorm = Add("norm_xca", new LayerNormalization(width, Epsilon));
        _temperature = AddParameter("xca.temperature", heads, 1, 1);
        _joined = Add("xca.qkv", new Dense(width, 3 * width));
        _mixed = Add("xca.proj", new Dense(width, width));
        _norm = Add("norm", new LayerNormalization(width, Epsilon));
        _perceptron = Add("mlp", new TimmPerceptron(width, Widening * width, "gelu"));
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = Convolved(input).Flatten(2).Transpose(1, 2);                                    // [B, N, C]
        x = _positions is null ? x : x.Plus(Positions(input.shape[2], input.shape[3]));
        x = x.Plus(StochasticDepth.Apply(Attend(_attentionNorm.Forward(x)).Times(_attentionScale.Value), _dropPath, training));
        var made = _perceptron.Forward(_norm.Forward(x)).Times(_perceptronScale.Value);         // [B, N, C]
        var plane = made.Transpose(1, 2).Unflatten(2, input.shape[2], input.shape[3]);          // [B, C, H, W]
        return input.Plus(StochasticDepth.Apply(plane, _dropPath, training)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_attentionScale.Value, ScaleStart);
        WeightInitialization.Fill(_perceptronScale.Value, ScaleStart);
        WeightInitialization.Fill(_temperature.Value, 1);
    }

    private Tensor Convolved(Tensor input)
    {
        var parts = input.Split(_parts, 1);
        var done = new List<Tensor>();
        foreach (var (i, convolution) in _convolutions.Index())
        {
            done.Add(convolution.Forward(i == 0 ? parts[0] : done[^1].Plus(parts[i])));
        }

        return TensorShapes.Concat([.. done, parts[^1]], 1);
    }

    /// <summary>Attention between the channels of each head, float [B, N, C].</summary>
    private Tensor Attend(Tensor tokens)
    {
        var parts = _joined.Forward(tokens).Chunk(3, -1).Select(p => p.Unflatten(2, _heads, -1).Permute(0, 2, 3, 1)).ToList();  // 3 x [B, h, K, N]
        var scores = Attention.Direction(parts[0]).MatMul(Attention.Direction(parts[1]).Transpose(2, 3)).Times(_temperature.Value);     // [B, h, K, K]
        return _mixed.Forward(scores.Softmax(-1).MatMul(parts[2]).Permute(0, 3, 1, 2).Flatten(2));
    }

    /// <summary>Waves of many lengths over the plane, projected; float [1, N, C].</summary>
    private Tensor Positions(long rows, long columns)
    {
        var values = new float[2 * PositionWidth * rows * columns];
        for (var channel = 0; channel < PositionWidth; channel++)
        {
            var length = MathF.Pow((float)Temperature, channel / 2 * 2f / PositionWidth);
            for (var place = 0L; place < rows * columns; place++)
            {
                values[channel * rows * columns + place] = Wave(place / columns, rows);
                values[(PositionWidth + channel) * rows * columns + place] = Wave(place % columns, columns);
            }

            float Wave(long at, long count)
            {
                var angle = (at + 1) / (count + 1e-6f) * (float)(2 * Math.PI) / length;
                return channel % 2 == 0 ? MathF.Sin(angle) : MathF.Cos(angle);
            }
        }

        var waves = TensorShapes.Constant(values, [1, 2 * PositionWidth, rows, columns], _temperature.Value.device, _temperature.Value.dtype);
        return _positions!.Forward(waves).Flatten(2).Transpose(1, 2);
    }
}
