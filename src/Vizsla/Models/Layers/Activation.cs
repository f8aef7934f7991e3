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

    private static readonly Dictionary<Func<Tensor, Tensor>, Func<Tensor, Tensor>> _overwriting = new()
    {
        [_functions["hardswish"]] = x => x.hardswish_(),
        [_functions["relu"]] = x => x.relu_(),
        [_functions["relu6"]] = x => x.relu6_(),
        [_functions["silu"]] = x => x.silu_(),
        [_functions["swish"]] = x => x.silu_(),
    };

    /// <summary>A function of <see cref="Named"/> written over its argument where it has such a form and backward needs nothing of the argument: a pass less through memory.</summary>
    /// <param name="function">What <see cref="Named"/> gave.</param>
    /// <param name="x">A tensor that its maker's backward does not need, and nobody else.</param>
    /// <returns>The argument itself, or a new tensor in the caller's scope.</returns>
    public static Tensor Overwrite(Func<Tensor, Tensor> function, Tensor x) =>
        _overwriting.TryGetValue(function, out var overwrite) && (!x.requires_grad || function == _functions["relu"]) ? overwrite(x) : function(x);

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
