using TorchSharp;
using Vizsla.Models.Graphs;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Convolutions, norms, poolings and resizing for the networks; noted where a graph is recorded.</summary>
internal static class TensorPlanes
{
    /// <summary>A convolution of planes; see <see cref="ConvolutionOptions"/>.</summary>
    /// <param name="input">Float [B, C, H, W].</param>
    /// <param name="weight">Float [outputs, C / groups, kernel height, kernel width].</param>
    /// <param name="bias">Float [outputs]; null adds nothing.</param>
    /// <param name="options">Kernel, stride, padding, groups.</param>
    public static Tensor Convolve(this Tensor input, Tensor weight, Tensor? bias, ConvolutionOptions options)
    {
        var result = options.Apply(input, weight, bias);
        LayerMeter.Current?.Count(result, weight.shape[1] * weight.shape[2] * weight.shape[3]);
        if (GraphRecorder.Current is { } recorder)
        {
            var (left, right, top, bottom) = options.IsSamePadded ? default : options.Edges ?? (options.Padding.Width, options.Padding.Width, options.Padding.Height, options.Padding.Height);
            recorder.Add(
                GraphOperator.Convolution, result, [input, weight, bias],
                GraphAttribute.Of("strides", options.Stride.Height, options.Stride.Width), GraphAttribute.Of("pads", top, left, bottom, right),
                GraphAttribute.Of("dilations", options.Dilation, options.Dilation), GraphAttribute.Of("group", options.Groups),
                GraphAttribute.OfFlag("same", options.IsSamePadded));
        }

        return result;
    }

    /// <summary>Batch normalization; in training the running statistics move and the batch is counted.</summary>
    /// <param name="input">Float [B, C, ...].</param>
    /// <param name="state">Parameters and statistics.</param>
    /// <param name="isTraining">Whether the batch's own statistics are used.</param>
    /// <param name="momentum">Share of the batch in the running statistics.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public static Tensor BatchNorm(
        this Tensor input, BatchStatistics state, bool isTraining, double momentum, double epsilon)
    {
        // A block that runs again normalizes by its batch, as it did before, and leaves the statistics alone.
        var moves = isTraining && !Recomputation.IsAgain;
        if (moves)
        {
            KeptScalars.Plus_(state.Count, 1L);
        }

        var result = nn.functional.batch_norm(input, state.Mean, state.Variance, state.Weight, state.Bias, isTraining, isTraining && !moves ? 0 : momentum, epsilon);
        GraphRecorder.Current?.Add(
            GraphOperator.BatchNormalization, result, [input, state.Weight, state.Bias, state.Mean, state.Variance], GraphAttribute.OfNumber("epsilon", epsilon));
        return result;
    }

    /// <summary>Layer normalization over the last axis.</summary>
    /// <param name="input">Float [..., D].</param>
    /// <param name="weight">Float [D]; null scales by one.</param>
    /// <param name="bias">Float [D]; null adds nothing.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public static Tensor LayerNorm(this Tensor input, Tensor? weight, Tensor? bias, double epsilon)
    {
        var result = nn.functional.layer_norm(input, [input.shape[^1]], weight, bias, epsilon);
        GraphRecorder.Current?.Add(GraphOperator.LayerNormalization, result, [input, weight, bias], GraphAttribute.OfNumber("epsilon", epsilon));
        return result;
    }

    /// <summary>Normalization over groups of channels and all places.</summary>
    /// <param name="input">Float [B, C, ...].</param>
    /// <param name="groups">Number of groups; divides C.</param>
    /// <param name="weight">Float [C].</param>
    /// <param name="bias">Float [C].</param>
    /// <param name="epsilon">Added to the variance.</param>
    public static Tensor GroupNorm(this Tensor input, long groups, Tensor weight, Tensor bias, double epsilon)
    {
        var result = nn.functional.group_norm(input, groups, weight, bias, epsilon);
        GraphRecorder.Current?.Add(
            GraphOperator.GroupNormalization, result, [input, weight, bias], GraphAttribute.Of("groups", groups), GraphAttribute.OfNumber("epsilon", epsilon));
        return result;
    }

    /// <summary>The largest value of each window.</summary>
    /// <param name="input">Float [B, C, H, W].</param>
    /// <param name="kernel">Side of the windows.</param>
    /// <param name="stride">Step of the windows.</param>
    /// <param name="padding">Places added around the plane, which never win; at most half the kernel.</param>
    /// <param name="roundsUp">Whether a last window may reach beyond the edge.</param>
    public static Tensor MaxPool(this Tensor input, long kernel, long stride, long padding = 0, bool roundsUp = false)
    {
        var result = nn.functional.max_pool2d(input, [kernel, kernel], [stride, stride], [padding, padding], ceil_mode: roundsUp);
        GraphRecorder.Current?.Add(GraphOperator.MaxPool, result, [input], Windows(kernel, stride, padding, roundsUp));
        return result;
    }

    /// <summary>The mean of each window.</summary>
    /// <param name="input">Float [B, C, H, W].</param>
    /// <param name="kernel">Side of the windows.</param>
    /// <param name="stride">Step of the windows.</param>
    /// <param name="padding">Zeros added around the plane.</param>
    /// <param name="countsPadding">Whether those zeros count in the mean.</param>
    /// <param name="roundsUp">Whether a last window may reach beyond the edge.</param>
    public static Tensor AveragePool(this Tensor input, long kernel, long stride, long padding = 0, bool countsPadding = true, bool roundsUp = false)
    {
        var result = nn.functional.avg_pool2d(
            input, [kernel, kernel], [stride, stride], [padding, padding], ceil_mode: roundsUp, count_include_pad: countsPadding);
        GraphRecorder.Current?.Add(
            GraphOperator.AveragePool, result, [input], [.. Windows(kernel, stride, padding, roundsUp), GraphAttribute.OfFlag("counts_padding", countsPadding)]);
        return result;
    }

    /// <summary>Means of as many windows as asked for.</summary>
    /// <param name="input">Float [B, C, H, W].</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    public static Tensor AdaptiveAveragePool(this Tensor input, long height, long width)
    {
        var result = nn.functional.adaptive_avg_pool2d(input, [height, width]);
        GraphRecorder.Current?.Add(GraphOperator.AdaptiveAveragePool, result, [input], GraphAttribute.Of("size", height, width));
        return result;
    }

    /// <summary>Planes stretched to another size.</summary>
    /// <param name="input">Float [B, C, H, W].</param>
    /// <param name="size">Height and width of the result.</param>
    /// <param name="mode">Nearest, bilinear or bicubic.</param>
    /// <param name="alignsCorners">Whether the outermost places keep their positions.</param>
    /// <param name="antialiases">Whether a smaller plane averages over what it leaves out; bicubic alone.</param>
    public static Tensor Resize(this Tensor input, (long Height, long Width) size, InterpolationMode mode, bool alignsCorners = false, bool antialiases = false)
    {
        var result = antialiases ? AntialiasedBicubic.Resize(input, size) : nn.functional.interpolate(
            input, [size.Height, size.Width], mode: mode, align_corners: mode == InterpolationMode.Nearest ? null : alignsCorners);
        GraphRecorder.Current?.Add(
            GraphOperator.Resize, result, [input], GraphAttribute.Of("size", size.Height, size.Width), GraphAttribute.Of("mode", mode switch
            {
                InterpolationMode.Nearest => 0,
                InterpolationMode.Bilinear => 1,
                _ => 2,
            }), GraphAttribute.OfFlag("align_corners", alignsCorners), GraphAttribute.OfFlag("antialias", antialiases));
        return result;
    }

    private static GraphAttribute[] Windows(long kernel, long stride, long padding, bool roundsUp) =>
    [
        GraphAttribute.Of("kernel", kernel, kernel),
        GraphAttribute.Of("strides", stride, stride),
        GraphAttribute.Of("pads", padding, padding, padding, padding),
        GraphAttribute.OfFlag("ceil", roundsUp),
    ];
}

/// <summary>What a batch norm computes with.</summary>
/// <param name="Weight">Float [C].</param>
/// <param name="Bias">Float [C].</param>
/// <param name="Mean">Running mean, float [C].</param>
/// <param name="Variance">Running variance, float [C].</param>
/// <param name="Count">Number of batches seen, int64 without axes.</param>
internal readonly record struct BatchStatistics(Tensor Weight, Tensor Bias, Tensor Mean, Tensor Variance, Tensor Count);
