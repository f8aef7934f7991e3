using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>A convolution whose weights are brought to mean 0 and variance 1 for each output channel, each time that it works.</summary>
/// <remarks>Source: timm <c>StdConv2d</c>, <c>StdConv2dSame</c>, transformers <c>WeightStandardizedConv2d</c>, "Micro-Batch Training with Batch-Channel Normalization and Weight Standardization". Parity: 1e-5.</remarks>
internal sealed class StandardizedConvolution : TensorLayer, IWeighted
{
    private readonly ParameterSlot _weight;
    private readonly ConvolutionOptions _options;
    private readonly double _epsilon;

    /// <param name="inputs">Channels of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="options">The convolution; without bias.</param>
    /// <param name="epsilon">Added to the variance of the weights.</param>
    public StandardizedConvolution(int inputs, int outputs, ConvolutionOptions options, double epsilon)
        : base(nameof(StandardizedConvolution))
    {
        (_options, _epsilon) = (options, epsilon);
        _weight = AddParameter("weight", outputs, inputs / options.Groups, options.Kernel.Height, options.Kernel.Width);
    }

    public Tensor Weight => _weight.Value;

    public Tensor? Bias => null;

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, outputs, H', W']; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        var shape = Weight.shape;
        if (Meter is not null)
        {
            var (height, width) = _options.SizeOf(input);
            return Meter.StandIn(this, input, [input.shape[0], shape[0], height, width], shape[1] * shape[2] * shape[3]);
        }

        using var scope = NewDisposeScope();
        var standardized = Weight.Flatten(1).LayerNorm(null, null, _epsilon).Reshape(shape);
        return input.Convolve(standardized, null, _options).MoveToOuterDisposeScope();
    }

    public override void ResetParameters() => WeightInitialization.ResetLikeTorch(Weight, null);
}
