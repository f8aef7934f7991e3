using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Models.Layers;

/// <summary>The distributions that weights are initialized from, drawn from torch's global generator in Python's order.</summary>
internal static class WeightInitialization
{
    /// <summary>The default of <c>nn.Linear</c> and <c>nn.Conv2d</c>: both uniform within 1 / sqrt(fan in).</summary>
    public static void ResetLikeTorch(Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        nn.init.kaiming_uniform_(weight, Math.Sqrt(5));
        if (bias is not null)
        {
            var bound = 1 / Math.Sqrt(FanIn(weight));
            nn.init.uniform_(bias, -bound, bound);
        }
    }

    /// <summary>A normal distribution cut at -2 and +2 (absolute, as transformers and timm call it): what falls outside is drawn again.</summary>
    /// <remarks>Source: <c>torch.nn.init.trunc_normal_</c> of torch 2.13; earlier versions draw by the inverse of the distribution function.</remarks>
    public static void TruncatedNormal(Tensor? tensor, double deviation)
    {
        const double Bound = 2;
        if (tensor is null)
        {
            return;
        }

        using var scope = NewDisposeScope();
        using var mode = no_grad();
        tensor.normal_(0, deviation);
        for (var outside = tensor.abs().gt(Kept(Bound)); outside.any().item<bool>(); outside = tensor.abs().gt(Kept(Bound)))
        {
            tensor.copy_(where(outside, empty_like(tensor).normal_(0, deviation), tensor));
        }
    }

    /// <summary>A normal distribution with mean 0.</summary>
    public static void Normal(Tensor? tensor, double deviation)
    {
        using var mode = no_grad();
        tensor?.normal_(0, deviation);
    }

    /// <summary>A uniform distribution that keeps the scale of signal and gradient alike.</summary>
    /// <remarks>Source: <c>torch.nn.init.xavier_uniform_</c>.</remarks>
    public static void XavierUniform(Tensor weight) => Uniform(weight, Math.Sqrt(6 / (FanIn(weight) + FanIn(weight) / weight.shape[1] * weight.shape[0])));

    /// <summary>Advances the generator by normal tensors of these shapes, which are thrown away.</summary>
    public static void Skip(params ReadOnlySpan<long[]> shapes)
    {
        foreach (var shape in shapes)
        {
            using var skipped = randn(shape);
        }
    }

    /// <summary>A uniform distribution around 0.</summary>
    public static void Uniform(Tensor tensor, double bound)
    {
        using var mode = no_grad();
        tensor.uniform_(-bound, bound);
    }

    /// <summary>A normal distribution of deviation sqrt(2 / fan), for layers before a rectifier.</summary>
    /// <remarks>Source: <c>torch.nn.init.kaiming_normal_</c> with <c>nonlinearity="relu"</c>.</remarks>
    /// <param name="weight">The weight, output channels first.</param>
    /// <param name="mode">Which connections count.</param>
    /// <param name="groups">Groups of channels that the outputs are divided among; torch's own function leaves it at 1.</param>
    public static void HeNormal(Tensor weight, FanMode mode, long groups = 1) =>
        Normal(weight, Math.Sqrt(2 / (mode == FanMode.Inputs ? FanIn(weight) : FanIn(weight) / weight.shape[1] * weight.shape[0] / groups)));

    /// <summary>One value everywhere.</summary>
    public static void Fill(Tensor? tensor, double value)
    {
        if (tensor is not null)
        {
            using var mode = no_grad();
            tensor.fill_(Kept(value));
        }
    }

    private static double FanIn(Tensor weight) => weight.shape.Skip(1).Aggregate(1L, (product, side) => product * side);
}

/// <summary>Which connections of a layer its initial weights are scaled by.</summary>
internal enum FanMode
{
    /// <summary>Those into one output; keeps the scale of the signal.</summary>
    Inputs,

    /// <summary>Those out of one input; keeps the scale of the gradient.</summary>
    Outputs,
}
