using TorchSharp;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Tests.Native;

[Collection(RunAlone.Name)]
public sealed class ConvolutionsTests
{
    // Seven digits, summed over some thousand products.
    private const double Tolerance = 2e-5;

    // Batch, inputs, outputs, kernel, stride, padding, dilation, groups, side: those that oneDNN gets wrong or dies of without cache sizes, and one of each other kind.
    public static readonly TheoryData<string> Shapes =
    [
        "2, 144, 40, 1, 1, 0, 1, 1, 14",
        "1, 256, 512, 1, 1, 0, 1, 1, 14",
        "2, 512, 1024, 1, 2, 0, 1, 1, 14",
        "1, 512, 2048, 1, 1, 0, 1, 1, 7",
        "8, 32, 40, 1, 1, 0, 1, 1, 14",
        "8, 40, 40, 1, 1, 0, 1, 1, 14",
        "2, 12, 16, 1, 2, 0, 1, 1, 16",
        "2, 24, 24, 3, 1, 1, 1, 1, 8",
        "33, 40, 40, 3, 1, 1, 1, 1, 2",
        "2, 4, 4, 3, 1, 1, 1, 1, 16",
        "1, 3, 32, 3, 2, 1, 1, 1, 33",
        "2, 40, 40, 5, 2, 2, 1, 40, 15",
        "2, 32, 64, 3, 1, 1, 1, 4, 9",
        "2, 8, 16, 3, 1, 2, 2, 1, 11",
        "2, 8, 8, 3, 1, 2, 2, 8, 11",
    ];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void This_process_convolves_right(string shape)
    {
        foreach (var threads in new[] { 1, 2 })
        {
            using var setting = new Threads(threads);
            Check(shape, Convolutions.Convolve);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Products_are_right_without_oneDNN(string shape) => Check(shape, ProductConvolution.Apply);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void OneDNN_is_right_again_after_its_cache_sizes_were_taken_away(string shape)
    {
        _ = Convolutions.Way;
        Assert.SkipUnless(OneDnnCaches.Hide(), "skipped: oneDNN's sizes can be reached only in libtorch for Linux (x64)");

        var outcome = OneDnnCaches.Patch();

        Assert.Equal(OneDnnCaches.Outcome.Patched, outcome);
        Assert.Equal(OneDnnCaches.Outcome.Right, OneDnnCaches.Patch());
        Check(shape, (x, weight, bias, stride, padding, dilation, groups) => nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups));
    }

    [Fact]
    public void A_kernel_made_for_wrong_sizes_is_not_used_after_they_are_mended()
    {
        Assert.SkipUnless(OneDnnCaches.Hide(), "skipped: oneDNN's sizes can be reached only in libtorch for Linux (x64)");
        using (NewDisposeScope())
        {
            // What this writes is undefined; on processors with AVX-512 the last channels are garbage.
            _ = nn.functional.conv2d(ones(2, 14, 14, 144).permute(0, 3, 1, 2), ones(40, 144, 1, 1));
        }

        OneDnnCaches.Patch();

        Check("2, 144, 40, 1, 1, 0, 1, 1, 14", (x, weight, bias, stride, padding, dilation, groups) => nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups));
    }

    [Fact]
    public void Under_autocast_products_are_bfloat16_with_gradients_in_float()
    {
        Assert.SkipUnless(Autocast.IsAvailable, "skipped: this libtorch has no autocast");
        using var scope = NewDisposeScope();
        var x = randn(2, 8, 6, 6);
        var weight = randn(4, 8, 3, 3).requires_grad_(true);

        Tensor y;
        using (Autocast.Open(DeviceType.CPU))
        {
            y = ProductConvolution.Apply(x, weight, null, [1, 1], [1, 1], [1, 1], 1);
        }

        y.sum().backward();
        Assert.Equal(ScalarType.BFloat16, y.dtype);
        Assert.Equal(ScalarType.Float32, weight.grad!.dtype);
    }

    private delegate Tensor Convolution(Tensor input, Tensor weight, Tensor? bias, long[] stride, long[] padding, long[] dilation, long groups);

    // The result and three gradients, in both layouts, against the same in float64, which oneDNN does not compute.
    private static void Check(string shape, Convolution convolve)
    {
        var numbers = shape.Split(", ").Select(long.Parse).ToArray();
        var (batch, inputs, outputs, kernel, stride) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
        var (padding, dilation, groups, side) = (numbers[5], numbers[6], numbers[7], numbers[8]);
        foreach (var isChannelsLast in new[] { false, true })
        {
            using var scope = NewDisposeScope();
            var draw = new Generator(7);
            var x = randn([batch, side, side, inputs], generator: draw).permute(0, 3, 1, 2);
            x = isChannelsLast ? x : x.contiguous();
            var weight = randn([outputs, inputs / groups, kernel, kernel], generator: draw);
            var bias = randn([outputs], generator: draw);

            var (result, dx, dw, db) = Run(convolve, ScalarType.Float32);
            var (exact, exactDx, exactDw, exactDb) = Run((a, b, c, d, e, f, g) => nn.functional.conv2d(a, b, c, d, e, f, g), ScalarType.Float64);

            foreach (var (got, expected) in new[] { (result, exact), (dx, exactDx), (dw, exactDw), (db, exactDb) })
            {
                Assert.Equal(expected.shape, got.shape);
                var difference = (got.to(ScalarType.Float64) - expected).abs().max().item<double>();
                Assert.True(difference <= Tolerance * expected.abs().max().item<double>(), $"off by {difference}, channels {(isChannelsLast ? "last" : "first")}");
            }

            (Tensor Result, Tensor Input, Tensor Weight, Tensor Bias) Run(Convolution way, ScalarType type)
            {
                var (a, b, c) = (x.to(type).detach().requires_grad_(true), weight.to(type).detach().requires_grad_(true), bias.to(type).detach().requires_grad_(true));
                var y = way(a, b, c, [stride, stride], [padding, padding], [dilation, dilation], groups);
                y.backward([y.detach().cos()]);
                return (y, a.grad!, b.grad!, c.grad!);
            }
        }
    }

    private sealed class Threads : IDisposable
    {
        private readonly int _before = get_num_threads();

        public Threads(int count) => set_num_threads(count);

        public void Dispose() => set_num_threads(_before);
    }
}
