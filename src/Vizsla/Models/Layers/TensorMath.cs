using Vizsla.Models.Graphs;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Arithmetic, activations and reductions for the networks: libtorch's operations, noted where a graph is recorded.</summary>
/// <remarks>
/// Networks and layers compute with these, <see cref="TensorShapes"/> and <see cref="TensorPlanes"/> alone (a house rule holds it), so that one forward
/// pass serves computing and export. Results are new tensors in the caller's scope, unless a name ends in an underscore: those write in place.
/// </remarks>
internal static class TensorMath
{
    /// <summary>Sum, element by element.</summary>
    public static Tensor Plus(this Tensor left, Tensor right) => Noted(GraphOperator.Add, KeptScalars.Plus(left, right), left, right);

    /// <summary>Sum with a number.</summary>
    public static Tensor Plus(this Tensor left, double right) => Noted(GraphOperator.Add, KeptScalars.Plus(left, right), left, right);

    /// <summary>Adds in place; the tensor itself.</summary>
    public static Tensor Plus_(this Tensor left, Tensor right) => Noted(GraphOperator.Add, KeptScalars.Plus_(left, right), left, right);

    /// <summary>Difference, element by element.</summary>
    public static Tensor Minus(this Tensor left, Tensor right) => Noted(GraphOperator.Subtract, left - right, left, right);

    /// <summary>Product, element by element.</summary>
    public static Tensor Times(this Tensor left, Tensor right) => Noted(GraphOperator.Multiply, left * right, left, right);

    /// <summary>Product with a number.</summary>
    public static Tensor Times(this Tensor left, double right) => Noted(GraphOperator.Multiply, KeptScalars.Times(left, right), left, right);

    /// <summary>Quotient, element by element.</summary>
    public static Tensor Over(this Tensor left, Tensor right) => Noted(GraphOperator.Divide, left / right, left, right);

    /// <summary>Quotient by a number.</summary>
    public static Tensor Over(this Tensor left, double right) => Noted(GraphOperator.Divide, KeptScalars.Over(left, right), left, right);

    /// <summary>Product of matrices on the last two axes.</summary>
    public static Tensor MatMul(this Tensor left, Tensor right)
    {
        var product = left.matmul(right);
        LayerMeter.Current?.Count(product, left.shape[^1]);
        return Noted(GraphOperator.MatMul, product, left, right);
    }

    /// <summary>A linear layer, <c>x W^T + b</c>.</summary>
    /// <param name="input">Float [..., inputs].</param>
    /// <param name="weight">Float [outputs, inputs].</param>
    /// <param name="bias">Float [outputs]; null adds nothing.</param>
    public static Tensor Linear(this Tensor input, Tensor weight, Tensor? bias)
    {
        var result = Operators.Linear(input, weight, bias);
        GraphRecorder.Current?.Add(GraphOperator.Linear, result, [input, weight, bias]);
        return result;
    }

    /// <summary>Shares that sum to one along an axis.</summary>
    public static Tensor Softmax(this Tensor x, int axis)
    {
        var result = x.softmax(axis);
        GraphRecorder.Current?.Add(GraphOperator.Softmax, result, [x], GraphAttribute.Of("axis", Positive(axis, x)));
        return result;
    }

    /// <summary>Gaussian error linear unit; the approximation by tanh where asked for.</summary>
    public static Tensor Gelu(this Tensor x, bool byTanh = false)
    {
        var result = byTanh ? nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh) : nn.functional.gelu(x);
        GraphRecorder.Current?.Add(GraphOperator.Gelu, result, [x], GraphAttribute.OfFlag("approximate", byTanh));
        return result;
    }

    /// <summary>max(x, 0).</summary>
    public static Tensor Relu(this Tensor x) => Noted(GraphOperator.Relu, nn.functional.relu(x), x);

    /// <summary>max(x, 0) in place.</summary>
    public static Tensor Relu_(this Tensor x) => Noted(GraphOperator.Relu, x.relu_(), x);

    /// <summary>x between 0 and 6.</summary>
    public static Tensor Relu6(this Tensor x) => Clamped(nn.functional.relu6(x), x, 0, 6);

    /// <summary>x between 0 and 6, in place.</summary>
    public static Tensor Relu6_(this Tensor x) => Clamped(x.relu6_(), x, 0, 6);

    /// <summary>x where it is positive, elsewhere a share of it.</summary>
    public static Tensor LeakyRelu(this Tensor x, double slope)
    {
        var result = x.leaky_relu(KeptScalars.Kept(slope));
        GraphRecorder.Current?.Add(GraphOperator.LeakyRelu, result, [x], GraphAttribute.OfNumber("alpha", slope));
        return result;
    }

    /// <summary>x between two bounds.</summary>
    public static Tensor Clamp(this Tensor x, double smallest, double largest) =>
        Clamped(x.clamp(KeptScalars.Kept(smallest), KeptScalars.Kept(largest)), x, smallest, largest);

    /// <summary>x times <see cref="HardSigmoid"/> of x.</summary>
    public static Tensor HardSwish(this Tensor x) => Noted(GraphOperator.HardSwish, nn.functional.hardswish(x), x);

    /// <summary>The same in place.</summary>
    public static Tensor HardSwish_(this Tensor x) => Noted(GraphOperator.HardSwish, x.hardswish_(), x);

    /// <summary>clamp(x + 3, 0, 6) / 6.</summary>
    public static Tensor HardSigmoid(this Tensor x) => Noted(GraphOperator.HardSigmoid, nn.functional.hardsigmoid(x), x);

    /// <summary>x * sigmoid(x).</summary>
    public static Tensor Silu(this Tensor x) => Noted(GraphOperator.Silu, nn.functional.silu(x), x);

    /// <summary>The same in place.</summary>
    public static Tensor Silu_(this Tensor x) => Noted(GraphOperator.Silu, x.silu_(), x);

    /// <summary>x * tanh(softplus(x)).</summary>
    public static Tensor Mish(this Tensor x) => Noted(GraphOperator.Mish, Dispatcher.CallTensor("aten::mish", "", x), x);

    /// <summary>The self-normalizing linear unit.</summary>
    public static Tensor Selu(this Tensor x) => Noted(GraphOperator.Selu, nn.functional.selu(x), x);

    /// <summary>log(exp(x) + 1).</summary>
    public static Tensor Softplus(this Tensor x)
    {
        // torch takes x itself beyond 20: closer than a float tells.
        using var zero = zeros_like(x);
        return Noted(GraphOperator.Softplus, x.logaddexp(zero), x);
    }

    /// <summary>1 / (1 + exp(-x)).</summary>
    public static Tensor Sigmoid(this Tensor x) => Noted(GraphOperator.Sigmoid, x.sigmoid(), x);

    /// <summary>Hyperbolic tangent.</summary>
    public static Tensor Tanh(this Tensor x) => Noted(GraphOperator.Tanh, x.tanh(), x);

    /// <summary>Exponential function.</summary>
    public static Tensor Exp(this Tensor x) => Noted(GraphOperator.Exp, x.exp(), x);

    /// <summary>Square root.</summary>
    public static Tensor Sqrt(this Tensor x) => Noted(GraphOperator.Sqrt, x.sqrt(), x);

    /// <summary>Sine.</summary>
    public static Tensor Sin(this Tensor x) => Noted(GraphOperator.Sin, x.sin(), x);

    /// <summary>Cosine.</summary>
    public static Tensor Cos(this Tensor x) => Noted(GraphOperator.Cos, x.cos(), x);

    /// <summary>Mean over axes.</summary>
    public static Tensor Mean(this Tensor x, long[] axes, bool keepsAxes = false) => Reduced(GraphOperator.Mean, x.mean(axes, keepdim: keepsAxes), x, axes, keepsAxes);

    /// <summary>Sum over axes.</summary>
    public static Tensor Sum(this Tensor x, long[] axes, bool keepsAxes = false) => Reduced(GraphOperator.Sum, x.sum(axes, keepdim: keepsAxes), x, axes, keepsAxes);

    /// <summary>Largest value over axes.</summary>
    public static Tensor Max(this Tensor x, long[] axes, bool keepsAxes = false) => Reduced(GraphOperator.Max, x.amax(axes, keepsAxes), x, axes, keepsAxes);

    /// <summary>Euclidean length over axes.</summary>
    public static Tensor Norm(this Tensor x, long[] axes, bool keepsAxes = false)
    {
        // The length of lengths is the length of all, and one axis at a time needs no scalar.
        var order = axes.Select(a => Positive(a, x)).OrderDescending().ToArray();
        var result = x.norm((int)order[0], keepsAxes, 2f);
        foreach (var axis in order.Skip(1))
        {
            using var part = result;
            result = part.norm((int)axis, keepsAxes, 2f);
        }

        return Reduced(GraphOperator.Norm, result, x, axes, keepsAxes);
    }

    internal static long Positive(long axis, Tensor x) => axis < 0 ? axis + x.dim() : axis;

    private static Tensor Reduced(GraphOperator kind, Tensor result, Tensor x, long[] axes, bool keepsAxes)
    {
        GraphRecorder.Current?.Add(kind, result, [x], GraphAttribute.Of("axes", [.. axes.Select(a => Positive(a, x))]), GraphAttribute.OfFlag("keepdims", keepsAxes));
        return result;
    }

    private static Tensor Clamped(Tensor result, Tensor x, double smallest, double largest)
    {
        GraphRecorder.Current?.Add(GraphOperator.Clamp, result, [x], GraphAttribute.OfNumber("min", smallest), GraphAttribute.OfNumber("max", largest));
        return result;
    }

    private static Tensor Noted(GraphOperator kind, Tensor result, Tensor x)
    {
        GraphRecorder.Current?.Add(kind, result, [x]);
        return result;
    }

    private static Tensor Noted(GraphOperator kind, Tensor result, Tensor left, Tensor right)
    {
        GraphRecorder.Current?.Add(kind, result, [left, right]);
        return result;
    }

    private static Tensor Noted(GraphOperator kind, Tensor result, Tensor left, double right)
    {
        GraphRecorder.Current?.Add(kind, result, left, right);
        return result;
    }
}
