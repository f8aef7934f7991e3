using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>Operators as Python calls them, where TorchSharp takes another way to the same result.</summary>
internal static class Operators
{
    /// <summary>A linear layer, <c>x W^T + b</c>, as one operator.</summary>
    /// <remarks>
    /// TorchSharp's own multiplies with the transposed weight and adds the bias afterwards: a pass more over the output, and, under <see cref="Autocast"/>,
    /// a cast of the weight at each call, because only a weight itself is kept, not a view of it.
    /// Source: <c>torch.nn.functional.linear</c>. Parity: exact.
    /// </remarks>
    /// <param name="input">Float [..., inputs].</param>
    /// <param name="weight">Float [outputs, inputs].</param>
    /// <param name="bias">Float [outputs]; null adds nothing.</param>
    /// <returns>Float [..., outputs]; the caller owns it.</returns>
    public static Tensor Linear(Tensor input, Tensor weight, Tensor? bias) =>
        LinearProducts.AreFaster(input, weight) ? LinearProducts.Run(input, weight, bias)
        : Dispatcher.IsAvailable
            ? Dispatcher.CallTensor("aten::linear", "", input, weight, OperatorArgument.Optional(bias))
            : nn.functional.linear(input, weight, bias);
}
