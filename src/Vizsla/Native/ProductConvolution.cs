using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>Two-dimensional convolutions out of matrix products and multiplications, without oneDNN, which is slower.</summary>
internal static class ProductConvolution
{
    /// <summary>Convolves; takes part in gradients like any operator.</summary>
    /// <param name="input">Float [B, C, H, W].</param>
    /// <param name="weight">Float [outputs, C / groups, kernel height, kernel width], of the input's type.</param>
    /// <param name="bias">Float [outputs]; null adds none.</param>
    /// <param name="stride">Step of the kernel, down and across.</param>
    /// <param name="padding">Zeros on each side, down and across.</param>
    /// <param name="dilation">Distance between the values of the kernel, down and across.</param>
    /// <param name="groups">Groups of channels that do not see each other.</param>
    /// <returns>Float [B, outputs, H', W']; the caller owns it.</returns>
    /// <exception cref="NotSupportedException">The loaded libtorch lacks the functions that call an operator by name.</exception>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor? bias, long[] stride, long[] padding, long[] dilation, long groups)
    {
        if (!Dispatcher.IsAvailable)
        {
            throw new NotSupportedException(
                $"This machine hides its caches, and libtorch {LibTorch.Version?.ToString() ?? "of an unknown version"} lacks what would compute convolutions all the same: use the libtorch package {LibTorch.Checked}.");
        }

        using var scope = NewDisposeScope();
        if (Autocast.Current(input.device_type) is { } type)
        {
            (input, weight, bias) = (input.to(type), weight.to(type), bias?.to(type));
        }

        return (groups == 1 ? Whole(input, weight, bias, stride, padding, dilation)
            : groups == input.shape[1] && weight.shape[0] == groups ? Depthwise(input, weight, bias, stride, padding, dilation)
            : Grouped(input, weight, bias, stride, padding, dilation, groups)).MoveToOuterDisposeScope();
    }

    private static Tensor Whole(Tensor input, Tensor weight, Tensor? bias, long[] stride, long[] padding, long[] dilation)
    {
        long[] kernel = [weight.shape[2], weight.shape[3]];
        (input, weight) = (ChannelsFirst(input), ChannelsFirst(weight));
        return dilation is [1, 1]
            ? Dispatcher.CallTensor("aten::thnn_conv2d", "", input, weight, kernel, OperatorArgument.Optional(bias), stride, padding)
            : Dispatcher.CallTensor("aten::slow_conv_dilated2d", "", input, weight, kernel, OperatorArgument.Optional(bias), stride, padding, dilation);
    }

    // The backward pass of the operators refuses channels side by side. A view of one dimension drops strides that mean both orders, as a kernel of 1x1 has them.
    private static Tensor ChannelsFirst(Tensor planes) => planes.contiguous().view(-1).view(planes.shape);

    private static Tensor Grouped(Tensor input, Tensor weight, Tensor? bias, long[] stride, long[] padding, long[] dilation, long groups)
    {
        var inputs = input.chunk(groups, 1);
        var weights = weight.chunk(groups, 0);
        var biases = bias?.chunk(groups, 0);
        return cat([.. inputs.Select((part, i) => Whole(part, weights[i], biases?[i], stride, padding, dilation))], 1);
    }

    // One multiplication of planes for each place of the kernel.
    private static Tensor Depthwise(Tensor input, Tensor weight, Tensor? bias, long[] stride, long[] padding, long[] dilation)
    {
        var (height, width) = (weight.shape[2], weight.shape[3]);
        var padded = padding is [0, 0] ? input : nn.functional.pad(input, [padding[1], padding[1], padding[0], padding[0]]);
        var rows = (padded.shape[2] - dilation[0] * (height - 1) - 1) / stride[0] + 1;
        var columns = (padded.shape[3] - dilation[1] * (width - 1) - 1) / stride[1] + 1;
        var sum = bias?.view(1, -1, 1, 1);
        for (long i = 0; i < height; i++)
        {
            for (long j = 0; j < width; j++)
            {
                var (top, left) = (i * dilation[0], j * dilation[1]);
                var places = padded
                    .slice(2, top, top + (rows - 1) * stride[0] + 1, stride[0])
                    .slice(3, left, left + (columns - 1) * stride[1] + 1, stride[1]);
                var factor = weight.select(3, j).select(2, i).view(1, -1, 1, 1);
                sum = sum is null ? places * factor : sum.addcmul(places, factor, KeptScalars.Kept(1.0));
            }
        }

        return sum!;
    }
}
