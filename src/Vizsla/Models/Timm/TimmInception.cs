using Vizsla.Models.Layers;
using static TorchSharp.torch;
using static Vizsla.Models.Timm.TimmInceptionConvolution;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width.

/// <summary>timm's Inception-v3; the auxiliary head of torchvision's files is passed over.</summary>
/// <remarks>Source: timm <c>InceptionV3</c>; torchvision's names. Parity: 1e-4.</remarks>
internal sealed class TimmInceptionV3Network : TimmNetwork
{
    private const int LastWidth = 2048;

    private readonly List<Func<Tensor, Tensor>> _stem = [];
    private readonly List<TimmInceptionBlock> _blocks = [];
    private readonly TimmPooling _pooling;

    public TimmInceptionV3Network(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = new TimmPooling(Options.Pooling);
        AddStem();
        AddPlain("5b", 192, 32);
        AddPlain("5c", 256, 64);
        AddPlain("5d", 288, 64);
        AddBlock("6a", b => b
            .Row(false, ("branch3x3", Plain(288, 384, 2)))
            .Row(false, ("branch3x3dbl_1", Point(288, 64)), ("branch3x3dbl_2", Padded(64, 96, 3, 3)), ("branch3x3dbl_3", Plain(96, 96, 2)))
            .Largest());
        AddLong("6b", 128);
        AddLong("6c", 160);
        AddLong("6d", 160);
        AddLong("6e", 192);
        AddBlock("7a", b => b
            .Row(false, ("branch3x3_1", Point(768, 192)), ("branch3x3_2", Plain(192, 320, 2)))
            .Row(false, ("branch7x7x3_1", Point(768, 192)), ("branch7x7x3_2", Padded(192, 192, 1, 7)), ("branch7x7x3_3", Padded(192, 192, 7, 1)), ("branch7x7x3_4", Plain(192, 192, 2)))
            .Largest());
        AddForked("7b", 1280);
        AddForked("7c", 2048);
        Classifier = Add(HeadName, new Dense(LastWidth * _pooling.Multiplier, Options.ClassCount));
    }

    public override int SmallestSide => 75;

    protected override string HeadName => "fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var x = Through(_blocks, _stem.Aggregate(Arranged(pixels), (plane, step) => step(plane)));           // [B, C, H / 32, W / 32]
        trace?.AddHiddenState(x);
        trace?.KeepPlane(x);
        return _pooling.Apply(x).MoveToOuterDisposeScope();                                     // [B, C]
    }

    internal override string? NameOf(string name) =>
        base.NameOf(name) is { } own && !own.StartsWith("AuxLogits.", StringComparison.Ordinal) ? own : null;

    protected override void InitializeLayer(Layer layer)
    {
        const double Deviation = 0.1;
        if (layer is IWeighted weighted)
        {
            WeightInitialization.TruncatedNormal(weighted.Weight, Deviation);
        }
    }

    private void AddStem()
    {
        AddStem("Conv2d_1a_3x3", Plain(Options.Channels, 32, 2));
        AddStem("Conv2d_2a_3x3", Plain(32, 32));
        AddStem("Conv2d_2b_3x3", Padded(32, 64, 3, 3));
        _stem.Add(x => x.MaxPool(3, 2));
        AddStem("Conv2d_3b_1x1", Point(64, 80));
        AddStem("Conv2d_4a_3x3", Plain(80, 192));
        _stem.Add(x => x.MaxPool(3, 2));
    }

    private void AddStem(string name, TimmInceptionConvolution shape) => _stem.Add(Add(name, new TimmInceptionBlock().Single("", shape)).Forward);

    private void AddPlain(string name, int inputs, int pooled) => AddBlock(name, b => b
        .Row(false, ("branch1x1", Point(inputs, 64)))
        .Row(false, ("branch5x5_1", Point(inputs, 48)), ("branch5x5_2", Padded(48, 64, 5, 5)))
        .Row(false, ("branch3x3dbl_1", Point(inputs, 64)), ("branch3x3dbl_2", Padded(64, 96, 3, 3)), ("branch3x3dbl_3", Padded(96, 96, 3, 3)))
        .Row(true, ("branch_pool", Point(inputs, pooled))));

    private void AddLong(string name, int width) => AddBlock(name, b => b
        .Row(false, ("branch1x1", Point(768, 192)))
        .Row(false, ("branch7x7_1", Point(768, width)), ("branch7x7_2", Padded(width, width, 1, 7)), ("branch7x7_3", Padded(width, 192, 7, 1)))
        .Row(false,
            ("branch7x7dbl_1", Point(768, width)), ("branch7x7dbl_2", Padded(width, width, 7, 1)), ("branch7x7dbl_3", Padded(width, width, 1, 7)),
            ("branch7x7dbl_4", Padded(width, width, 7, 1)), ("branch7x7dbl_5", Padded(width, 192, 1, 7)))
        .Row(true, ("branch_pool", Point(768, 192))));

    private void AddForked(string name, int inputs) => AddBlock(name, b => b
        .Row(false, ("branch1x1", Point(inputs, 320)))
        .Fork([("branch3x3_1", Point(inputs, 384))], ("branch3x3_2a", Padded(384, 384, 1, 3)), ("branch3x3_2b", Padded(384, 384, 3, 1)))
        .Fork(
            [("branch3x3dbl_1", Point(inputs, 448)), ("branch3x3dbl_2", Padded(448, 384, 3, 3))],
            ("branch3x3dbl_3a", Padded(384, 384, 1, 3)),
            ("branch3x3dbl_3b", Padded(384, 384, 3, 1)))
        .Row(true, ("branch_pool", Point(inputs, 192))));

    private void AddBlock(string name, Action<TimmInceptionBlock> build)
    {
        var block = new TimmInceptionBlock();
        build(block);
        _blocks.Add(Add("Mixed_" + name, block));
    }
}

/// <summary>timm's Inception-v4.</summary>
/// <remarks>Source: timm <c>InceptionV4</c>; the paper is "Inception-v4, Inception-ResNet and the Impact of Residual Connections". Parity: 1e-4.</remarks>
internal sealed class TimmInceptionV4Network : TimmNetwork
{
    private const int LastWidth = 1536;
    private const int CountA = 4;
    private const int CountB = 7;
    private const int CountC = 3;

    private readonly List<TimmInceptionBlock> _blocks = [];
    private readonly TimmPooling _pooling;

    public TimmInceptionV4Network(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = new TimmPooling(Options.Pooling);
        AddStem();
        for (var i = 0; i < CountA; i++)
        {
            AddBlock(b => b
                .Single("branch0", Point(384, 96))
                .Branch("branch1", false, Point(384, 64), Padded(64, 96, 3, 3))
                .Branch("branch2", false, Point(384, 64), Padded(64, 96, 3, 3), Padded(96, 96, 3, 3))
                .Branch("branch3", true, Point(384, 96)));
        }

        AddBlock(b => b
            .Single("branch0", Plain(384, 384, 2))
            .Branch("branch1", false, Point(384, 192), Padded(192, 224, 3, 3), Plain(224, 256, 2))
            .Largest());
        for (var i = 0; i < CountB; i++)
        {
            AddBlock(b => b
                .Single("branch0", Point(1024, 384))
                .Branch("branch1", false, Point(1024, 192), Padded(192, 224, 1, 7), Padded(224, 256, 7, 1))
                .Branch("branch2", false, Point(1024, 192), Padded(192, 192, 7, 1), Padded(192, 224, 1, 7), Padded(224, 224, 7, 1), Padded(224, 256, 1, 7))
                .Branch("branch3", true, Point(1024, 128)));
        }

        AddBlock(b => b
            .Branch("branch0", false, Point(1024, 192), Plain(192, 192, 2))
            .Branch("branch1", false, Point(1024, 256), Padded(256, 256, 1, 7), Padded(256, 320, 7, 1), Plain(320, 320, 2))
            .Largest());
        for (var i = 0; i < CountC; i++)
        {
            AddBlock(b => b
                .Single("branch0", Point(1536, 256))
                .Fork([("branch1_0", Point(1536, 384))], ("branch1_1a", Padded(384, 256, 1, 3)), ("branch1_1b", Padded(384, 256, 3, 1)))
                .Fork(
                    [("branch2_0", Point(1536, 384)), ("branch2_1", Padded(384, 448, 3, 1)), ("branch2_2", Padded(448, 512, 1, 3))],
                    ("branch2_3a", Padded(512, 256, 1, 3)),
                    ("branch2_3b", Padded(512, 256, 3, 1)))
                .Branch("branch3", true, Point(1536, 256)));
        }

        Classifier = Add(HeadName, new Dense(LastWidth * _pooling.Multiplier, Options.ClassCount));
    }

    public override int SmallestSide => 75;

    protected override string HeadName => "last_linear";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var x = Through(_blocks, Arranged(pixels));                                             // [B, C, H / 32, W / 32]
        trace?.AddHiddenState(x);
        trace?.KeepPlane(x);
        return _pooling.Apply(x).MoveToOuterDisposeScope();                                     // [B, C]
    }

    /// <summary>torch's own draws stay.</summary>
    protected override void InitializeLayer(Layer layer)
    {
    }

    private void AddStem()
    {
        AddUnit(Plain(Options.Channels, 32, 2));
        AddUnit(Plain(32, 32));
        AddUnit(Padded(32, 64, 3, 3));
        AddBlock(b => b.Largest().Single("conv", Plain(64, 96, 2)));
        AddBlock(b => b
            .Branch("branch0", false, Point(160, 64), Plain(64, 96))
            .Branch("branch1", false, Point(160, 64), Padded(64, 64, 1, 7), Padded(64, 64, 7, 1), Plain(64, 96)));
        AddBlock(b => b.Single("conv", Plain(192, 192, 2)).Largest());
    }

    /// <summary>A convolution of the stem: its two parts lie directly below the block's number.</summary>
    private void AddUnit(TimmInceptionConvolution shape) => AddBlock(b => b.Single("", shape));

    private void AddBlock(Action<TimmInceptionBlock> build)
    {
        var block = new TimmInceptionBlock();
        build(block);
        _blocks.Add(Add($"features.{_blocks.Count}", block));
    }
}

/// <summary>A block of branches whose planes are laid side by side; a branch is a row of steps and may fork at its end.</summary>
/// <remarks>Source: timm <c>inception_v3.py</c>, <c>inception_v4.py</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class TimmInceptionBlock : TensorLayer
{
    private const double Epsilon = 1e-3;

    private readonly List<List<Func<Tensor, Tensor>>> _branches = [];

    public TimmInceptionBlock()
        : base(nameof(TimmInceptionBlock))
    {
    }

    /// <summary>Adds a branch of convolutions named <c>path.0</c>, <c>path.1</c>; a pooling before them takes the first number.</summary>
    public TimmInceptionBlock Branch(string path, bool poolsFirst, params ReadOnlySpan<TimmInceptionConvolution> convolutions)
    {
        var steps = new List<Func<Tensor, Tensor>>();
        if (poolsFirst)
        {
            steps.Add(x => x.AveragePool(3, 1, 1, countsPadding: false));
        }

        foreach (var convolution in convolutions)
        {
            steps.Add(MakeUnit($"{path}.{steps.Count}", convolution));
        }

        _branches.Add(steps);
        return this;
    }

    /// <summary>Adds a branch of one convolution that has the path's name itself.</summary>
    public TimmInceptionBlock Single(string path, TimmInceptionConvolution convolution)
    {
        _branches.Add([MakeUnit(path, convolution)]);
        return this;
    }

    /// <summary>Adds a branch of named convolutions.</summary>
    /// <param name="averagesFirst">Whether means of three by three come before them.</param>
    /// <param name="row">Names and shapes.</param>
    public TimmInceptionBlock Row(bool averagesFirst, params ReadOnlySpan<(string Path, TimmInceptionConvolution Shape)> row)
    {
        var steps = new List<Func<Tensor, Tensor>>();
        if (averagesFirst)
        {
            steps.Add(x => x.AveragePool(3, 1, 1));
        }

        foreach (var (path, shape) in row)
        {
            steps.Add(MakeUnit(path, shape));
        }

        _branches.Add(steps);
        return this;
    }

    /// <summary>Adds a branch that keeps the largest of three by three, at half the size.</summary>
    public TimmInceptionBlock Largest()
    {
        _branches.Add([x => x.MaxPool(3, 2)]);
        return this;
    }

    /// <summary>Adds a branch of named convolutions whose last two stand side by side.</summary>
    public TimmInceptionBlock Fork(ReadOnlySpan<(string Path, TimmInceptionConvolution Shape)> row, (string Path, TimmInceptionConvolution Shape) left, (string Path, TimmInceptionConvolution Shape) right)
    {
        var steps = new List<Func<Tensor, Tensor>>();
        foreach (var (path, shape) in row)
        {
            steps.Add(MakeUnit(path, shape));
        }

        var (first, second) = (MakeUnit(left.Path, left.Shape), MakeUnit(right.Path, right.Shape));
        steps.Add(x => TensorShapes.Concat([first(x), second(x)], 1));
        _branches.Add(steps);
        return this;
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H', W']; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var planes = _branches.Select(steps => steps.Aggregate(input, (x, step) => step(x))).ToList();
        return TensorShapes.Concat(planes, 1).MoveToOuterDisposeScope();
    }

    private Func<Tensor, Tensor> MakeUnit(string path, TimmInceptionConvolution shape) => new ConvolutionUnit(
        Add(Join(path, "conv"), new Convolution(shape.Inputs, shape.Outputs, shape.Options)),
        Add(Join(path, "bn"), new BatchNormalization(shape.Outputs, Epsilon)),
        Activation.Named("relu")).Forward;

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

}

/// <summary>A convolution of an Inception block.</summary>
/// <param name="Inputs">Channels of its input.</param>
/// <param name="Outputs">Channels of its output.</param>
/// <param name="Height">Height of its kernel.</param>
/// <param name="Width">Width of its kernel.</param>
/// <param name="Stride">Step of its kernel.</param>
/// <param name="IsPadded">Whether the plane keeps its size.</param>
internal sealed record TimmInceptionConvolution(int Inputs, int Outputs, int Height, int Width, int Stride = 1, bool IsPadded = false)
{
    /// <summary>The convolution's shape.</summary>
    public ConvolutionOptions Options => new((Height, Width))
    {
        Stride = (Stride, Stride),
        Padding = IsPadded ? (Height / 2, Width / 2) : (0, 0),
        HasBias = false,
    };

    /// <summary>A convolution of single places.</summary>
    public static TimmInceptionConvolution Point(int inputs, int outputs) => new(inputs, outputs, 1, 1);

    /// <summary>A convolution that keeps the plane's size.</summary>
    public static TimmInceptionConvolution Padded(int inputs, int outputs, int height, int width) => new(inputs, outputs, height, width, IsPadded: true);

    /// <summary>A convolution of three by three without padding.</summary>
    public static TimmInceptionConvolution Plain(int inputs, int outputs, int stride = 1) => new(inputs, outputs, 3, 3, stride);
}
