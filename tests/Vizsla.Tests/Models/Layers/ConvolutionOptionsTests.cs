using TorchSharp;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models.Layers;

public sealed class ConvolutionOptionsTests
{
    // Float32 sums of 25 products in another order.
    private const double Rounding = 1e-5;

    [Theory]
    [InlineData(3, 2, 1, 14, 14)]
    [InlineData(3, 2, 1, 14, 15)]
    [InlineData(5, 2, 1, 14, 15)]
    [InlineData(5, 2, 1, 7, 7)]
    [InlineData(3, 2, 2, 14, 14)]
    [InlineData(3, 3, 1, 14, 10)]
    public void TensorFlows_padding_gives_the_same_with_and_without_gradients(int kernel, int stride, int dilation, int height, int width)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var options = new ConvolutionOptions(kernel) { Stride = (stride, stride), Dilation = dilation, IsSamePadded = true, Groups = 4, HasBias = false };
        var input = randn([2, 4, height, width], generator: generator);
        var weight = randn([4, 1, kernel, kernel], generator: generator);
        var (top, bottom) = SamePadding.Sides(height, kernel, stride, dilation);
        var (left, right) = SamePadding.Sides(width, kernel, stride, dilation);
        var padded = nn.functional.pad(input, (left, right, top, bottom));
        var expected = nn.functional.conv2d(padded, weight, strides: [stride, stride], dilation: [dilation, dilation], groups: 4);

        var trained = options.Apply(input, weight.detach().requires_grad_(), null);
        var predicted = options.Apply(input, weight, null);

        Assert.True(trained.requires_grad);
        Assert.Equal(expected.shape, predicted.shape);
        Assert.True(trained.allclose(expected, Rounding, Rounding));
        Assert.True(predicted.allclose(expected, Rounding, Rounding));
    }
}
