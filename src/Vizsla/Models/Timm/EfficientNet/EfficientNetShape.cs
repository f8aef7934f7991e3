using Vizsla.Models.Layers;

namespace Vizsla.Models.Timm.EfficientNet;

/// <summary>How an EfficientNet of timm is scaled from the paper's, and which flavour it is.</summary>
/// <param name="WidthFactor">Factor of the channels.</param>
/// <param name="DepthFactor">Factor of the blocks of a stage.</param>
internal sealed record EfficientNetShape(double WidthFactor, double DepthFactor)
{
    // Blocks, channels, kernel, stride, widening of each stage.
    private static readonly (int Blocks, int Channels, int Kernel, int Stride, int Expand)[] _stages =
    [
        (1, 16, 3, 1, 1), (2, 24, 3, 2, 6), (2, 40, 5, 2, 6), (3, 80, 3, 2, 6), (3, 112, 5, 1, 6), (4, 192, 5, 2, 6), (1, 320, 3, 1, 6),
    ];

    private const int PaperStem = 32;
    private const int PaperLast = 1280;
    private const int Divisor = 8;

    /// <summary>Whether it is a "lite" one: no squeeze, ReLU6, stem and last layer not scaled, TensorFlow's padding and epsilon.</summary>
    public bool IsLite { get; private init; }

    /// <summary>The lite flavour.</summary>
    public static EfficientNetShape Lite(double widthFactor, double depthFactor) => new(widthFactor, depthFactor) { IsLite = true };

    /// <summary>Channels behind the stem.</summary>
    public int StemWidth => IsLite ? PaperStem : Scaled(PaperStem);

    /// <summary>Channels of the last plane.</summary>
    public int LastWidth => IsLite ? PaperLast : Scaled(PaperLast);

    /// <summary>The blocks in their order.</summary>
    public IEnumerable<EfficientNetBlockShape> Blocks()
    {
        var channels = StemWidth;
        for (var stage = 0; stage < _stages.Length; stage++)
        {
            var paper = _stages[stage];
            var isFixed = IsLite && (stage == 0 || stage == _stages.Length - 1);
            var count = isFixed ? paper.Blocks : (int)Math.Ceiling(paper.Blocks * DepthFactor);
            for (var i = 0; i < count; i++)
            {
                var outputs = Scaled(paper.Channels);
                yield return new EfficientNetBlockShape($"blocks.{stage}.{i}", stage, channels, outputs, paper.Kernel, i == 0 ? paper.Stride : 1, paper.Expand);
                channels = outputs;
            }
        }
    }

    private int Scaled(int channels) => ChannelRounding.ToMultiple(channels * WidthFactor, Divisor);
}

/// <summary>What one block is made of.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="Stage">Number of its stage.</param>
/// <param name="Inputs">Channels of its input.</param>
/// <param name="Outputs">Channels of its output.</param>
/// <param name="Kernel">Side of its kernel.</param>
/// <param name="Stride">Step of its kernel.</param>
/// <param name="Expand">How much wider it is inside; 1 leaves the widening out.</param>
internal sealed record EfficientNetBlockShape(string Name, int Stage, int Inputs, int Outputs, int Kernel, int Stride, int Expand);
