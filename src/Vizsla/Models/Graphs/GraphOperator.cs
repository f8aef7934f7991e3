namespace Vizsla.Models.Graphs;

/// <summary>What the networks compute with: one entry for each operator that <see cref="Layers.TensorMath"/>, <see cref="Layers.TensorShapes"/> and <see cref="Layers.TensorPlanes"/> record.</summary>
/// <remarks>Inputs are told in order, then the attributes in quotes. An exporter that covers this list covers every network.</remarks>
internal enum GraphOperator
{
    /// <summary>Sum of two tensors that broadcast.</summary>
    Add,

    /// <summary>Difference of two tensors that broadcast.</summary>
    Subtract,

    /// <summary>Product, element by element, of two tensors that broadcast.</summary>
    Multiply,

    /// <summary>Quotient of two tensors that broadcast.</summary>
    Divide,

    /// <summary>Product of matrices on the last two axes.</summary>
    MatMul,

    /// <summary>Input, weight [outputs, inputs], bias [outputs] or nothing.</summary>
    Linear,

    /// <summary>Input, weight, bias or nothing; "strides", "pads" (top, left, bottom, right), "dilations", "group", "same" (1: TensorFlow's padding, which follows the size).</summary>
    Convolution,

    /// <summary>Input [B, C, ...], weight, bias, running mean, running variance; "epsilon".</summary>
    BatchNormalization,

    /// <summary>Input, weight or nothing, bias or nothing, over the last axis; "epsilon".</summary>
    LayerNormalization,

    /// <summary>Input [B, C, ...], weight, bias; "groups", "epsilon".</summary>
    GroupNormalization,

    /// <summary>"axis".</summary>
    Softmax,

    /// <summary>"approximate": 1 computes by tanh.</summary>
    Gelu,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>"alpha" for what is below zero.</summary>
    LeakyRelu,

    /// <summary>"min", "max".</summary>
    Clamp,

    /// <summary>x * clamp(x + 3, 0, 6) / 6.</summary>
    HardSwish,

    /// <summary>clamp(x + 3, 0, 6) / 6.</summary>
    HardSigmoid,

    /// <summary>x * sigmoid(x).</summary>
    Silu,

    /// <summary>x * tanh(softplus(x)).</summary>
    Mish,

    /// <summary>The self-normalizing linear unit.</summary>
    Selu,

    /// <summary>log(1 + exp(x)).</summary>
    Softplus,

    /// <summary>1 / (1 + exp(-x)).</summary>
    Sigmoid,

    /// <summary>Hyperbolic tangent.</summary>
    Tanh,

    /// <summary>Exponential function.</summary>
    Exp,

    /// <summary>Square root.</summary>
    Sqrt,

    /// <summary>Sine.</summary>
    Sin,

    /// <summary>Cosine.</summary>
    Cos,

    /// <summary>Mean over "axes"; "keepdims".</summary>
    Mean,

    /// <summary>Sum over "axes"; "keepdims".</summary>
    Sum,

    /// <summary>Largest value over "axes"; "keepdims".</summary>
    Max,

    /// <summary>Euclidean length over "axes"; "keepdims".</summary>
    Norm,

    /// <summary>The same values in the shape "shape".</summary>
    Reshape,

    /// <summary>Axes in the order "order".</summary>
    Permute,

    /// <summary>Values from "start" to "end" of "axis" in steps of "step"; the end of the axis is <see cref="long.MaxValue"/>.</summary>
    Slice,

    /// <summary>The place "index" of "axis", which disappears.</summary>
    Select,

    /// <summary>Input, whole numbers [N]: the places they name along "axis".</summary>
    Gather,

    /// <summary>Any number of tensors one after the other along "axis".</summary>
    Concat,

    /// <summary>Repeats axes of length 1 up to "shape".</summary>
    Expand,

    /// <summary>Repeats the whole tensor "repeats" times along each axis.</summary>
    Tile,

    /// <summary>Zeros or "value" before and after each axis: "pads" holds all befores, then all afters.</summary>
    Pad,

    /// <summary>"kernel", "strides", "pads" (top, left, bottom, right), "dilations", "ceil".</summary>
    MaxPool,

    /// <summary>"kernel", "strides", "pads" (top, left, bottom, right), "ceil", "counts_padding".</summary>
    AveragePool,

    /// <summary>Averages [B, C, H, W] to the height and width "size".</summary>
    AdaptiveAveragePool,

    /// <summary>Stretches [B, C, H, W] to the height and width "size"; "mode": 0 nearest, 1 bilinear, 2 bicubic with a = -0.75, or -0.5 where "antialias" is 1; "align_corners".</summary>
    Resize,
}
