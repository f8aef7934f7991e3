using System.Globalization;
using Vizsla.Models.Layers;
using static TorchSharp.torch;
using static Vizsla.Models.Timm.InceptionV4.InceptionConvolution;

namespace Vizsla.Models.Timm.InceptionV4;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>timm's Inception-v4.</summary>
/// <remarks>Source: timm <c>InceptionV4</c>; the paper is "Inception-v4, Inception-ResNet and the Impact of Residual Connections". Parity: 1e-4.</remarks>
internal sealed class InceptionV4Network : TimmNetwork
{
    private const int LastWidth = 1536;
    private const int CountA = 4;
    private const int CountB = 7;
    private const int CountC = 3;

    private readonly List<InceptionBlock> _blocks = [];
    private readonly TimmPooling _pooling;

    /// <param name="configuration">timm's configuration.</param>
    public InceptionV4Network(ModelConfiguration configuration)
        : base(configuration, TimmOptions.From(configuration))
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

    protected override Dense Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var x = Arranged(pixels);
        foreach (var block in _blocks)
        {
            var next = block.Forward(x);
            x.Dispose();
            x = next;
        }

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
    private void AddUnit(InceptionConvolution shape) => AddBlock(b => b.Single("", shape));

    private void AddBlock(Action<InceptionBlock> build)
    {
        var block = new InceptionBlock();
        build(block);
        _blocks.Add(Add(string.Create(CultureInfo.InvariantCulture, $"features.{_blocks.Count}"), block));
    }
}
