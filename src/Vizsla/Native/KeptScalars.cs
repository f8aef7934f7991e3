using TorchSharp;
using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>Numbers as operands of tensors, kept from the garbage collector while libtorch reads them.</summary>
/// <remarks>
/// TorchSharp's <c>a + b</c>, <c>x * 2</c> and their like make a <see cref="Scalar"/>, pass its native address and hold nothing while the call runs:
/// a collection in its midst frees the memory under it ("Scalar.toFloat: Expected false to be true", or a wrong number, or a crash).
/// The scalars made here stay reachable until the same thread has made <see cref="KeptCount"/> more; no call takes more than a few.
/// A house rule refuses all other ways.
/// </remarks>
internal static class KeptScalars
{
    /// <summary>How many scalars of a thread are reachable at a time.</summary>
    public const int KeptCount = 32;

    private static readonly Scalar One = 1.ToScalar();

    [ThreadStatic]
    private static Scalar[]? _recent;

    [ThreadStatic]
    private static int _made;

    /// <summary>A number as libtorch's double scalar.</summary>
    /// <param name="value">Any number.</param>
    /// <returns>A scalar for the next call; not to be kept, not to be disposed.</returns>
    public static Scalar Kept(double value) => Keep(value.ToScalar());

    /// <summary>A whole number as libtorch's integer scalar.</summary>
    /// <param name="value">Any number.</param>
    /// <returns>A scalar for the next call; not to be kept, not to be disposed.</returns>
    public static Scalar Kept(long value) => Keep(value.ToScalar());

    /// <summary>Sum, element by element.</summary>
    /// <param name="left">Any tensor.</param>
    /// <param name="right">A tensor that broadcasts with it.</param>
    /// <returns>A new tensor; the caller owns it.</returns>
    public static Tensor Plus(this Tensor left, Tensor right) => left.add(right, One);

    /// <summary>Sum with a number.</summary>
    /// <param name="left">Any tensor.</param>
    /// <param name="right">Any number.</param>
    /// <returns>A new tensor; the caller owns it.</returns>
    public static Tensor Plus(this Tensor left, double right) => left.add(Kept(right), One);

    /// <summary>Adds in place.</summary>
    /// <param name="left">Any tensor.</param>
    /// <param name="right">A tensor that broadcasts to its shape.</param>
    /// <returns>The tensor itself.</returns>
    public static Tensor Plus_(this Tensor left, Tensor right) => left.add_(right, One);

    /// <summary>Adds a number in place.</summary>
    /// <param name="left">Any tensor.</param>
    /// <param name="right">Any number.</param>
    /// <returns>The tensor itself.</returns>
    public static Tensor Plus_(this Tensor left, double right) => left.add_(Kept(right), One);

    /// <summary>Adds a whole number in place.</summary>
    /// <param name="left">Any tensor.</param>
    /// <param name="right">Any number.</param>
    /// <returns>The tensor itself.</returns>
    public static Tensor Plus_(this Tensor left, long right) => left.add_(Kept(right), One);

    /// <summary>Product with a number.</summary>
    /// <param name="left">Any tensor.</param>
    /// <param name="right">Any number.</param>
    /// <returns>A new tensor; the caller owns it.</returns>
    public static Tensor Times(this Tensor left, double right) => left.mul(Kept(right));

    /// <summary>Quotient by a number.</summary>
    /// <param name="left">Any tensor.</param>
    /// <param name="right">Any number but zero.</param>
    /// <returns>A new tensor; the caller owns it.</returns>
    public static Tensor Over(this Tensor left, double right) => left.div(Kept(right));

    private static Scalar Keep(Scalar scalar)
    {
        var recent = _recent ??= new Scalar[KeptCount];
        recent[_made++ & (KeptCount - 1)] = scalar;
        return scalar;
    }
}
