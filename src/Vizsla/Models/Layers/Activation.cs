using Vizsla.Primitives;
using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>The activation functions that a configuration names.</summary>
/// <remarks>Source: transformers <c>ACT2FN</c>. Parity: 1e-6.</remarks>
internal static class Activation
{
    private static readonly SortedDictionary<string, Func<Tensor, Tensor>> _functions = new(StringComparer.Ordinal)
    {
        ["gelu"] = x => x.Gelu(),
        ["gelu_new"] = x => x.Gelu(byTanh: true),
        ["gelu_fast"] = x => x.Gelu(byTanh: true),
        ["gelu_pytorch_tanh"] = x => x.Gelu(byTanh: true),
        ["gelu_python"] = x => x.Gelu(),
        ["gelu_python_tanh"] = x => x.Gelu(byTanh: true),
        ["hardswish"] = x => x.HardSwish(),
        ["leaky_relu"] = x => x.LeakyRelu(0.01),
        ["linear"] = x => x.Alias(),
        ["mish"] = x => x.Mish(),
        ["quick_gelu"] = QuickGelu,
        ["relu"] = x => x.Relu(),
        ["relu2"] = SquaredRelu,
        ["relu6"] = x => x.Relu6(),
        ["selu"] = x => x.Selu(),
        ["sigmoid"] = x => x.Sigmoid(),
        ["silu"] = x => x.Silu(),
        ["softplus"] = x => x.Softplus(),
        ["swish"] = x => x.Silu(),
        ["tanh"] = x => x.Tanh(),
    };

    private static readonly Dictionary<Func<Tensor, Tensor>, Func<Tensor, Tensor>> _overwriting = new()
    {
        [_functions["hardswish"]] = x => x.HardSwish_(),
        [_functions["relu"]] = x => x.Relu_(),
        [_functions["relu6"]] = x => x.Relu6_(),
        [_functions["silu"]] = x => x.Silu_(),
        [_functions["swish"]] = x => x.Silu_(),
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

    private static Tensor QuickGelu(Tensor x)
    {
        using var scope = NewDisposeScope();
        return x.Times(x.Times(1.702).Sigmoid()).MoveToOuterDisposeScope();
    }

    private static Tensor SquaredRelu(Tensor x)
    {
        using var rectified = x.Relu();
        return rectified.Times(rectified);
    }
}
