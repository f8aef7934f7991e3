using Vizsla.Primitives;
using static TorchSharp.torch;

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
        ["leaky_relu"] = x => nn.functional.leaky_relu(x, 0.01),
        ["linear"] = x => x.alias(),
        ["mish"] = x => nn.functional.mish(x),
        ["quick_gelu"] = QuickGelu,
        ["relu"] = x => nn.functional.relu(x),
        ["relu2"] = SquaredRelu,
        ["relu6"] = x => nn.functional.relu6(x),
        ["selu"] = x => nn.functional.selu(x),
        ["sigmoid"] = x => x.sigmoid(),
        ["silu"] = x => nn.functional.silu(x),
        ["softplus"] = x => nn.functional.softplus(x, 1, 20),
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
        return (x * (x * 1.702).sigmoid()).MoveToOuterDisposeScope();
    }

    private static Tensor SquaredRelu(Tensor x)
    {
        using var rectified = nn.functional.relu(x);
        return rectified.square();
    }
}
