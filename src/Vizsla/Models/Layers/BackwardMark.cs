using TorchSharp;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>A place in a network of which the backward pass tells when it comes by: what was computed after it has its gradients then.</summary>
/// <remarks>libtorch goes back in the opposite order of the forward pass, and adds a gradient to its parameter before it goes on.</remarks>
internal sealed class BackwardMark : autograd.SingleTensorFunction<BackwardMark>
{
    private const int ValueCount = 2;
    private const string Errors = nameof(Errors);
    private const string Passed = nameof(Passed);

    /// <inheritdoc/>
    public override string Name => nameof(BackwardMark);

    /// <summary>Marks a place.</summary>
    /// <param name="x">Takes part in the backward pass.</param>
    /// <param name="passed">Called in each backward pass, on its thread; what it throws comes out of <see cref="BackwardErrors.Backward"/>.</param>
    /// <returns>The same numbers; the caller owns it.</returns>
    public static Tensor Set(Tensor x, Action passed) => apply(x, passed);

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ctx.save_data(Passed, vars[1]);
        ctx.save_data(Errors, BackwardErrors.Current);
        return ((Tensor)vars[0]).alias();
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        return ((BackwardErrors)ctx.get_data(Errors)).Keep(ValueCount, () =>
        {
            ((Action)ctx.get_data(Passed))();
            return [grad_output.alias(), null!];
        });
    }
}
