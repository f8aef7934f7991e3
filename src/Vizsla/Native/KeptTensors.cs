using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>Chains of tensors whose middle ones are kept from the garbage collector while libtorch reads them.</summary>
/// <remarks>
/// In <c>x.detach().clone()</c> nothing refers to the detached tensor once its native address is read. Inside a dispose scope the scope holds it;
/// outside of one a collection during the call runs its finalizer and frees the memory under libtorch.
/// </remarks>
internal static class KeptTensors
{
    /// <summary>A copy through which no gradient flows.</summary>
    /// <param name="value">Any tensor.</param>
    /// <returns>A new tensor of the same shape, type and device; the caller owns it.</returns>
    public static Tensor Copy(this Tensor value)
    {
        using var detached = value.detach();
        return detached.clone();
    }
}
