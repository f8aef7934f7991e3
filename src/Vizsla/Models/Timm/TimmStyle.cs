using Vizsla.Models.Layers;
using Vizsla.Primitives;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

/// <summary>What the convolutions of one network share: activation, norm and padding, by timm's names.</summary>
/// <param name="Activation">Name of the activation, such as <c>relu</c> or <c>SiLU</c>.</param>
/// <param name="Norm">The norm with its arguments, such as <c>BatchNorm2d(eps=0.001)</c>.</param>
/// <param name="IsSamePadded">Whether planes are padded as TensorFlow does.</param>
internal sealed record TimmStyle(string Activation, string Norm = TimmStyle.BatchNorm, bool IsSamePadded = false)
{
    internal const string BatchNorm = "BatchNorm2d";

    private static readonly Dictionary<string, Func<Tensor, Tensor>> _functions = new(StringComparer.OrdinalIgnoreCase)
    {
        ["relu"] = Layers.Activation.Named("relu"),
        ["relu6"] = Layers.Activation.Named("relu6"),
        ["silu"] = Layers.Activation.Named("silu"),
        ["swish"] = Layers.Activation.Named("silu"),
        ["hard_swish"] = Layers.Activation.Named("hardswish"),
        ["hardswish"] = Layers.Activation.Named("hardswish"),
        ["hard_sigmoid"] = TensorMath.HardSigmoid,
        ["sigmoid"] = TensorMath.Sigmoid,
        ["gelu"] = Layers.Activation.Named("gelu"),
        ["gelu_tanh"] = Layers.Activation.Named("gelu_pytorch_tanh"),
        ["quick_gelu"] = Layers.Activation.Named("quick_gelu"),
        ["tanh"] = Layers.Activation.Named("tanh"),
    };

    /// <summary>The activation as a function.</summary>
    public Func<Tensor, Tensor> Function => FunctionOf(Activation);

    /// <summary>The function of one of timm's names.</summary>
    /// <exception cref="ModelLoadException">The name is not known.</exception>
    public static Func<Tensor, Tensor> FunctionOf(string name) => _functions.TryGetValue(name, out var function)
        ? function
        : throw new ModelLoadException($"Unknown activation '{name}'. Known: {string.Join(", ", _functions.Keys.Order(StringComparer.Ordinal))}.{Suggestion.DidYouMean(name, _functions.Keys)}");

    /// <summary>A norm for planes, or for the last axis of tokens, as timm's name says.</summary>
    /// <param name="spec">The norm with its arguments.</param>
    /// <param name="channels">Channels, or width of the tokens.</param>
    /// <exception cref="ModelLoadException">The norm is not built.</exception>
    public static TensorLayer MakeNorm(string spec, int channels)
    {
        const double RmsEpsilon = 1e-6;
        const int Groups = 32;
        var norm = TimmSpec.Parse(spec);
        return norm.Name switch
        {
            BatchNorm or "BatchNormAct2d" => new BatchNormalization(channels, norm.Number("eps", 1e-5), norm.Number("momentum", 0.1)),
            "GroupNorm" or "groupnorm" or "GroupNormAct" => new GroupNormalization(
                channels,
                norm.WholeNumber("group_size", 0) is > 0 and var size ? channels / size : norm.WholeNumber("num_groups", Groups),
                norm.Number("eps", 1e-5)),
            "GroupNorm1" => new GroupNormalization(channels, 1, norm.Number("eps", 1e-5)),
            "LayerNorm2d" or "LayerNormAct2d" => new PlaneNormalization(channels, norm.Number("eps", norm.Name == "LayerNorm2d" ? 1e-6 : 1e-5)),
            "LayerNorm" => new LayerNormalization(channels, norm.Number("eps", 1e-5)),
            "RmsNorm" or "rmsnorm" => new RmsNormalization(channels, norm.Number("eps", RmsEpsilon), areTokens: true),
            "RmsNorm2d" => new RmsNormalization(channels, norm.Number("eps", RmsEpsilon), areTokens: false),
            _ => throw new ModelLoadException($"The norm '{spec}' of timm is not supported."),
        };
    }

    /// <summary>A norm of this style.</summary>
    public TensorLayer MakeNorm(int channels) => MakeNorm(Norm, channels);

    /// <summary>A convolution that keeps the plane's size at stride 1.</summary>
    public ConvolutionOptions Convolution(int kernel, int stride = 1, int groups = 1, bool hasBias = false)
    {
        // timm's padding for an even kernel is that of torch for the next smaller odd one.
        var padding = ((stride - 1) + (kernel - 1)) / 2;
        return new ConvolutionOptions(kernel) { Stride = (stride, stride), Padding = (padding, padding), IsSamePadded = IsSamePadded, Groups = groups, HasBias = hasBias };
    }

    /// <summary>A convolution with its norm and activation, registered below a module.</summary>
    /// <param name="owner">The module.</param>
    /// <param name="names">Names of convolution and norm.</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="options">The convolution; without bias.</param>
    /// <param name="isActivated">Whether the activation follows.</param>
    public TimmUnit Unit(nn.Module owner, (string Convolution, string Norm) names, int inputs, int outputs, ConvolutionOptions options, bool isActivated = true)
    {
        var convolution = ModuleTree.Add(owner, names.Convolution, new Convolution(inputs, outputs, options));
        return new TimmUnit(convolution, ModuleTree.Add(owner, names.Norm, MakeNorm(outputs)), isActivated ? Function : null);
    }
}
