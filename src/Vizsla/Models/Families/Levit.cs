using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels of the picture, N tokens, N' tokens after a downsampling, D width, H heads, K width of a key, V width of a value, L labels.

/// <summary>LeViT, with a linear head on the mean of its last tokens, and a second one where a teacher trained it.</summary>
/// <remarks>Source: transformers <c>LevitForImageClassification</c>, <c>LevitForImageClassificationWithTeacher</c>. Parity: 1e-5.</remarks>
internal sealed class LevitNetwork : TransformersNetwork
{
    public const string ModelType = "levit";
    public const string Name = "LevitForImageClassification";
    public const string TeacherName = "LevitForImageClassificationWithTeacher";

    private const int StemCount = 4;

    private readonly LevitOptions _options;
    private readonly List<ConvolutionUnit> _stem = [];
    private readonly List<List<Func<Tensor, Tensor>>> _stages = [];
    private readonly List<BatchNormalization> _headNorms = [];
    private int _layerCount;

    public LevitNetwork(ModelConfiguration configuration)
        : base(configuration, configuration.Architectures is [TeacherName, ..] ? TeacherName : Name, "levit.")
    {
        _options = new LevitOptions(configuration);
        var (widths, swish) = (_options.Widths, Activation.Named("hardswish"));
        for (var i = 0; i < StemCount; i++)
        {
            var path = $"levit.patch_embeddings.embedding_layer_{i + 1}";
            _stem.Add(ConvolutionUnit.Add(
                this, (path + ".convolution", path + ".batch_norm"), i == 0 ? _options.Channels : widths[0] >> (StemCount - i), widths[0] >> (StemCount - 1 - i),
                _options.Stem, i < StemCount - 1 ? swish : null));
        }

        var side = _options.Side;
        for (var stage = 0; stage < widths.Count; stage++)
        {
            side = AddStage(stage, side);
        }

        foreach (var path in ClassName == TeacherName ? new[] { "classifier", "classifier_distill" } : ["classifier"])
        {
            _headNorms.Add(Add(path + ".batch_norm", new BatchNormalization(widths[^1])));
            AddHead(path + ".linear", widths[^1]);
        }
    }

    /// <summary>The norms before the heads are new where those are.</summary>
    internal override IReadOnlyList<string> NewWithHead => _headNormNames;

    private static readonly string[] _headNormNames =
    [
        .. from head in new[] { "classifier", "classifier_distill" }
           from part in new[] { "weight", "bias", "running_mean", "running_var" }
           select $"{head}.batch_norm.{part}",
    ];

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var plane = Through(Arranged(pixels), _stem, (unit, x) => unit.Forward(x));             // [B, D, R, S]
        if (plane.shape[2] != _options.Side || plane.shape[3] != _options.Side)
        {
            throw new ArgumentException(
                $"Input image size ({pixels.shape[2]}*{pixels.shape[3]}) doesn't match model ({_options.ImageSize}*{_options.ImageSize}).", nameof(pixels));
        }

        var tokens = plane.Flatten(2).Transpose(1, 2);                                          // [B, N, D]
        trace?.AddHiddenState(tokens);
        foreach (var stage in _stages)
        {
            tokens = Through(tokens, stage, (part, x) => part(x));                              // [B, N', D']
            trace?.AddHiddenState(tokens);
        }

        var last = (long)Math.Sqrt(tokens.shape[1]);
        trace?.KeepPlane(tokens, (last, last));
        return tokens.Mean([1]).MoveToOuterDisposeScope();                                      // [B, D]
    }

    public override Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        var scores = HeadLayers.Zip(_headNorms, (head, norm) => head.Forward(norm.Forward(features))).ToList();
        return (scores is [var first, var second] ? first.Plus(second).Over(2) : scores[0]).MoveToOuterDisposeScope();
    }

    protected override void InitializeLayer(Layer layer) => InitializeNormal(layer, _options.InitializerRange);

    private int AddStage(int stage, int side)
    {
        var parts = new List<Func<Tensor, Tensor>>();
        _stages.Add(parts);
        _layerCount = 0;
        var (width, heads, key) = (_options.Widths[stage], _options.HeadCounts[stage], _options.KeyWidths[stage]);
        for (var i = 0; i < _options.Depths[stage]; i++)
        {
            var attention = new LevitAttention((width, width), (heads, key, _options.ValueRatios[stage]), (side, side), stride: 1, isWhole: true);
            AddResidual(parts, stage, attention, attention.Forward);
            if (_options.PerceptronRatios[stage] > 0)
            {
                AddPerceptron(parts, stage, width, _options.PerceptronRatios[stage]);
            }
        }

        if (stage >= _options.Downsamplings.Count || _options.Downsamplings[stage] is not { } down)
        {
            return side;
        }

        var smaller = (side - 1) / down.Stride + 1;
        var shrinking = Add($"levit.encoder.stages.{stage}.layers.{_layerCount++}", new LevitAttention(
            (width, _options.Widths[stage + 1]), (down.HeadCount, down.KeyWidth, down.ValueRatio), (side, smaller), down.Stride, isWhole: false));
        parts.Add(shrinking.Forward);
        if (down.PerceptronRatio > 0)
        {
            AddPerceptron(parts, stage, _options.Widths[stage + 1], down.PerceptronRatio);
        }

        return smaller;
    }

    private void AddPerceptron(List<Func<Tensor, Tensor>> parts, int stage, int width, int ratio)
    {
        var perceptron = new LevitPerceptron(width, ratio);
        AddResidual(parts, stage, perceptron, perceptron.Forward);
    }

    private void AddResidual(List<Func<Tensor, Tensor>> parts, int stage, Layer layer, Func<Tensor, Tensor> forward)
    {
        Add($"levit.encoder.stages.{stage}.layers.{_layerCount++}.module", layer);
        parts.Add(x =>
        {
            using var scope = NewDisposeScope();
            return x.Plus(StochasticDepth.Apply(forward(x), _options.DropPath, training)).MoveToOuterDisposeScope();
        });
    }
}

/// <summary>A linear layer without bias and a batch norm over all tokens.</summary>
/// <remarks>Source: transformers <c>MLPLayerWithBN</c>. Parity: 1e-6.</remarks>
internal sealed class LevitDense : Layer
{
    private readonly Dense _linear;
    private readonly BatchNormalization _norm;

    public LevitDense(int inputs, int outputs)
        : base(nameof(LevitDense))
    {
        _linear = Add("linear", new Dense(inputs, outputs, hasBias: false));
        _norm = Add("batch_norm", new BatchNormalization(outputs));
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <returns>Float [B, N, D']; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var x = _linear.Forward(tokens).Flatten(0, 1);                                          // [B N, D']
        return _norm.Forward(x).Unflatten(0, -1, tokens.shape[1]).MoveToOuterDisposeScope();    // [B, N, D']
    }
}

/// <summary>Two linear layers with a hard swish between them.</summary>
/// <remarks>Source: transformers <c>LevitMLPLayer</c>. Parity: 1e-5.</remarks>
internal sealed class LevitPerceptron : Layer
{
    private readonly LevitDense _widen;
    private readonly LevitDense _narrow;

    public LevitPerceptron(int width, int ratio)
        : base(nameof(LevitPerceptron))
    {
        _widen = Add("linear_up", new LevitDense(width, ratio * width));
        _narrow = Add("linear_down", new LevitDense(ratio * width, width));
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return _narrow.Forward(_widen.Forward(tokens).HardSwish()).MoveToOuterDisposeScope();
    }
}

/// <summary>Attention with a learned bias for each distance, of all tokens or of every second one in each direction.</summary>
/// <remarks>Source: transformers <c>LevitAttention</c>, <c>LevitAttentionSubsample</c>. Parity: 1e-5.</remarks>
internal sealed class LevitAttention : Layer
{
    private readonly LevitDense _joined;
    private readonly LevitDense? _queries;
    private readonly LevitDense _projection;
    private readonly ParameterSlot _biases;
    private readonly long[] _index;
    private readonly (int Heads, int Key, int ValueRatio) _shape;
    private readonly (int From, int To) _sides;
    private readonly int _stride;

    public LevitAttention((int Inputs, int Outputs) widths, (int Heads, int Key, int ValueRatio) shape, (int From, int To) sides, int stride, bool isWhole)
        : base(nameof(LevitAttention))
    {
        (_shape, _sides, _stride) = (shape, sides, stride);
        var (keys, values) = (shape.Key * shape.Heads, shape.ValueRatio * shape.Key * shape.Heads);
        _index = Distances(sides, stride, out var count);
        _biases = AddParameter("attention_biases", shape.Heads, count);
        if (isWhole)
        {
            _joined = Add("queries_keys_values", new LevitDense(widths.Inputs, values + 2 * keys));
        }
        else
        {
            _joined = Add("keys_values", new LevitDense(widths.Inputs, values + keys));
            _queries = Add("queries", new LevitDense(widths.Inputs, keys));
        }

        _projection = Add("projection", new LevitDense(values, widths.Outputs));
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <returns>Float [B, N', D']; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var (heads, key, ratio) = _shape;
        var joined = _joined.Forward(tokens).Unflatten(2, heads, -1);                           // [B, N, H, K + V] or [B, N, H, 2 K + V]
        var parts = joined.Split(_queries is null ? [key, key, ratio * key] : [key, ratio * key], 3);
        var query = _queries is null ? parts[0] : _queries.Forward(Every(tokens)).Unflatten(2, heads, -1); // [B, N', H, K]
        var scores = query.Transpose(1, 2).MatMul(parts[^2].Permute(0, 2, 3, 1)).Times(1 / Math.Sqrt(key)).Plus(Bias()); // [B, H, N', N]
        var mixed = scores.Softmax(-1).MatMul(parts[^1].Transpose(1, 2)).Transpose(1, 2).Flatten(2); // [B, N', H V]
        return _projection.Forward(mixed.HardSwish()).MoveToOuterDisposeScope();                // [B, N', D']
    }

    public override void ResetParameters() => WeightInitialization.Fill(_biases.Value, 0);

    /// <summary>The tokens that stay, float [B, N', D].</summary>
    private Tensor Every(Tensor tokens) =>
        tokens.Unflatten(1, _sides.From, _sides.From).Every(1, 0, _stride).Every(2, 0, _stride).Flatten(1, 2);

    /// <summary>The bias of each pair, float [H, N', N].</summary>
    private Tensor Bias() => _biases.Value.Gather(1, TensorShapes.Constant(_index, _biases.Value.device))
        .Unflatten(1, _sides.To * _sides.To, _sides.From * _sides.From);

    /// <summary>For each pair of places the number of its distance, in the order in which distances first appear.</summary>
    private static long[] Distances((int From, int To) sides, int stride, out int count)
    {
        var (from, to) = sides;
        var known = new Dictionary<(int, int), long>();
        var index = new long[to * to * from * from];
        for (var i = 0; i < index.Length; i++)
        {
            var (query, place) = (i / (from * from), i % (from * from));
            var distance = (Math.Abs(query / to * stride - place / from), Math.Abs(query % to * stride - place % from));
            known.TryAdd(distance, known.Count);
            index[i] = known[distance];
        }

        count = known.Count;
        return index;
    }
}

/// <summary>What a downsampling of a LeViT is made of.</summary>
/// <param name="KeyWidth">Width of a query and of a key.</param>
/// <param name="HeadCount">Number of heads.</param>
/// <param name="ValueRatio">How much wider a value is than a key.</param>
/// <param name="PerceptronRatio">How much wider the perceptron behind it is inside; 0 leaves it out.</param>
/// <param name="Stride">Which tokens stay: every one of this number in each direction.</param>
internal sealed record LevitDownsampling(int KeyWidth, int HeadCount, int ValueRatio, int PerceptronRatio, int Stride);

/// <summary>The keys of a LeViT's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>LevitConfig</c>; the defaults are its own.</remarks>
internal sealed record LevitOptions
{
    private const int DownsamplingLength = 6;
    private const int MostOfDownsampling = 1024;

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the numbers of stages differ.</exception>
    public LevitOptions(ModelConfiguration configuration)
    {
        ImageSize = configuration.WholeNumber("image_size", 224);
        Channels = configuration.WholeNumber("num_channels", 3);
        var (kernel, stride, padding) = (configuration.WholeNumber("kernel_size", 3), configuration.WholeNumber("stride", 2), configuration.WholeNumber("padding", 1));
        Stem = new ConvolutionOptions(kernel) { Stride = (stride, stride), Padding = (padding, padding) };
        Side = ImageSize / configuration.WholeNumber("patch_size", 16);
        Widths = configuration.WholeNumbers("hidden_sizes", 128, 256, 384);
        HeadCounts = configuration.WholeNumbers("num_attention_heads", 4, 8, 12);
        Depths = configuration.WholeNumbers("depths", 4, 4, 4);
        KeyWidths = configuration.WholeNumbers("key_dim", 16, 16, 16);
        DropPath = configuration.Number("drop_path_rate", 0);
        PerceptronRatios = configuration.WholeNumbers("mlp_ratio", 2, 2, 2);
        ValueRatios = configuration.WholeNumbers("attention_ratio", 2, 2, 2);
        InitializerRange = configuration.Number("initializer_range", 0.02);
        OptionChecks.Stages(
            ("hidden_sizes", Widths), ("num_attention_heads", HeadCounts), ("depths", Depths), ("key_dim", KeyWidths), ("mlp_ratio", PerceptronRatios), ("attention_ratio", ValueRatios));
        OptionChecks.Positive(("image_size divided by patch_size", Side), ("hidden_sizes divided by 8", Widths[0] / 8));
        Downsamplings = configuration.Json["down_ops"] switch
        {
            null => [.. Enumerable.Range(0, Widths.Count - 1).Select(i => new LevitDownsampling(KeyWidths[0], Widths[i] / KeyWidths[i], 4, 2, 2))],
            JsonArray list => [.. list.Take(Widths.Count - 1).Select(d => Read(configuration, d))],
            _ => throw configuration.Refused("down_ops", "a list of lists"),
        };
    }

    public int ImageSize { get; }

    public int Channels { get; }

    /// <summary>Each of the four convolutions of the stem.</summary>
    public ConvolutionOptions Stem { get; }

    /// <summary>Rows, and columns, of the first stage's tokens.</summary>
    public int Side { get; }

    public IReadOnlyList<int> Widths { get; }

    public IReadOnlyList<int> HeadCounts { get; }

    public IReadOnlyList<int> Depths { get; }

    public IReadOnlyList<int> KeyWidths { get; }

    public double DropPath { get; }

    public IReadOnlyList<int> PerceptronRatios { get; }

    public IReadOnlyList<int> ValueRatios { get; }

    public double InitializerRange { get; }

    /// <summary>What follows each stage; null for nothing.</summary>
    public IReadOnlyList<LevitDownsampling?> Downsamplings { get; }

    private static LevitDownsampling? Read(ModelConfiguration configuration, JsonNode? node)
    {
        if (node is not JsonArray { Count: DownsamplingLength } list || list[0]?.ToString() != "Subsample")
        {
            return node is JsonArray ? null : throw configuration.Refused("down_ops", "a list of lists");
        }

        var numbers = list.Skip(1).Select(n => n is JsonValue v && int.TryParse(v.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= MostOfDownsampling
            ? number
            : throw configuration.Refused("down_ops", "\"Subsample\" and five whole numbers up to 1024")).ToList();
        return numbers[0] > 0 && numbers[1] > 0 && numbers[2] > 0 && numbers[4] > 0
            ? new LevitDownsampling(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
            : throw configuration.Refused("down_ops", "key width, heads, ratio and stride of at least 1");
    }
}
