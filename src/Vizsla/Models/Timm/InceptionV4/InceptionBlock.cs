using System.Globalization;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm.InceptionV4;

// Shapes: B batch, C channels, H height, W width.

/// <summary>A block of branches whose planes are laid side by side; a branch is a row of steps and may fork at its end.</summary>
/// <remarks>Source: timm <c>Mixed3a</c> to <c>InceptionC</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class InceptionBlock : Layer
{
    private const double Epsilon = 1e-3;

    private readonly List<List<Func<Tensor, Tensor>>> _branches = [];

    public InceptionBlock()
        : base(nameof(InceptionBlock))
    {
    }

    /// <summary>Adds a branch of convolutions named <c>path.0</c>, <c>path.1</c>; a pooling before them takes the first number.</summary>
    public InceptionBlock Branch(string path, bool poolsFirst, params ReadOnlySpan<InceptionConvolution> convolutions)
    {
        var steps = new List<Func<Tensor, Tensor>>();
        if (poolsFirst)
        {
            steps.Add(Averaged);
        }

        foreach (var convolution in convolutions)
        {
            steps.Add(MakeUnit(string.Create(CultureInfo.InvariantCulture, $"{path}.{steps.Count}"), convolution));
        }

        _branches.Add(steps);
        return this;
    }

    /// <summary>Adds a branch of one convolution that has the path's name itself.</summary>
    public InceptionBlock Single(string path, InceptionConvolution convolution)
    {
        _branches.Add([MakeUnit(path, convolution)]);
        return this;
    }

    /// <summary>Adds a branch that keeps the largest of three by three, at half the size.</summary>
    public InceptionBlock Largest()
    {
        _branches.Add([x => nn.functional.max_pool2d(x, [3, 3], [2, 2])]);
        return this;
    }

    /// <summary>Adds a branch of named convolutions whose last two stand side by side.</summary>
    public InceptionBlock Fork(ReadOnlySpan<(string Path, InceptionConvolution Shape)> row, (string Path, InceptionConvolution Shape) left, (string Path, InceptionConvolution Shape) right)
    {
        var steps = new List<Func<Tensor, Tensor>>();
        foreach (var (path, shape) in row)
        {
            steps.Add(MakeUnit(path, shape));
        }

        var (first, second) = (MakeUnit(left.Path, left.Shape), MakeUnit(right.Path, right.Shape));
        steps.Add(x => cat([first(x), second(x)], 1));
        _branches.Add(steps);
        return this;
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H', W']; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var planes = _branches.Select(steps => steps.Aggregate(input, (x, step) => step(x))).ToList();
        return cat(planes, 1).MoveToOuterDisposeScope();
    }

    private Func<Tensor, Tensor> MakeUnit(string path, InceptionConvolution shape) => new ConvolutionUnit(
        Add(Join(path, "conv"), new Convolution(shape.Inputs, shape.Outputs, shape.Options)),
        Add(Join(path, "bn"), new BatchNormalization(shape.Outputs, Epsilon)),
        Activation.Named("relu")).Forward;

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static Tensor Averaged(Tensor x) =>
        nn.functional.avg_pool2d(x, [3, 3], [1, 1], [1, 1], ceil_mode: false, count_include_pad: false);
}

/// <summary>A convolution of an Inception block.</summary>
/// <param name="Inputs">Channels of its input.</param>
/// <param name="Outputs">Channels of its output.</param>
/// <param name="Height">Height of its kernel.</param>
/// <param name="Width">Width of its kernel.</param>
/// <param name="Stride">Step of its kernel.</param>
/// <param name="IsPadded">Whether the plane keeps its size.</param>
internal sealed record InceptionConvolution(int Inputs, int Outputs, int Height, int Width, int Stride = 1, bool IsPadded = false)
{
    /// <summary>The convolution's shape.</summary>
    public ConvolutionOptions Options => new((Height, Width))
    {
        Stride = (Stride, Stride),
        Padding = IsPadded ? (Height / 2, Width / 2) : (0, 0),
        HasBias = false,
    };

    /// <summary>A convolution of single places.</summary>
    public static InceptionConvolution Point(int inputs, int outputs) => new(inputs, outputs, 1, 1);

    /// <summary>A convolution that keeps the plane's size.</summary>
    public static InceptionConvolution Padded(int inputs, int outputs, int height, int width) => new(inputs, outputs, height, width, IsPadded: true);

    /// <summary>A convolution of three by three without padding.</summary>
    public static InceptionConvolution Plain(int inputs, int outputs, int stride = 1) => new(inputs, outputs, 3, 3, stride);
}
