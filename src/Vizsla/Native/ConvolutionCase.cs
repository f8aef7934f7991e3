using System.Globalization;
using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>One convolution of the self-test: its shape, and how its numbers lie and are rounded.</summary>
/// <param name="Input">Pictures, channels, height and width of what it works on.</param>
/// <param name="Weight">Channels of the output, channels of the input in a group, height and width of the kernel.</param>
/// <param name="Stride">Step of the kernel, down and across.</param>
/// <param name="Padding">Zeros on each side, down and across.</param>
/// <param name="Dilation">Distance between the values of the kernel, down and across.</param>
/// <param name="Groups">Groups of channels that do not see each other.</param>
/// <param name="IsChannelsLast">Whether the channels of a place lie side by side.</param>
/// <param name="IsBfloat16">Whether it is computed in bfloat16.</param>
/// <param name="Threads">Threads that compute it.</param>
internal sealed record ConvolutionCase(
    long[] Input, long[] Weight, long[] Stride, long[] Padding, long[] Dilation, long Groups, bool IsChannelsLast, bool IsBfloat16, int Threads)
{
    /// <summary>Largest difference from float64 in float32, as a share of the largest number.</summary>
    public const double Float32Tolerance = 1e-4;

    /// <summary>The same in bfloat16, which has 8 bits.</summary>
    public const double Bfloat16Tolerance = 3e-2;

    private const int DistinctPictures = 3;

    private static readonly int[] _batches = [1, 9];

    private static readonly bool[] _both = [false, true];

    private static readonly (int Inputs, int Outputs, int Side, int Kernel, int Stride, int Groups)[] _shapes =
    [
        // EfficientNets and MobileNets: narrow projections, channels alone, stems.
        (144, 40, 28, 1, 1, 1), (240, 80, 14, 1, 1, 1), (672, 112, 14, 1, 1, 1), (32, 40, 14, 1, 1, 1), (40, 40, 14, 1, 1, 1), (16, 96, 28, 1, 1, 1), (144, 144, 14, 5, 1, 144),
        (96, 96, 28, 3, 2, 96), (3, 32, 64, 3, 2, 1),
        // ResNets: wide ones, strided shortcuts, squares.
        (256, 512, 14, 1, 1, 1), (512, 1024, 14, 1, 2, 1), (1024, 2048, 7, 1, 2, 1), (512, 2048, 7, 1, 1, 1), (64, 64, 14, 3, 1, 1), (3, 64, 64, 7, 2, 1),
        // Tiny networks.
        (24, 24, 8, 3, 1, 1), (40, 40, 2, 3, 1, 1), (4, 4, 16, 3, 1, 1), (12, 16, 16, 1, 2, 1),
        // Patches of Vision Transformers.
        (3, 192, 64, 16, 16, 1),
    ];

    /// <summary>The shapes that oneDNN is known to get wrong without cache sizes and one of each other kind, in small and odd batches, both layouts and with one thread and all.</summary>
    /// <param name="threads">Threads that libtorch computes with.</param>
    /// <param name="withBfloat16">Whether bfloat16 is tested too.</param>
    public static IReadOnlyList<ConvolutionCase> Table(int threads, bool withBfloat16) =>
    [
        .. from shape in _shapes
           from batch in _batches
           from isChannelsLast in _both
           from isBfloat16 in withBfloat16 && isChannelsLast ? _both : [false]
           from count in new[] { 1, threads }.Distinct()
           let padding = shape.Kernel == shape.Stride ? 0 : shape.Kernel / 2
           select new ConvolutionCase(
               [batch, shape.Inputs, shape.Side, shape.Side], [shape.Outputs, shape.Inputs / shape.Groups, shape.Kernel, shape.Kernel],
               [shape.Stride, shape.Stride], [padding, padding], [1, 1], shape.Groups, isChannelsLast, isBfloat16, count),
    ];

    /// <summary>What may differ from float64.</summary>
    public double Tolerance => IsBfloat16 ? Bfloat16Tolerance : Float32Tolerance;

    /// <summary>Computes it forward and back.</summary>
    /// <returns>The largest difference of the result and of both gradients from float64, as a share of the largest number of each; NaN where a number is none.</returns>
    /// <remarks>The batch repeats a few pictures, so that float64, which is slow, computes only those.</remarks>
    public double Measure()
    {
        if (get_num_threads() != Threads)
        {
            set_num_threads(Threads);
        }

        using var gradients = enable_grad();
        using var precise = Autocast.Suspend(TorchSharp.DeviceType.CPU);
        using var scope = NewDisposeScope();
        using var draw = new Generator(7);
        var (batch, channels, height, width) = (Input[0], Input[1], Input[2], Input[3]);
        var distinct = Math.Min(batch, DistinctPictures);
        var places = tensor(Enumerable.Range(0, (int)batch).Select(i => i % distinct).ToArray());
        var type = IsBfloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
        var weight = randn(Weight, generator: draw).to(type);
        var pictures = randn([distinct, height, width, channels], generator: draw).to(type).permute(0, 3, 1, 2);
        pictures = IsChannelsLast ? pictures : pictures.contiguous();
        var all = pictures.index_select(0, places);
        all = IsChannelsLast ? all.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : all.contiguous();

        // The gradient of a repeated picture counts as often as it stands in the batch.
        var counts = tensor(Enumerable.Range(0, (int)distinct).Select(i => (double)((batch - i + distinct - 1) / distinct)).ToArray()).view(-1, 1, 1, 1);
        var (exactInput, exactWeight) = (pictures.to(ScalarType.Float64).requires_grad_(true), weight.to(ScalarType.Float64).requires_grad_(true));
        var exact = ProductConvolution.Apply(exactInput, exactWeight, null, Stride, Padding, Dilation, Groups);
        var upstream = randn(exact.shape, generator: draw).to(type);
        exact.backward([upstream.to(ScalarType.Float64) * counts]);

        var (input, trained) = (all.detach().requires_grad_(true), weight.detach().requires_grad_(true));
        var result = Convolutions.Convolve(input, trained, null, Stride, Padding, Dilation, Groups);
        result.backward([upstream.index_select(0, places)]);
        return new[]
        {
            Share(result.detach(), exact.detach().index_select(0, places)),
            Share(input.grad!, (exactInput.grad! / counts).index_select(0, places)),
            Share(trained.grad!, exactWeight.grad!),
        }.Aggregate(0.0, (largest, value) => double.IsNaN(value) || double.IsNaN(largest) ? double.NaN : Math.Max(largest, value));
    }

    /// <summary>The shape in words; equal ones are the same convolution.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Input[1]}->{Weight[0]} {Weight[2]}x{Weight[3]}{Unless("stride", Stride, 1)}{(Groups > 1 ? $" groups {Groups}" : "")}{(Padding is [var down, var across] && (down, across) == (Weight[2] / 2, Weight[3] / 2) ? "" : Unless("padding", Padding, -1))}{Unless("dilation", Dilation, 1)} on {Input[0]}x{Input[2]}x{Input[3]}, channels {(IsChannelsLast ? "last" : "first")}, {(IsBfloat16 ? "bf16" : "fp32")}, {Threads} thread{(Threads == 1 ? "" : "s")}");

    private static string Unless(string what, long[] pair, long usual) =>
        pair[0] == usual && pair[1] == usual ? "" : pair[0] == pair[1] ? $" {what} {pair[0]}" : $" {what} {pair[0]}x{pair[1]}";

    private static double Share(Tensor computed, Tensor exact) =>
        (computed.to(ScalarType.Float64) - exact).abs().max().item<double>() / exact.abs().max().item<double>();
}
