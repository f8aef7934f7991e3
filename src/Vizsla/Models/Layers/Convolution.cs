using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>A two-dimensional convolution whose parameters are not drawn until <see cref="Layer.ResetParameters"/>.</summary>
/// <remarks>Source: <c>torch.nn.Conv2d</c>. Parity: exact.</remarks>
internal sealed class Convolution : TensorLayer, IWeighted
{
    private readonly ParameterSlot _weight;
    private readonly ParameterSlot? _bias;
    private readonly ConvolutionOptions _options;

    /// <param name="inputs">Channels of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="options">Kernel, stride, padding, groups and bias.</param>
    public Convolution(long inputs, long outputs, ConvolutionOptions options)
        : base(nameof(Convolution))
    {
        _options = options;
        _weight = AddParameter("weight", outputs, inputs / options.Groups, options.Kernel.Height, options.Kernel.Width);
        _bias = options.HasBias ? AddParameter("bias", outputs) : null;
    }

    public ConvolutionOptions Options => _options;

    public Tensor Weight => _weight.Value;

    public Tensor? Bias => _bias?.Value;

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, outputs, H', W']; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        if (Meter is null)
        {
            return input.Convolve(Weight, Bias, _options);
        }

        var (height, width) = _options.SizeOf(input);
        var weight = Weight.shape;
        return Meter.StandIn(this, input, [input.shape[0], weight[0], height, width], weight[1] * weight[2] * weight[3]);
    }

    public override void ResetParameters() => WeightInitialization.ResetLikeTorch(Weight, Bias);
}
