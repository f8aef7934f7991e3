using Vizsla.Models.Graphs;
using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Other shapes of the same values, parts and joins, for the networks; noted where a graph is recorded.</summary>
/// <remarks>Negative axes count from the last. Views share their memory with the input, as in libtorch.</remarks>
internal static class TensorShapes
{
    /// <summary>The same tensor by a new name, for a method that returns what it was given.</summary>
    public static Tensor Alias(this Tensor x) => Same(x.alias(), x);

    /// <summary>The same values side by side in memory.</summary>
    public static Tensor Contiguous(this Tensor x) => Same(x.contiguous(), x);

    /// <summary>The same values in another shape; -1 for what the others leave.</summary>
    public static Tensor Reshape(this Tensor x, params long[] shape) => Reshaped(x.reshape(shape), x);

    /// <summary>Axes joined into one.</summary>
    public static Tensor Flatten(this Tensor x, int first, int last = -1) => Reshaped(x.flatten(first, last), x);

    /// <summary>One axis split into several; -1 for what the others leave.</summary>
    public static Tensor Unflatten(this Tensor x, int axis, params long[] lengths) => Reshaped(x.unflatten(axis, lengths), x);

    /// <summary>A new axis of length 1.</summary>
    public static Tensor Unsqueeze(this Tensor x, int axis) => Reshaped(x.unsqueeze(axis), x);

    /// <summary>Without an axis of length 1.</summary>
    public static Tensor Squeeze(this Tensor x, int axis) => Reshaped(x.squeeze(axis), x);

    /// <summary>Two axes exchanged.</summary>
    public static Tensor Transpose(this Tensor x, int first, int second)
    {
        var result = x.transpose(first, second);
        if (GraphRecorder.Current is { } recorder)
        {
            var order = Enumerable.Range(0, (int)x.dim()).Select(i => (long)i).ToArray();
            var (from, to) = (TensorMath.Positive(first, x), TensorMath.Positive(second, x));
            (order[from], order[to]) = (order[to], order[from]);
            recorder.Add(GraphOperator.Permute, result, [x], GraphAttribute.Of("order", order));
        }

        return result;
    }

    /// <summary>Axes in another order.</summary>
    public static Tensor Permute(this Tensor x, params long[] order)
    {
        var result = x.permute(order);
        GraphRecorder.Current?.Add(GraphOperator.Permute, result, [x], GraphAttribute.Of("order", order));
        return result;
    }

    /// <summary>A part of an axis.</summary>
    /// <param name="x">Any tensor.</param>
    /// <param name="axis">The axis.</param>
    /// <param name="start">Its first place.</param>
    /// <param name="length">Number of places.</param>
    public static Tensor Narrow(this Tensor x, int axis, long start, long length) => Sliced(x.narrow(axis, start, length), x, axis, start, start + length, 1);

    /// <summary>Every step-th place of an axis from a start to its end.</summary>
    public static Tensor Every(this Tensor x, int axis, long start, long step) =>
        Sliced(x.slice(axis, start, x.shape[axis], step), x, axis, start, x.shape[axis], step);

    /// <summary>One place of an axis, which disappears.</summary>
    public static Tensor Select(this Tensor x, int axis, long index)
    {
        var result = x.select(axis, index);
        GraphRecorder.Current?.Add(
            GraphOperator.Select, result, [x], GraphAttribute.Of("axis", TensorMath.Positive(axis, x)), GraphAttribute.Of("index", index));
        return result;
    }

    /// <summary>Equal parts of an axis; it is a multiple of their number.</summary>
    public static Tensor[] Chunk(this Tensor x, int count, int axis)
    {
        var parts = x.chunk(count, axis);
        var length = parts[0].shape[TensorMath.Positive(axis, x)];
        for (var i = 0; i < parts.Length; i++)
        {
            Sliced(parts[i], x, axis, i * length, (i + 1) * length, 1);
        }

        return parts;
    }

    /// <summary>Parts of an axis, one after the other.</summary>
    public static Tensor[] Split(this Tensor x, long[] lengths, int axis)
    {
        var (parts, start) = (x.split(lengths, axis), 0L);
        for (var i = 0; i < parts.Length; i++)
        {
            Sliced(parts[i], x, axis, start, start + lengths[i], 1);
            start += lengths[i];
        }

        return parts;
    }

    /// <summary>The places of an axis that an index names.</summary>
    /// <param name="x">Any tensor.</param>
    /// <param name="axis">The axis.</param>
    /// <param name="index">Whole numbers [N], a <see cref="Constant(long[], Device)"/>.</param>
    public static Tensor Gather(this Tensor x, int axis, Tensor index)
    {
        var result = x.index_select(axis, index);
        GraphRecorder.Current?.Add(GraphOperator.Gather, result, [x, index], GraphAttribute.Of("axis", TensorMath.Positive(axis, x)));
        return result;
    }

    /// <summary>Axes of length 1 repeated; -1 for an axis that stays.</summary>
    public static Tensor Expand(this Tensor x, params long[] shape)
    {
        var result = x.expand(shape);
        GraphRecorder.Current?.Add(GraphOperator.Expand, result, [x], GraphAttribute.Of("shape", result.shape));
        return result;
    }

    /// <summary>The whole tensor repeated along each axis.</summary>
    public static Tensor Tile(this Tensor x, params long[] repeats)
    {
        var result = x.repeat(repeats);
        GraphRecorder.Current?.Add(GraphOperator.Tile, result, [x], GraphAttribute.Of("repeats", repeats));
        return result;
    }

    /// <summary>Tensors one after the other along an axis.</summary>
    public static Tensor Concat(IReadOnlyList<Tensor> parts, int axis)
    {
        var result = cat([.. parts], axis);
        GraphRecorder.Current?.Add(GraphOperator.Concat, result, [.. parts], GraphAttribute.Of("axis", TensorMath.Positive(axis, parts[0])));
        return result;
    }

    /// <summary>Places moved along an axis; those that leave at its end come in at its start.</summary>
    /// <param name="x">Any tensor.</param>
    /// <param name="axis">The axis.</param>
    /// <param name="shift">How far, in either direction, and less than its length.</param>
    public static Tensor Roll(this Tensor x, int axis, long shift)
    {
        var result = x.roll(shift, axis);
        if (GraphRecorder.Current is { } recorder)
        {
            var cut = shift > 0 ? x.shape[axis] - shift : -shift;
            using var front = x.Narrow(axis, 0, cut);
            using var back = Sliced(x.narrow(axis, cut, x.shape[axis] - cut), x, axis, cut, x.shape[axis], 1);
            recorder.Add(GraphOperator.Concat, result, [back, front], GraphAttribute.Of("axis", TensorMath.Positive(axis, x)));
        }

        return result;
    }

    /// <summary>Zeros, or another value, around the last axes.</summary>
    /// <param name="x">Any tensor.</param>
    /// <param name="edges">Before and after the last axis, then before and after the one before it, and so on.</param>
    /// <param name="value">What is added.</param>
    public static Tensor Pad(this Tensor x, long[] edges, double value = 0)
    {
        var result = nn.functional.pad(x, edges, value: value);
        if (GraphRecorder.Current is { } recorder)
        {
            var axes = (int)x.dim();
            var pads = new long[2 * axes];
            for (var i = 0; i < edges.Length / 2; i++)
            {
                (pads[axes - 1 - i], pads[2 * axes - 1 - i]) = (edges[2 * i], edges[2 * i + 1]);
            }

            recorder.Add(GraphOperator.Pad, result, [x], GraphAttribute.Of("pads", pads), GraphAttribute.OfNumber("value", value));
        }

        return result;
    }

    /// <summary>Whole numbers that follow from the configuration or from a shape, int64 [N].</summary>
    public static Tensor Constant(long[] values, Device device) => Fixed(tensor(values, device: device));

    /// <summary>Numbers that follow from the configuration or from a shape, of a shape of its own.</summary>
    /// <param name="values">The numbers.</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="device">Where they are used.</param>
    /// <param name="type">float32, or float64 where the network computes in it.</param>
    public static Tensor Constant(float[] values, long[] shape, Device device, ScalarType type = ScalarType.Float32) =>
        Fixed(tensor(values, shape, dtype: type == ScalarType.Float64 ? type : ScalarType.Float32, device: device));

    private static Tensor Fixed(Tensor constant)
    {
        GraphRecorder.Current?.Constant(constant);
        return constant;
    }

    private static Tensor Same(Tensor result, Tensor x)
    {
        GraphRecorder.Current?.Same(result, x);
        return result;
    }

    private static Tensor Reshaped(Tensor result, Tensor x)
    {
        GraphRecorder.Current?.Add(GraphOperator.Reshape, result, [x], GraphAttribute.Of("shape", result.shape));
        return result;
    }

    private static Tensor Sliced(Tensor result, Tensor x, long axis, long start, long end, long step)
    {
        if (GraphRecorder.Current is { } recorder)
        {
            axis = TensorMath.Positive(axis, x);
            recorder.Add(
                GraphOperator.Slice, result, [x], GraphAttribute.Of("axis", axis), GraphAttribute.Of("start", start),
                GraphAttribute.Of("end", end == x.shape[axis] ? long.MaxValue : end), GraphAttribute.Of("step", step));
        }

        return result;
    }
}
