using TorchSharp;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Tests.Native;

public class LinearProductsTests
{
    [Theory]
    [InlineData(new long[] { 64, 300 }, 290, true)]
    [InlineData(new long[] { 3, 50, 256 }, 192, false)]
    [InlineData(new long[] { 2, 7, 9, 64 }, 640, true)]
    public void Values_and_gradients_are_those_of_float64(long[] shape, long outputs, bool hasBias)
    {
        Assert.SkipUnless(Dispatcher.IsAvailable, "skipped: operators cannot be called by name in this libtorch");
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var input = rand(shape, generator: generator);
        var weight = rand([outputs, shape[^1]], generator: generator).sub(0.5);
        var bias = hasBias ? rand([outputs], generator: generator) : null;
        var weights = rand([.. shape[..^1], outputs], generator: generator);

        var expected = Run(input.to(float64), weight.to(float64), bias?.to(float64), weights.to(float64), nn.functional.linear);
        var actual = Run(input, weight, bias, weights, LinearProducts.Run);

        Assert.Equal(expected.Length, actual.Length);
        foreach (var (wide, own) in expected.Zip(actual))
        {
            Assert.Equal(wide.shape, own.shape);
            Assert.True((wide - own).abs().max().item<double>() <= 2e-6 * wide.abs().max().item<double>());
        }
    }

    [Fact]
    public void What_is_frozen_gets_no_gradient_and_a_transposed_input_is_read_as_it_is()
    {
        Assert.SkipUnless(Dispatcher.IsAvailable, "skipped: operators cannot be called by name in this libtorch");
        using var scope = NewDisposeScope();
        var (input, weight, bias) = (rand(200, 64).t().requires_grad_(), rand(130, 200), rand(130).requires_grad_());

        LinearProducts.Run(input, weight, bias).sum().backward();

        Assert.Null(weight.grad);
        Assert.True(bias.grad!.allclose(full([130], 64f)));
        Assert.True(input.grad!.allclose(weight.sum([0]).expand(64, 200), rtol: 1e-4));
        using var without = no_grad();
        Assert.False(LinearProducts.Run(input, weight, bias).requires_grad);
        Assert.True(LinearProducts.Run(input, weight, null).allclose(input.matmul(weight.t()), rtol: 1e-4));
    }

    private static Tensor[] Run(Tensor input, Tensor weight, Tensor? bias, Tensor weights, Func<Tensor, Tensor, Tensor?, Tensor> linear)
    {
        Tensor[] leaves = bias is null ? [input.detach().requires_grad_(), weight.detach().requires_grad_()] : [input.detach().requires_grad_(), weight.detach().requires_grad_(), bias.detach().requires_grad_()];
        var result = linear(leaves[0], leaves[1], leaves.ElementAtOrDefault(2));
        result.mul(weights).sum().backward();
        return [result, .. leaves.Select(leaf => leaf.grad!)];
    }
}
