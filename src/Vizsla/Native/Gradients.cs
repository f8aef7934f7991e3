using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Native;

/// <summary>Norm and clipping of gradients inside libtorch, without reading a number back.</summary>
/// <remarks>Source: <c>torch.nn.utils.clip_grad_norm_(foreach=...)</c>. Parity: 1e-6.</remarks>
internal static class Gradients
{
    private const double Epsilon = 1e-6;

    /// <summary>L2 norm of all gradients together.</summary>
    /// <param name="gradients">The gradients, on one device.</param>
    /// <returns>A scalar, float; 0 without gradients; the caller owns it.</returns>
    public static Tensor Norm(IReadOnlyList<Tensor> gradients)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var total = gradients.Count == 0 ? tensor(0f) : stack([.. gradients.Select(g => g.norm())]).norm();
        return total.MoveToOuterDisposeScope();
    }

    /// <summary>Scales gradients in place so that their norm is at most a limit.</summary>
    /// <param name="gradients">The gradients, changed in place.</param>
    /// <param name="limit">Largest norm, above 0.</param>
    /// <returns>The norm before, a scalar; the caller owns it.</returns>
    public static Tensor Clip(IReadOnlyList<Tensor> gradients, double limit)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var norm = Norm(gradients);
        var factor = Factor(norm, limit);
        if (Dispatcher.IsAvailable && gradients.Count > 0)
        {
            Dispatcher.Call("aten::_foreach_mul_", "Tensor", OperatorArgument.List(gradients), factor);
        }
        else
        {
            foreach (var gradient in gradients)
            {
                gradient.mul_(factor);
            }
        }

        return norm.MoveToOuterDisposeScope();
    }

    /// <summary>What gradients are multiplied with so that their norm is at most a limit: 1 where it is already.</summary>
    /// <param name="norm">Their norm, a scalar.</param>
    /// <param name="limit">Largest norm, above 0.</param>
    /// <returns>A scalar; the caller owns it.</returns>
    public static Tensor Factor(Tensor norm, double limit)
    {
        using var scope = NewDisposeScope();
        return norm.Plus(Epsilon).reciprocal_().mul_(Kept(limit)).clamp_max_(Kept(1.0)).MoveToOuterDisposeScope();
    }
}
