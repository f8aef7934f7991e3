using TorchSharp;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>A block of a network of which only the input is kept for the backward pass, which runs the block again: less memory for more time.</summary>
/// <remarks>
/// Dropout draws again from the same state, and statistics of batch norms move once: losses and gradients are those without it, to the last bit.
/// Source: <c>torch.utils.checkpoint(use_reentrant=True, preserve_rng_state=True)</c>.
/// </remarks>
internal sealed class Recomputation : autograd.SingleTensorFunction<Recomputation>
{
    private const string Block = nameof(Block);

    [ThreadStatic]
    private static bool s_isOn;

    [ThreadStatic]
    private static bool s_isAgain;

    /// <summary>Whether blocks of forward passes on this thread run again in the backward pass.</summary>
    public static bool IsOn => s_isOn && is_grad_enabled();

    /// <summary>Whether a block runs a second time on this thread.</summary>
    public static bool IsAgain => s_isAgain;

    /// <inheritdoc/>
    public override string Name => nameof(Recomputation);

    /// <summary>Has the blocks of forward passes on this thread run again in the backward pass, until it is disposed.</summary>
    public static IDisposable Open() => new Opened();

    /// <summary>Runs a block; where that was asked for and gradients are kept, it runs again in the backward pass.</summary>
    /// <param name="block">Makes a new tensor of its input, alike each time, and changes no tensor that it did not make; what it captures does not change until the backward pass, and is no tensor of the forward pass's scope.</param>
    /// <param name="x">The input.</param>
    /// <param name="shared">A tensor with a gradient that the block takes too, which it reads as the second argument; null for none.</param>
    /// <returns>The block's result; the caller owns it.</returns>
    public static Tensor Run(Func<Tensor, Tensor?, Tensor> block, Tensor x, Tensor? shared = null)
    {
        if (!IsOn)
        {
            return block(x, shared);
        }

        // Where nothing that goes in has a gradient (a frozen start), the weights of the block may have one.
        using var always = zeros(0, requires_grad: true);
        using var none = shared is null ? zeros(0) : null;
        return apply(x, shared ?? none!, always, new Again(block, TorchGenerator.GetState(), shared is not null));
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, shared, again) = ((Tensor)vars[0], (Tensor)vars[1], (Again)vars[3]);
        ctx.save_for_backward([x, shared]);
        ctx.save_data(Block, again);

        // With gradients, so that libtorch chooses the same kernels as without this function; the graph goes when the block is done.
        var isOn = s_isOn;
        s_isOn = false;
        try
        {
            using var scope = NewDisposeScope();
            using var gradients = enable_grad();
            var result = again.Run(x.detach().requires_grad_(), again.TakesShared ? shared.detach().requires_grad_() : null);
            return result.detach().MoveToOuterDisposeScope();
        }
        finally
        {
            s_isOn = isOn;
        }
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        var (saved, again) = (ctx.get_saved_variables(), (Again)ctx.get_data(Block));
        var after = TorchGenerator.GetState();
        var (isOn, isAgain) = (s_isOn, s_isAgain);
        (s_isOn, s_isAgain) = (false, true);
        try
        {
            TorchGenerator.SetState(again.Generator);
            using var gradients = enable_grad();
            var x = saved[0].detach().requires_grad_();
            var shared = again.TakesShared ? saved[1].detach().requires_grad_() : null;
            again.Run(x, shared).backward([grad_output]);
            return [x.grad!.MoveToOuterDisposeScope(), shared?.grad!.MoveToOuterDisposeScope()!, null!, null!];
        }
        finally
        {
            (s_isOn, s_isAgain) = (isOn, isAgain);
            TorchGenerator.SetState(after);
        }
    }

    private sealed record Again(Func<Tensor, Tensor?, Tensor> Run, byte[] Generator, bool TakesShared);

    private sealed class Opened : IDisposable
    {
        private readonly bool _before = s_isOn;

        public Opened() => s_isOn = true;

        public void Dispose() => s_isOn = _before;
    }
}
