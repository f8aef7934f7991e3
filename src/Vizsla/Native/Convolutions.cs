using Microsoft.Extensions.Logging;
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
internal static partial class Convolutions
{
    private const int VectorChannels = 16;

    /// <summary>Environment variable that asks for <c>products</c> or for <c>onednn</c> as libtorch has it, instead of what would be decided.</summary>
    public const string Variable = "VIZSLA_CONVOLUTIONS";

    /// <summary>Value of <see cref="Variable"/> for <see cref="ConvolutionWay.Products"/>.</summary>
    public const string Products = "products";

    /// <summary>Value of <see cref="Variable"/> for <see cref="ConvolutionWay.Ordinary"/>.</summary>
    public const string OneDnn = "onednn";

    private static readonly Lazy<ConvolutionWay> Decided = new(Decide);

    private static volatile bool _avoidsOneDnn;
    private static int _isTold;

    /// <summary>The way that this process takes.</summary>
    public static ConvolutionWay Way => _avoidsOneDnn ? ConvolutionWay.Products : Decided.Value;

    /// <summary>Takes <see cref="ConvolutionWay.Products"/> from here on, because oneDNN was found wrong.</summary>
    public static void AvoidOneDnn() => _avoidsOneDnn = true;

    /// <summary>Trusts oneDNN again, after a test.</summary>
    internal static void TrustOneDnn() => _avoidsOneDnn = false;

    /// <summary>Spoils what oneDNN computes, in tests; null otherwise.</summary>
    internal static Func<Tensor, Tensor>? Fault { get; set; }

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
            : Broken(OverrunsItsBuffer(input, weight, stride, padding, groups)
                ? Thinned(input, weight, bias, stride)
                : nn.functional.conv2d(input, weight, bias, stride, padding, dilation, groups));

    // The backward pass of oneDNN 3 writes beyond its buffer for strided kernels of single places whose input channels do not fill a vector, on every machine.
    private static bool OverrunsItsBuffer(Tensor input, Tensor weight, long[] stride, long[] padding, long groups) =>
        stride is not [1, 1] && groups == 1 && weight.shape is [_, var channels, 1, 1] && channels % VectorChannels != 0 && padding is [0, 0]
        && input.device_type == TorchSharp.DeviceType.CPU && is_grad_enabled();

    // A kernel of single places sees nothing of the places that its stride skips.
    private static Tensor Thinned(Tensor input, Tensor weight, Tensor? bias, long[] stride)
    {
        using var rows = input.slice(2, 0, input.shape[2], stride[0]);
        using var places = rows.slice(3, 0, input.shape[3], stride[1]);
        return nn.functional.conv2d(places, weight, bias);
    }

    private static Tensor Broken(Tensor result) => Fault is { } fault && result.dtype != ScalarType.Float64 ? fault(result) : result;

    /// <summary>Says once in a process that its convolutions are not computed as libtorch does by itself.</summary>
    /// <param name="logger">Hears it.</param>
    public static void Tell(ILogger logger)
    {
        if (Way != ConvolutionWay.Ordinary && Interlocked.Exchange(ref _isTold, 1) == 0)
        {
            var way = Name(Way);
            Unusual(logger, way);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "This machine hides its processor's caches: convolutions are computed by {Way}.")]
    private static partial void Unusual(ILogger logger, string way);

    private static ConvolutionWay Decide()
    {
        var asked = Environment.GetEnvironmentVariable(Variable);
        return asked == Products ? ConvolutionWay.Products
            : asked == OneDnn || !ProcessorCaches.AreHidden ? ConvolutionWay.Ordinary
            : OneDnnCaches.Mend() switch
            {
                OneDnnCaches.Outcome.Right => ConvolutionWay.Ordinary,
                OneDnnCaches.Outcome.Mended when ConvolutionVerdict.IsRight() => ConvolutionWay.OwnCacheSizes,
                _ => ConvolutionWay.Products,
            };
    }
}
