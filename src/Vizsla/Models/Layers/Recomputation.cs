using TorchSharp;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>A block of a network of which only the input is kept for the backward pass, which runs the block again: less memory for more time.</summary>
/// <remarks>
/// Dropout draws again from the same state, statistics of batch norms move once, and gradients go on in the memory layout in which libtorch hands them:
/// losses and gradients are those without it, to the last bit. What a block throws when it runs again comes out of <see cref="BackwardErrors.Backward"/>.
/// Source: <c>torch.utils.checkpoint(use_reentrant=True, preserve_rng_state=True)</c>.
/// </remarks>
internal sealed class Recomputation : autograd.SingleTensorFunction<Recomputation>
{
    private const int ValueCount = 4;
    private const string Block = nameof(Block);

    [ThreadStatic]
    private static Recomputing? s_opened;

    [ThreadStatic]
    private static bool s_isAgain;

    /// <summary>Whether blocks of forward passes on this thread run again in the backward pass.</summary>
    public static bool IsOn => s_opened is not null && is_grad_enabled();

    /// <summary>Whether a block runs a second time on this thread.</summary>
    public static bool IsAgain => s_isAgain;

    /// <inheritdoc/>
    public override string Name => nameof(Recomputation);

    /// <summary>Has the blocks of forward passes on this thread run again in the backward pass, until it is disposed.</summary>
    public static Recomputing Open()
    {
        var before = s_opened;
        return s_opened = new Recomputing(() => s_opened = before);
    }

    /// <summary>Runs a block; where that was asked for and its result has a gradient, it runs again in the backward pass.</summary>
    /// <param name="block">Makes a new tensor of its input, alike each time, and changes no tensor that it did not make; what it captures does not change until the backward pass, and is no tensor of the forward pass's scope.</param>
    /// <param name="x">The input.</param>
    /// <param name="shared">A tensor that the block takes too, which it reads as the second argument; null for none.</param>
    /// <returns>The block's result; the caller owns it.</returns>
    public static Tensor Run(Func<Tensor, Tensor?, Tensor> block, Tensor x, Tensor? shared = null)
    {
        if (!IsOn)
        {
            return block(x, shared);
        }

        using var scope = NewDisposeScope();
        var again = new Again(s_opened!, block, TorchGenerator.GetState(), x.requires_grad, shared?.requires_grad);
        var result = again.RunFirst(x, shared);
        if (!result.requires_grad)
        {
            return result.MoveToOuterDisposeScope();
        }

        again.Result = result.detach();
        result.Dispose();

        // Where nothing that goes in has a gradient (a frozen start), the weights of the block have one.
        return apply(x, shared ?? zeros(0), zeros(0, requires_grad: true), again).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var again = (Again)vars[3];
        ctx.save_for_backward([(Tensor)vars[0], (Tensor)vars[1]]);
        ctx.save_data(Block, again);

        // What TorchSharp would make zeros of belongs to the scope of Run, and is gone by then.
        ctx.set_materialize_grads(false);
        return again.TakeResult();
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var again = (Again)ctx.get_data(Block);
        return again.Errors.Keep(ValueCount, () => RunAgain(ctx, again, grad_output));
    }

    private static List<Tensor> RunAgain(autograd.AutogradContext ctx, Again again, Tensor gradient)
    {
        if (gradient.IsInvalid)
        {
            return [null!, null!, null!, null!];
        }

        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var after = TorchGenerator.GetState();
        var (opened, isAgain) = (s_opened, s_isAgain);
        (s_opened, s_isAgain) = (null, true);
        try
        {
            again.Opened.BlockCount++;
            TorchGenerator.SetState(again.Generator);
            using var gradients = enable_grad();
            var (x, shared) = (new CaughtGradient(), new CaughtGradient());
            var result = again.Block(x.Of(saved[0], again.HasGradient), again.SharedHasGradient is { } hasGradient ? shared.Of(saved[1], hasGradient) : null);
            result.backward([gradient]);

            // TorchSharp made this handle for us, and a step's scope would hold it to its end.
            gradient.Dispose();
            return again.Opened.Hand(x.Value, shared.Value);
        }
        finally
        {
            (s_opened, s_isAgain) = (opened, isAgain);
            TorchGenerator.SetState(after);
        }
    }

    /// <summary>What a block needs to run a second time.</summary>
    /// <param name="Opened">For how long blocks run again.</param>
    /// <param name="Block">The block.</param>
    /// <param name="Generator">State of libtorch's generator before it ran first.</param>
    /// <param name="HasGradient">Whether its input has a gradient.</param>
    /// <param name="SharedHasGradient">Whether the other tensor has one; null where there is none.</param>
    private sealed record Again(Recomputing Opened, Func<Tensor, Tensor?, Tensor> Block, byte[] Generator, bool HasGradient, bool? SharedHasGradient)
    {
        public BackwardErrors Errors { get; } = BackwardErrors.Current;

        public Tensor? Result { private get; set; }

        /// <summary>Runs it with gradients, so that libtorch chooses the same kernels as without this function; the graph goes with the result.</summary>
        public Tensor RunFirst(Tensor x, Tensor? shared)
        {
            var opened = s_opened;
            s_opened = null;
            try
            {
                using var scope = NewDisposeScope();
                var own = new CaughtGradient();
                return Block(own.Of(x, HasGradient), SharedHasGradient is { } hasGradient ? own.Of(shared!, hasGradient) : null).MoveToOuterDisposeScope();
            }
            finally
            {
                s_opened = opened;
            }
        }

        /// <summary>The result of the first time, which is not kept.</summary>
        public Tensor TakeResult()
        {
            var result = Result!;
            Result = null;
            return result;
        }
    }
}

/// <summary>Blocks run again in the backward pass of what is computed until this is disposed, on the thread that opened it.</summary>
internal sealed class Recomputing(Action close) : IDisposable
{
    private Tensor?[] _handed = [];

    /// <summary>How many blocks have run again.</summary>
    public int BlockCount { get; set; }

    /// <summary>Hands gradients to libtorch, which holds them itself once it has them: those of the block before are let go.</summary>
    /// <param name="gradients">In the caller's scope.</param>
    /// <returns>What a function of two tensors and two other values returns.</returns>
    public List<Tensor> Hand(params Tensor?[] gradients)
    {
        foreach (var before in _handed)
        {
            before?.Dispose();
        }

        _handed = [.. gradients.Select(g => g?.MoveToOuterDisposeScope())];
        return [_handed[0]!, _handed[1]!, null!, null!];
    }

    public void Dispose() => close();
}

/// <summary>Takes the gradient of a tensor as libtorch's backward pass has it, where <c>Tensor.grad</c> would bring it into the tensor's own memory layout.</summary>
internal sealed class CaughtGradient : autograd.SingleTensorFunction<CaughtGradient>
{
    private const string Owner = nameof(Owner);

    /// <summary>The gradient, in the scope of the backward pass; null before it and where there is none.</summary>
    public Tensor? Value { get; private set; }

    /// <inheritdoc/>
    public override string Name => nameof(CaughtGradient);

    /// <summary>The same numbers, cut off from the graph that made them.</summary>
    /// <param name="x">A tensor.</param>
    /// <param name="hasGradient">Whether its gradient is asked for.</param>
    /// <remarks>Not a leaf, of which autocast would keep a copy as it does of weights.</remarks>
    public Tensor Of(Tensor x, bool hasGradient) => hasGradient ? apply(x.detach().requires_grad_(), this) : x.detach();

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ctx.save_data(Owner, vars[1]);
        ctx.set_materialize_grads(false);
        return ((Tensor)vars[0]).alias();
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        ((CaughtGradient)ctx.get_data(Owner)).Value = grad_output.IsInvalid ? null : grad_output;
        return [null!, null!];
    }
}
