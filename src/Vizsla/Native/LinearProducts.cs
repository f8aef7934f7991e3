using TorchSharp;
using static TorchSharp.torch;

namespace Vizsla.Native;

// Shapes: R rows (all axes of the input but the last, as one), I inputs, O outputs.

/// <summary>A linear layer in float32 whose products oneDNN computes, forward and for both gradients.</summary>
/// <remarks>
/// libtorch leaves float32 products to MKL, which keeps to AVX2 on processors that are not Intel's; oneDNN takes AVX-512 there and multiplies twice as fast.
/// Which of them computes depends on the processor and on the shapes alone, so that a run that is resumed computes as it did.
/// Source: <c>torch.nn.functional.linear</c>. Parity: 1e-6 of the largest value; sums are taken in another order.
/// </remarks>
internal sealed class LinearProducts : GradientNode
{
    // Below these a product is over before oneDNN has looked up its kernel.
    private const long FewestRows = 48;
    private const long FewestMultiplications = 4_000_000;
    private const long NarrowestGradient = 128;

    private readonly bool _needsInput;
    private readonly bool _needsWeight;
    private readonly bool _needsBias;

    private LinearProducts(Tensor input, Tensor weight, Tensor? bias) =>
        (_needsInput, _needsWeight, _needsBias) = (input.requires_grad, weight.requires_grad, bias is { requires_grad: true });

    /// <summary>Whether oneDNN is the faster one for a layer.</summary>
    /// <param name="input">Float [..., I].</param>
    /// <param name="weight">Float [O, I].</param>
    public static bool AreFaster(Tensor input, Tensor weight) =>
        CpuFeatures.LacksWideMkl && Dispatcher.IsAvailable && IsAvailable
        && input.dtype == ScalarType.Float32 && weight.dtype == ScalarType.Float32 && input.device_type == DeviceType.CPU && weight.device_type == DeviceType.CPU
        && Autocast.Current(DeviceType.CPU) is null && AreMany(input.numel() / Math.Max(1, weight.shape[1]), weight.shape);

    /// <summary>Computes the layer.</summary>
    /// <param name="input">Float [..., I].</param>
    /// <param name="weight">Float [O, I].</param>
    /// <param name="bias">Float [O]; null adds nothing.</param>
    /// <returns>Float [..., O]; the caller owns it.</returns>
    public static Tensor Run(Tensor input, Tensor weight, Tensor? bias)
    {
        var node = is_grad_enabled() ? new LinearProducts(input, weight, bias) : null;
        if (node is not { _needsInput: true } and not { _needsWeight: true } and not { _needsBias: true })
        {
            return Multiply(input, weight, bias);
        }

        using var without = no_grad();
        var output = Multiply(input, weight, bias);
        return bias is null ? node.Attach(output, [input, weight], input, weight) : node.Attach(output, [input, weight, bias], input, weight);
    }

    /// <summary>The product by oneDNN, without gradients.</summary>
    /// <param name="input">Float32 or bfloat16 [..., I].</param>
    /// <param name="weight">The same type, [O, I]; may be a transposed view.</param>
    /// <param name="bias">The same type, [O]; null adds nothing.</param>
    /// <returns>The same type, [..., O]; the caller owns it.</returns>
    internal static Tensor Multiply(Tensor input, Tensor weight, Tensor? bias) => Dispatcher.CallTensor(
        "mkldnn::_linear_pointwise", "", input, weight, OperatorArgument.Optional(bias), "none", OperatorArgument.Empty, OperatorArgument.None);

    /// <inheritdoc/>
    protected override Tensor?[] Backward(Tensor gradient, Tensor[] saved)
    {
        var (input, weight) = (saved[0], saved[1]);
        var rows = gradient.reshape(-1, weight.shape[0]);                                       // [R, O]
        return
        [
            _needsInput ? Multiply(gradient, weight.t(), null) : null,                          // [..., I]
            _needsWeight ? OfWeight(rows, input.reshape(-1, weight.shape[1])) : null,           // [O, I]
            _needsBias ? rows.sum([0]) : null,                                                  // [O]
        ];
    }

    private static bool AreMany(long rows, long[] shape) => rows >= FewestRows && rows * shape[0] * shape[1] >= FewestMultiplications;

    private static Tensor OfWeight(Tensor gradient, Tensor input) =>
        Math.Min(gradient.shape[1], input.shape[1]) >= NarrowestGradient ? Multiply(gradient.t(), input.t(), null) : gradient.t().mm(input);
}
