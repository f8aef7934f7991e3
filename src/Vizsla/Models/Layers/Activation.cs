using Vizsla.Native;
using Vizsla.Primitives;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Models.Layers;

/// <summary>The activation functions that a configuration names.</summary>
/// <remarks>Source: transformers <c>ACT2FN</c>. Parity: 1e-6.</remarks>
internal static class Activation
{
    private static readonly SortedDictionary<string, Func<Tensor, Tensor>> _functions = new(StringComparer.Ordinal)
    {
        ["gelu"] = x => nn.functional.gelu(x),
        ["gelu_new"] = TanhGelu,
        ["gelu_fast"] = TanhGelu,
        ["gelu_pytorch_tanh"] = TanhGelu,
        ["gelu_python"] = x => nn.functional.gelu(x),
        ["gelu_python_tanh"] = TanhGelu,
        ["hardswish"] = x => nn.functional.hardswish(x),
        ["leaky_relu"] = x => x.leaky_relu(Kept(0.01)),
        ["linear"] = x => x.alias(),
        ["mish"] = x => Dispatcher.CallTensor("aten::mish", "", x),
        ["quick_gelu"] = QuickGelu,
        ["relu"] = x => nn.functional.relu(x),
        ["relu2"] = SquaredRelu,
        ["relu6"] = x => nn.functional.relu6(x),
        ["selu"] = x => nn.functional.selu(x),
        ["sigmoid"] = x => x.sigmoid(),
        ["silu"] = x => nn.functional.silu(x),
        ["softplus"] = SoftPlus,
        ["swish"] = x => nn.functional.silu(x),
        ["tanh"] = x => x.tanh(),
    };

    /// <summary>The function of a name in <c>config.json</c>.</summary>
    /// <exception cref="ModelLoadException">The name is not known; the message lists those that are.</exception>
    public static Func<Tensor, Tensor> Named(string name) =>
        _functions.TryGetValue(name, out var function)
            ? function
            : throw new ModelLoadException($"Unknown activation '{name}'. Known: {string.Join(", ", _functions.Keys)}.{Suggestion.DidYouMean(name, _functions.Keys)}");

    private static Tensor TanhGelu(Tensor x) => nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh);

    private static Tensor QuickGelu(Tensor x)
    {
        using var scope = NewDisposeScope();
        return (x * x.Times(1.702).sigmoid()).MoveToOuterDisposeScope();
    }

    private static Tensor SquaredRelu(Tensor x)
    {
        using var rectified = nn.functional.relu(x);
        return rectified * rectified;
    }

    // log(exp(x) + 1), which torch takes to be x beyond 20: closer than a float tells.
    private static Tensor SoftPlus(Tensor x)
    {
        using var zero = zeros_like(x);
        return x.logaddexp(zero);
    }
}
