using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, N tokens, D width, H heads, K width of a key, V width of a value.

/// <summary>timm's LeViT, of linear layers or of convolutions of single places, with a second head where a teacher trained it.</summary>
/// <remarks>Source: timm <c>Levit</c>, <c>LevitDistilled</c>. Parity: 1e-4.</remarks>
internal sealed class TimmLevitNetwork : TimmNetwork
{
    private const double HeadDeviation = 0.02;

    private readonly List<TimmUnit> _stem = [];
    private readonly List<List<Func<Tensor, Tensor>>> _stages = [];
    private readonly List<(BatchNormalization Norm, Dense Linear)> _heads = [];
    private readonly (int Rows, int Columns) _plane;

    /// <param name="configuration">timm's configuration.</param>
    /// <param name="arguments">What the table gives the class.</param>
    /// <param name="isDistilled">Whether there is a second head.</param>
    public TimmLevitNetwork(ModelConfiguration configuration, ModelConfiguration arguments, bool isDistilled)
        : base(configuration, arguments)
    {
        if (Options.Pooling is not (null or "avg"))
        {
            throw new ModelLoadException($"Unknown global_pool '{Options.Pooling}'. Known: avg.");
        }

        var style = new TimmStyle(arguments.Text("act_layer", "hard_swish"));
        var (widths, depths, heads) = (arguments.WholeNumbers("embed_dim", 192), arguments.WholeNumbers("depth", 12), arguments.WholeNumbers("num_heads", 3));
        var shape = new TimmLevitShape(style.Function, arguments.WholeNumber("key_dim", 64), arguments.Flag("use_conv", false));
        var halvings = arguments.Text("stem_type", "s16") == "s16" ? 4 : 3;
        for (var i = 1; i <= halvings; i++)
        {
            _stem.Add(style.Unit(
                this, ($"stem.conv{i}.linear", $"stem.conv{i}.bn"), i == 1 ? Options.Channels : widths[0] >> (halvings - i + 1), widths[0] >> (halvings - i),
                style.Convolution(3, 2), isActivated: i < halvings));
        }

        _plane = (Options.ImageSize.Height >> halvings, Options.ImageSize.Width >> halvings);
        OptionChecks.Positive(("input_size divided by the stem's stride", Math.Min(_plane.Rows, _plane.Columns)));
        var plane = _plane;
        for (var stage = 0; stage < widths.Count; stage++)
        {
            List<Func<Tensor, Tensor>> parts = [];
            if (stage > 0)
            {
                var inputs = widths[stage - 1];
                parts.Add(Add($"stages.{stage}.downsample.attn_downsample", new TimmLevitAttention(shape, (inputs, widths[stage]), inputs / shape.KeyWidth, 4, plane, step: 2)).Forward);
                AddResidual(parts, Add($"stages.{stage}.downsample.mlp", new TimmLevitPerceptron(shape, widths[stage])));
                plane = ((plane.Rows + 1) / 2, (plane.Columns + 1) / 2);
            }

            for (var i = 0; i < depths[stage]; i++)
            {
                var name = $"stages.{stage}.blocks.{i}";
                AddResidual(parts, Add(name + ".attn", new TimmLevitAttention(shape, (widths[stage], widths[stage]), heads[stage], 2, plane, step: 1)));
                AddResidual(parts, Add(name + ".mlp", new TimmLevitPerceptron(shape, widths[stage])));
            }

            _stages.Add(parts);
        }

        LastPlane = plane;
        foreach (var name in isDistilled ? new[] { "head", "head_dist" } : ["head"])
        {
            _heads.Add((Add(name + ".bn", new BatchNormalization(widths[^1])), Add(name + ".linear", new Dense(widths[^1], Options.ClassCount))));
        }
    }

    public override IReadOnlyList<string> HeadParameterNames =>
        _heads.Count == 1 ? base.HeadParameterNames : [.. base.HeadParameterNames, "head_dist.linear.weight", "head_dist.linear.bias"];

    protected override string HeadName => "head.linear";

    protected override TensorLayer Classifier => _heads[0].Linear;

    private (int Rows, int Columns) LastPlane { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var plane = Through(Arranged(pixels), _stem, (unit, x) => unit.Forward(x));             // [B, D, R, S]
        if ((plane.shape[2], plane.shape[3]) != _plane)
        {
            throw new ArgumentException(
                $"Input image size ({pixels.shape[2]}*{pixels.shape[3]}) doesn't match model ({Options.ImageSize.Height}*{Options.ImageSize.Width}).", nameof(pixels));
        }

        var tokens = plane.Flatten(2).Transpose(1, 2);                                          // [B, N, D]
        foreach (var stage in _stages)
        {
            tokens = Through(tokens, stage, (part, x) => part(x));                              // [B, N', D']
            trace?.AddHiddenState(tokens);
        }

        trace?.KeepPlane(tokens, LastPlane);
        return tokens.Mean([1]).MoveToOuterDisposeScope();                                      // [B, D]
    }

    /// <summary>The mean of both heads where there are two.</summary>
    public override Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        var scores = _heads.Select(h => h.Linear.Forward(Dropout.Apply(h.Norm.Forward(features), Options.DropRate, training))).ToList();
        return (scores is [var first, var second] ? first.Plus(second).Over(2) : scores[0]).MoveToOuterDisposeScope();
    }

    public override void InitializeHead()
    {
        using var mode = no_grad();
        foreach (var (_, linear) in _heads)
        {
            linear.ResetParameters();
            InitializeLayer(linear);
        }
    }

    protected override void InitializeLayer(Layer layer)
    {
        if (layer is Dense { Bias: { } bias } head)
        {
            WeightInitialization.TruncatedNormal(head.Weight, HeadDeviation);
            WeightInitialization.Fill(bias, 0);
        }
    }

    private void AddResidual(List<Func<Tensor, Tensor>> parts, TensorLayer layer) => parts.Add(x =>
    {
        using var scope = NewDisposeScope();
        return x.Plus(StochasticDepth.Apply(layer.Forward(x), Options.DropPath, training)).MoveToOuterDisposeScope();
    });
}

/// <summary>What all blocks of a LeViT share.</summary>
/// <param name="Function">The activation.</param>
/// <param name="KeyWidth">Width K of a query and of a key.</param>
/// <param name="IsConvolutional">Whether linear layers are convolutions of single places.</param>
internal sealed record TimmLevitShape(Func<Tensor, Tensor> Function, int KeyWidth, bool IsConvolutional);

/// <summary>A linear layer without bias, or a convolution of single places, and a batch norm over all tokens.</summary>
/// <remarks>Source: timm <c>LinearNorm</c>, <c>levit.ConvNorm</c>. Parity: 1e-6.</remarks>
internal sealed class TimmLevitLinear : TensorLayer
{
    private readonly Dense? _linear;
    private readonly Convolution? _convolution;
    private readonly BatchNormalization _norm;
    private readonly double _start;

    /// <param name="shape">What all blocks of the network share.</param>
    /// <param name="inputs">Width of the input.</param>
    /// <param name="outputs">Width of the output.</param>
    /// <param name="start">Factor of the norm before training.</param>
    public TimmLevitLinear(TimmLevitShape shape, int inputs, int outputs, double start = 1)
        : base(nameof(TimmLevitLinear))
    {
        _start = start;
        _linear = shape.IsConvolutional ? null : Add("linear", new Dense(inputs, outputs, hasBias: false));
        _convolution = shape.IsConvolutional ? Add("linear", new Convolution(inputs, outputs, new ConvolutionOptions(1) { HasBias = false })) : null;
        _norm = Add("bn", new BatchNormalization(outputs));
    }

    /// <param name="input">Float [B, N, D].</param>
    /// <returns>Float [B, N, D']; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _linear?.Forward(input) ?? _convolution!.Forward(input.Transpose(1, 2).Unsqueeze(-1)).Squeeze(-1).Transpose(1, 2);
        return _norm.Forward(x.Flatten(0, 1)).Unflatten(0, -1, input.shape[1]).MoveToOuterDisposeScope();
    }

    public override void ResetParameters() => WeightInitialization.Fill(_norm.Weight, _start);
}

/// <summary>Two linear layers with an activation between them.</summary>
/// <remarks>Source: timm <c>LevitMlp</c>. Parity: 1e-5.</remarks>
internal sealed class TimmLevitPerceptron : TensorLayer
{
    private const int Widening = 2;
    private readonly TimmLevitShape _shape;
    private readonly TimmLevitLinear _widen;
    private readonly TimmLevitLinear _narrow;

    public TimmLevitPerceptron(TimmLevitShape shape, int width)
        : base(nameof(TimmLevitPerceptron))
    {
        _shape = shape;
        _widen = Add("ln1", new TimmLevitLinear(shape, width, Widening * width));
        _narrow = Add("ln2", new TimmLevitLinear(shape, Widening * width, width, start: 0));
    }

    /// <param name="input">Float [B, N, D].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _narrow.Forward(_shape.Function(_widen.Forward(input))).MoveToOuterDisposeScope();
    }
}

/// <summary>Attention with a learned bias for each distance, of all tokens or of every second one in each direction.</summary>
/// <remarks>Source: timm <c>levit.Attention</c>, <c>AttentionDownsample</c>. Parity: 1e-5.</remarks>
internal sealed class TimmLevitAttention : TensorLayer
{
    private readonly TimmLevitShape _shape;
    private readonly ParameterSlot _biases;
    private readonly TimmLevitLinear _joined;
    private readonly TimmLevitLinear? _query;
    private readonly TimmLevitLinear _mixed;
    private readonly int _heads;
    private readonly long _valueWidth;
    private readonly (int Rows, int Columns) _plane;
    private readonly int _step;

    /// <param name="shape">What all blocks of the network share.</param>
    /// <param name="widths">Width of the tokens before and after.</param>
    /// <param name="heads">Heads H.</param>
    /// <param name="valueRatio">How much wider a value is than a key.</param>
    /// <param name="plane">Rows and columns of the tokens.</param>
    /// <param name="step">Which tokens stay: every one of this number in each direction.</param>
    public TimmLevitAttention(TimmLevitShape shape, (int Inputs, int Outputs) widths, int heads, int valueRatio, (int Rows, int Columns) plane, int step)
        : base(nameof(TimmLevitAttention))
    {
        (_shape, _heads, _plane, _step) = (shape, heads, plane, step);
        _valueWidth = valueRatio * shape.KeyWidth;
        var (keys, values) = (shape.KeyWidth * heads, (int)_valueWidth * heads);
        _biases = AddParameter("attention_biases", heads, plane.Rows * plane.Columns);
        _joined = Add(step == 1 ? "qkv" : "kv", new TimmLevitLinear(shape, widths.Inputs, values + (step == 1 ? 2 : 1) * keys));
        _query = step == 1 ? null : Add("q.ln", new TimmLevitLinear(shape, widths.Inputs, keys));
        _mixed = Add("proj.ln", new TimmLevitLinear(shape, values, widths.Outputs, start: step == 1 ? 0 : 1));
    }

    /// <param name="input">Float [B, N, D].</param>
    /// <returns>Float [B, N', D']; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        long key = _shape.KeyWidth;
        var joined = _joined.Forward(input).Unflatten(2, _heads, -1);                           // [B, N, H, 2 K + V] or [B, N, H, K + V]
        var parts = joined.Split(_query is null ? [key, key, _valueWidth] : [key, _valueWidth], 3);
        var query = _query is null ? parts[0] : _query.Forward(Staying(input)).Unflatten(2, _heads, -1);         // [B, N', H, K]
        var scores = query.Transpose(1, 2).MatMul(parts[^2].Permute(0, 2, 3, 1)).Times(1 / Math.Sqrt(key))
            .Plus(TimmDistances.Bias(_biases.Value, _plane, _step));                            // [B, H, N', N]
        var mixed = scores.Softmax(-1).MatMul(parts[^1].Transpose(1, 2)).Transpose(1, 2).Flatten(2);             // [B, N', H V]
        return _mixed.Forward(_shape.Function(mixed)).MoveToOuterDisposeScope();                // [B, N', D']
    }

    public override void ResetParameters() => WeightInitialization.Fill(_biases.Value, 0);

    private Tensor Staying(Tensor tokens) =>
        tokens.Unflatten(1, _plane.Rows, _plane.Columns).Every(1, 0, _step).Every(2, 0, _step).Flatten(1, 2);
}
