using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>How convolutions are computed on the processor.</summary>
internal enum ConvolutionWay
{
    /// <summary>By oneDNN, as libtorch does everywhere: the processor tells of its caches, or oneDNN has sizes of them all the same.</summary>
    Ordinary,

    /// <summary>By oneDNN, which had no sizes of the processor's caches and was told to take its own.</summary>
    OwnCacheSizes,

    /// <summary>As matrix products, without oneDNN, whose results cannot be trusted here.</summary>
    Products,
}

/// <summary>The one way to convolve: right on machines that hide their caches too, where oneDNN writes wrong numbers or ends the process.</summary>
/// <remarks>Decided once in a process, at its first convolution.</remarks>
internal static class Convolutions
{
    /// <summary>Environment variable that asks for <c>products</c> instead of what was decided.</summary>
    public const string Variable = "VIZSLA_CONVOLUTIONS";

    private static readonly Lazy<ConvolutionWay> Decided = new(Decide);

    /// <summary>The way that this process takes.</summary>
    public static ConvolutionWay Way => Decided.Value;

    /// <summary>The way in a few words, as a run records it.</summary>
    public static string Name(ConvolutionWay way) => way switch
    {
        ConvolutionWay.Ordinary => "oneDNN",
        ConvolutionWay.OwnCacheSizes => "oneDNN with cache sizes of its own",
        _ => "matrix products",
    };

    /// <summary>Convolves; the caller owns the result.</summary>
    /// <param name="input">Float [B, C, H, W].</param>
    /// <param name="weight">Float [outputs, C / groups, kernel height, kernel width].</param>
    /// <param name="bias">Float [outputs]; null adds none.</param>
    /// <param name="stride">Step of the kernel, down and across.</param>
    /// <param name="padding">Zeros on each side, down and across.</param>
    /// <param name="dilation">Distance between the values of the kernel, down and across.</param>
    /// <param name="groups">Groups of channels that do not see each other.</param>
    /// <returns>Float [B, outputs, H', W'].</returns>
    public static Tensor Convolve(Tensor input, Tensor weight, Tensor? bias, long[] stride, long[] padding, long[] dilation, long groups) =>
        Way == ConvolutionWay.Products && input.device_type == TorchSharp.DeviceType.CPU
            ? ProductConvolution.Apply(input, weight, bias, stride, padding, dilation, groups)
            : nn.functional.conv2d(input, weight, bias, stride, padding, dilation, groups);

    private static ConvolutionWay Decide()
    {
        if (Environment.GetEnvironmentVariable(Variable) == "products")
        {
            return ConvolutionWay.Products;
        }

        return !ProcessorCaches.AreHidden ? ConvolutionWay.Ordinary
            : OneDnnCaches.Mend() switch
            {
                OneDnnCaches.Outcome.Right => ConvolutionWay.Ordinary,
                OneDnnCaches.Outcome.Mended => ConvolutionWay.OwnCacheSizes,
                _ => ConvolutionWay.Products,
            };
    }
}
