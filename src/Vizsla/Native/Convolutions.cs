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
    private static int _told;

    [ThreadStatic]
    private static Dictionary<string, ConvolutionCase>? _recorded;

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
    public static Tensor Convolve(Tensor input, Tensor weight, Tensor? bias, long[] stride, long[] padding, long[] dilation, long groups)
    {
        if (_recorded is not null)
        {
            Note(_recorded, input, weight, stride, padding, dilation, groups);
        }

        return Way == ConvolutionWay.Products && input.device_type == TorchSharp.DeviceType.CPU
            ? ProductConvolution.Apply(input, weight, bias, stride, padding, dilation, groups)
            : Broken(OverrunsItsBuffer(input, weight, stride, padding, groups)
                ? Thinned(input, weight, bias, stride)
                : nn.functional.conv2d(input, weight, bias, stride, padding, dilation, groups));
    }

    /// <summary>The convolutions that some work of the calling thread consists of, each once.</summary>
    /// <param name="work">The work.</param>
    public static IReadOnlyList<ConvolutionCase> Record(Action work)
    {
        var cases = _recorded = new(StringComparer.Ordinal);
        try
        {
            work();
        }
        finally
        {
            _recorded = null;
        }

        return [.. cases.Values];
    }

    private static void Note(Dictionary<string, ConvolutionCase> cases, Tensor input, Tensor weight, long[] stride, long[] padding, long[] dilation, long groups)
    {
        var shape = input.shape;
        var type = Autocast.Current(input.device_type) ?? input.dtype;
        var one = new ConvolutionCase(
            shape, weight.shape, stride, padding, dilation, groups, shape[1] > 1 && input.stride(1) == 1, type == ScalarType.BFloat16, get_num_threads());
        cases.TryAdd(one.ToString(), one);
    }

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

    /// <summary>Says once in a process that its convolutions are not computed as libtorch does by itself, and again where that has changed.</summary>
    /// <param name="logger">Hears it, if it listens.</param>
    public static void Tell(ILogger logger)
    {
        var way = Way;
        // Products are slower, which whoever serves or trains with them has to know; the same kernels with other sizes are not.
        var level = way == ConvolutionWay.Products ? LogLevel.Warning : LogLevel.Information;
        if (way != ConvolutionWay.Ordinary && _told != (int)way && logger.IsEnabled(level) && Interlocked.Exchange(ref _told, (int)way) != (int)way)
        {
            var (name, reason) = (Name(way), ProcessorCaches.AreHidden ? "this machine hides its processor's caches" : _avoidsOneDnn ? "oneDNN was found wrong" : $"{Variable} asks for it");
            Unusual(logger, level, name, reason);
        }
    }

    /// <summary>Forgets what was told, after a test.</summary>
    internal static void ForgetTold() => _told = 0;

    [LoggerMessage(Message = "Convolutions are computed by {Way}, since {Reason}.")]
    private static partial void Unusual(ILogger logger, LogLevel level, string way, string reason);

    private static ConvolutionWay Decide()
    {
        var asked = Environment.GetEnvironmentVariable(Variable);
        return asked == Products ? ConvolutionWay.Products
            : asked == OneDnn || !ProcessorCaches.AreHidden ? ConvolutionWay.Ordinary
            : OneDnnCaches.Patch() switch
            {
                OneDnnCaches.Outcome.Right => ConvolutionWay.Ordinary,
                OneDnnCaches.Outcome.Patched when ConvolutionVerdict.IsRight() => ConvolutionWay.OwnCacheSizes,
                _ => ConvolutionWay.Products,
            };
    }
}
