using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>What can be computed as one convolution for prediction, from weights that never change meanwhile.</summary>
internal interface IFoldable
{
    /// <summary>Whether no layer in it is adapted, so that one convolution does the same work.</summary>
    bool CanFold { get; }

    /// <summary>Computes the convolution, from the running statistics.</summary>
    void Fold();

    /// <summary>Forgets it.</summary>
    void Unfold();
}

/// <summary>Convolutions with their batch norms side by side, and the plane itself with one, added up; one convolution in prediction.</summary>
/// <remarks>Source: timm <c>RepVggBlock</c>, <c>MobileOneBlock</c>, <c>ReparamLargeKernelConv</c> and their <c>reparameterize</c>; transformers <c>TextNetRepConvLayer</c>. Parity: 1e-5.</remarks>
internal sealed class ConvolutionBranches : IFoldable
{
    private readonly IReadOnlyList<ConvolutionUnit> _units;
    private readonly BatchNormalization? _identity;
    private readonly FoldedConvolution _folded = new();

    /// <param name="units">Convolutions of odd kernels in the middle of their padding, one of which covers the others, of one stride and as many groups, without activations; registered by the caller.</param>
    /// <param name="identity">The norm of the plane itself; null where it is not added.</param>
    public ConvolutionBranches(IReadOnlyList<ConvolutionUnit> units, BatchNormalization? identity)
    {
        (_units, _identity) = (units, identity);
        foreach (var norm in units.Select(u => u.Norm).Append(identity).OfType<BatchNormalization>())
        {
            norm.Unit = this;
        }
    }

    public bool CanFold => _units.Count > 0 && _units.All(u => u.Convolution.Adapter is null && u.Norm.Adapter is null) && _identity?.Adapter is null;

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H', W']; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return (_folded.Current is { } folded ? input.Convolve(folded.Weight, folded.Bias, Widest) : Sum(input)).MoveToOuterDisposeScope();
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <param name="change">What happens to the sum of the convolutions before the plane itself is added, in training.</param>
    /// <returns>Float [B, C', H', W']; the caller owns it.</returns>
    public Tensor Forward(Tensor input, Func<Tensor, Tensor> change)
    {
        using var scope = NewDisposeScope();
        return (_folded.Current is null ? Sum(input, change) : Forward(input)).MoveToOuterDisposeScope();
    }

    public void Fold()
    {
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        var kernel = Widest.Kernel;
        var parts = _units.Select(u => Folding.Joined(u.Convolution.Weight, u.Convolution.Bias, u.Norm)).ToList();
        if (_identity is not null)
        {
            parts.Add(Folding.Joined(Unchanged(_units[0].Convolution.Weight), null, _identity));
        }

        var weight = parts.Select(p => Centered(p.Weight, kernel)).Aggregate((left, right) => left.Plus(right));
        _folded.Set(MemoryLayout.ChannelsLast(weight), parts.Select(p => p.Bias).Aggregate((left, right) => left.Plus(right)));
    }

    public void Unfold() => _folded.Clear();

    private ConvolutionOptions Widest => _units.MaxBy(u => u.Convolution.Options.Kernel.Height * u.Convolution.Options.Kernel.Width)!.Convolution.Options;

    private Tensor Sum(Tensor input, Func<Tensor, Tensor>? change = null)
    {
        var sum = _units.Count == 0 ? null : _units.Select(u => u.Forward(input)).Aggregate((left, right) => left.Plus(right));
        sum = sum is null || change is null ? sum : change(sum);
        return _identity is null ? sum! : sum is null ? _identity.Forward(input) : sum.Plus(_identity.Forward(input));
    }

    private static Tensor Centered(Tensor weight, (long Height, long Width) kernel)
    {
        var (down, across) = ((kernel.Height - weight.shape[2]) / 2, (kernel.Width - weight.shape[3]) / 2);
        return down + across == 0 ? weight : weight.Pad([across, across, down, down]);
    }

    /// <summary>The kernel of single places that leaves a plane as it is, float [C, C / groups, 1, 1].</summary>
    private static Tensor Unchanged(Tensor like)
    {
        var (channels, inputs) = (like.shape[0], like.shape[1]);
        var values = new float[channels * inputs];
        for (var i = 0L; i < channels; i++)
        {
            values[i * inputs + i % inputs] = 1;
        }

        return tensor(values, [channels, inputs, 1, 1], device: like.device).to_type(like.dtype);
    }
}

/// <summary>A convolution that was computed from others, in the precisions that are asked for.</summary>
internal sealed class FoldedConvolution
{
    private (Tensor Weight, Tensor Bias)? _exact;
    private (Tensor Weight, Tensor Bias)? _lowered;

    /// <summary>The convolution in the precision of the scope, null before it is set; autocast itself keeps no copy of a weight that is not trained.</summary>
    public (Tensor Weight, Tensor Bias)? Current
    {
        get
        {
            if (_exact is not { } exact || Autocast.Current(exact.Weight.device_type) is not { } type)
            {
                return _exact;
            }

            if (_lowered?.Weight.dtype != type)
            {
                Dispose(ref _lowered);
                _lowered = (exact.Weight.to(type).DetachFromDisposeScope(), exact.Bias.to(type).DetachFromDisposeScope());
            }

            return _lowered;
        }
    }

    /// <summary>Keeps a convolution beyond the caller's scope.</summary>
    public void Set(Tensor weight, Tensor bias)
    {
        Clear();
        _exact = (weight.DetachFromDisposeScope(), bias.DetachFromDisposeScope());
    }

    /// <summary>Forgets it.</summary>
    public void Clear()
    {
        Dispose(ref _exact);
        Dispose(ref _lowered);
    }

    private static void Dispose(ref (Tensor Weight, Tensor Bias)? pair)
    {
        pair?.Weight.Dispose();
        pair?.Bias.Dispose();
        pair = null;
    }
}
