using System.Text.Json.Nodes;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>TextNet with a linear head on the mean of its last plane.</summary>
/// <remarks>Source: transformers <c>TextNetForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class TextNetNetwork : TransformersNetwork
{
    public const string ModelType = "textnet";
    public const string Name = "TextNetForImageClassification";

    private readonly TextNetOptions _options;
    private readonly ConvolutionUnit _stem;
    private readonly List<List<TextNetBlock>> _stages = [];

    public TextNetNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "textnet.")
    {
        _options = new TextNetOptions(configuration);
        _stem = ConvolutionUnit.Add(
            this, ("textnet.stem.conv", "textnet.stem.batch_norm"), _options.Channels, _options.StemWidth, ConvolutionOptions.Centered(_options.StemKernel, _options.StemStride),
            Activation.Named(_options.StemActivation), _options.Epsilon);
        foreach (var (stage, shapes) in _options.Stages.Index())
        {
            var blocks = new List<TextNetBlock>();
            foreach (var (i, (kernel, stride)) in shapes.Index())
            {
                var inputs = _options.Widths[i == 0 ? stage : stage + 1];
                blocks.Add(Add($"textnet.encoder.stages.{stage}.stage.{i}", new TextNetBlock(inputs, _options.Widths[stage + 1], kernel, stride, _options.Epsilon)));
            }

            _stages.Add(blocks);
        }

        AddHead("fc", _options.Widths[^1]);
    }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = _stem.Forward(Arranged(pixels));                                                // [B, C, H / 2, W / 2]
        trace?.AddHiddenState(x);
        foreach (var stage in _stages)
        {
            x = Through(x, stage, (block, plane) => block.Forward(plane));                      // [B, C, H, W]
            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        return GlobalPooling.Mean(x).MoveToOuterDisposeScope();                                 // [B, C]
    }

    protected override void InitializeLayer(Layer layer) => InitializeNormal(layer, _options.InitializerRange);
}

/// <summary>One block of a TextNet: an oblong convolution, its column, its row and the plane itself, each with a norm, added up; one convolution in prediction.</summary>
/// <remarks>Source: transformers <c>TextNetRepConvLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class TextNetBlock : Layer
{
    private readonly ConvolutionBranches _branches;

    public TextNetBlock(int inputs, int outputs, (int Height, int Width) kernel, int stride, double epsilon)
        : base(nameof(TextNetBlock))
    {
        var units = new List<ConvolutionUnit>();
        foreach (var (part, height, width) in new[] { ("main", kernel.Height, kernel.Width), ("vertical", kernel.Height, 1), ("horizontal", 1, kernel.Width) })
        {
            var isThere = part switch
            {
                "vertical" => kernel.Width != 1,
                "horizontal" => kernel.Height != 1,
                _ => true,
            };
            if (isThere)
            {
                var shape = new ConvolutionOptions((height, width)) { Stride = (stride, stride), Padding = ((height - 1) / 2, (width - 1) / 2) };
                units.Add(ConvolutionUnit.Add(this, (part + "_conv", part + "_batch_norm"), inputs, outputs, shape, activation: null, epsilon));
            }
        }

        var identity = inputs == outputs && stride == 1 ? Add("rbr_identity", new BatchNormalization(inputs, epsilon)) : null;
        _branches = new ConvolutionBranches(units, identity);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _branches.Forward(input).Relu().MoveToOuterDisposeScope();
    }
}

/// <summary>The keys of a TextNet's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>TextNetConfig</c>; the defaults are its own.</remarks>
internal sealed record TextNetOptions
{
    private const string KernelKey = "conv_layer_kernel_sizes";
    private const string StrideKey = "conv_layer_strides";

    private static readonly JsonArray _kernels = (JsonArray)JsonNode.Parse("[[[3,3],[3,3],[3,3]],[[3,3],[1,3],[3,3],[3,1]],[[3,3],[3,3],[3,1],[1,3]],[[3,3],[3,1],[1,3],[3,3]]]")!;
    private static readonly JsonArray _strides = (JsonArray)JsonNode.Parse("[[1,2,1],[2,1,1,1],[2,1,1,1],[2,1,1,1]]")!;

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the lists of stages differ in length.</exception>
    public TextNetOptions(ModelConfiguration configuration)
    {
        Channels = configuration.WholeNumber("stem_num_channels", 3);
        StemKernel = configuration.WholeNumber("stem_kernel_size", 3);
        StemStride = configuration.WholeNumber("stem_stride", 2);
        StemWidth = configuration.WholeNumber("stem_out_channels", 64);
        StemActivation = configuration.Text("stem_act_func", "relu");
        Widths = configuration.WholeNumbers("hidden_sizes", 64, 64, 128, 256, 512);
        Epsilon = configuration.Number("batch_norm_eps", 1e-5);
        InitializerRange = configuration.Number("initializer_range", 0.02);
        OptionChecks.Positive(("stem_kernel_size", StemKernel), ("stem_stride", StemStride), ("stem_out_channels", StemWidth), ("stem_num_channels", Channels));
        var kernels = ListOf(configuration, KernelKey, _kernels);
        var strides = ListOf(configuration, StrideKey, _strides);
        if (kernels.Count == 0 || kernels.Count != strides.Count || Widths.Count != kernels.Count + 1)
        {
            throw new ModelLoadException(Invariant(
                $"{KernelKey} has {kernels.Count} stages, {StrideKey} {strides.Count} and hidden_sizes {Widths.Count} entries; expected as many stages of both, and one entry more of the last."));
        }

        if (Widths[0] != StemWidth)
        {
            throw new ModelLoadException(Invariant($"hidden_sizes begins with {Widths[0]}, but stem_out_channels is {StemWidth}; expected the same number."));
        }

        for (var stage = 0; stage < kernels.Count; stage++)
        {
            var (sizes, steps) = ((kernels[stage] as JsonArray)?.Select(k => KernelOf(configuration, k)).ToList(), strides[stage] as JsonArray);
            if (sizes is not { Count: > 0 } || sizes.Count != steps?.Count)
            {
                throw configuration.Refused(StrideKey, $"one step for each kernel of {KernelKey} in every stage, and at least one");
            }

            Stages.Add([.. sizes.Zip(steps, (size, step) => (size, ModelConfiguration.Count(step) ?? throw configuration.Refused(StrideKey, "lists of whole numbers above 0")))]);
        }
    }

    public int Channels { get; }

    public int StemKernel { get; }

    public int StemStride { get; }

    public int StemWidth { get; }

    public string StemActivation { get; }

    /// <summary>Channels behind the stem and behind each stage.</summary>
    public IReadOnlyList<int> Widths { get; }

    /// <summary>Kernel and step of each block, stage by stage.</summary>
    public List<IReadOnlyList<((int Height, int Width) Kernel, int Stride)>> Stages { get; } = [];

    public double Epsilon { get; }

    public double InitializerRange { get; }

    private static JsonArray ListOf(ModelConfiguration configuration, string key, JsonArray missing) => configuration.Json[key] switch
    {
        null => missing,
        JsonArray list => list,
        _ => throw configuration.Refused(key, "a list of stages"),
    };

    private static (int Height, int Width) KernelOf(ModelConfiguration configuration, JsonNode? node) =>
        node is JsonArray { Count: 2 } list && ModelConfiguration.Count(list[0]) is { } height && ModelConfiguration.Count(list[1]) is { } width && height % 2 + width % 2 == 2
            ? (height, width)
            : throw configuration.Refused(KernelKey, "pairs of odd whole numbers, height and width of each kernel");
}
