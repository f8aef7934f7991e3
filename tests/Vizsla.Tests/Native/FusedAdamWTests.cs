using TorchSharp;
using TorchSharp.Modules;
using Vizsla.Native;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Tests.Native;

public sealed class FusedAdamWTests
{
    // Single precision, a few operations in another order.
    private const double Tolerance = 1e-6;

    [Fact]
    public void Steps_are_those_of_the_optimizer_that_goes_parameter_by_parameter()
    {
        using var scope = NewDisposeScope();
        Parameter[] expected = [Made(7, 5, 3), Made(8, 11)];
        Tensor[] actual = [.. expected.Select(p => p.Copy())];
        Tensor[] means = [.. actual.Select(p => zeros_like(p))];
        Tensor[] squares = [.. actual.Select(p => zeros_like(p))];
        using var reference = optim.AdamW(expected, lr: 3e-3, beta1: 0.8, beta2: 0.95, eps: 1e-7, weight_decay: 0.1);

        for (var step = 1; step <= 4; step++)
        {
            Tensor[] gradients = [.. actual.Select((p, i) => Made(100 * step + i, p.shape).detach())];
            foreach (var (parameter, gradient) in expected.Zip(gradients))
            {
                parameter.grad = gradient.clone();
            }

            reference.step();
            FusedAdamW.Step(actual, gradients, means, squares, [step, step], new(3e-3, 0.8, 0.95, 1e-7, 0.1));
        }

        Assert.All(expected.Zip(actual), pair => Assert.True(pair.First.allclose(pair.Second, Tolerance, Tolerance)));
    }

    [Fact]
    public void Parameters_may_have_taken_different_numbers_of_steps()
    {
        using var scope = NewDisposeScope();
        Tensor[] parameters = [zeros(1), zeros(1)];
        Tensor[] gradients = [ones(1), ones(1)];

        FusedAdamW.Step(parameters, gradients, [zeros(1), zeros(1)], [zeros(1), zeros(1)], [1, 100], new(1, 0.9, 0.999, 0, 0));

        // Bias correction makes the first step one rate long; later ones start from what the means hold.
        Assert.Equal(-1, parameters[0].item<float>(), Tolerance);
        Assert.Equal(-0.1 / (1 - Math.Pow(0.9, 100)) / Math.Sqrt(0.001 / (1 - Math.Pow(0.999, 100))), parameters[1].item<float>(), 1e-5);
    }

    [Fact]
    public void Clipping_scales_all_gradients_to_the_limit_and_tells_the_norm_before()
    {
        using var scope = NewDisposeScope();
        Tensor[] gradients = [full(9, Kept(1), dtype: ScalarType.Float32), full(16, Kept(-1), dtype: ScalarType.Float32)];

        using var norm = Gradients.Clip(gradients, 2);

        Assert.Equal(5, norm.item<float>(), Tolerance);
        Assert.All(gradients[1].data<float>().ToArray(), g => Assert.Equal(-0.4, g, Tolerance));
    }

    [Fact]
    public void Clipping_leaves_short_gradients_alone()
    {
        using var scope = NewDisposeScope();
        Tensor[] gradients = [full(4, Kept(0.25), dtype: ScalarType.Float32)];

        using var norm = Gradients.Clip(gradients, 1);

        Assert.Equal(0.5, norm.item<float>(), Tolerance);
        Assert.All(gradients[0].data<float>().ToArray(), g => Assert.Equal(0.25f, g));
    }

    private static Parameter Made(int seed, params long[] shape)
    {
        using var generator = new Generator((ulong)seed);
        return nn.Parameter(randn(shape, generator: generator));
    }
}
