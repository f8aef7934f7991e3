using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>What went wrong in our own steps of a backward pass, kept until libtorch is done with it.</summary>
/// <remarks>An exception that goes up through libtorch's frames ends the process or has it wait for ever, so our steps keep it here and hand on no gradients.</remarks>
internal sealed class BackwardErrors
{
    [ThreadStatic]
    private static BackwardErrors? s_current;

    private ExceptionDispatchInfo? _first;

    /// <summary>The errors of the passes that this thread starts; a step notes them in the forward pass, since libtorch may run it on another thread.</summary>
    public static BackwardErrors Current => s_current ??= new();

    /// <summary>Adds the gradients of a tensor to its leaves, as <c>Tensor.backward</c> does.</summary>
    /// <param name="loss">A scalar with a graph that this thread made.</param>
    /// <remarks>After an exception gradients are incomplete.</remarks>
    /// <exception cref="Exception">The first that one of our steps threw, as it was thrown.</exception>
    public static void Backward(Tensor loss)
    {
        var errors = Current;
        errors._first = null;
        try
        {
            loss.backward();
        }
        finally
        {
            // Where libtorch complains too, it is of what the first one left behind.
            var first = errors._first;
            errors._first = null;
            first?.Throw();
        }
    }

    /// <summary>Runs a step of the backward pass.</summary>
    /// <param name="count">How many tensors and other values the forward pass took.</param>
    /// <param name="step">Makes their gradients; left out once something went wrong.</param>
    /// <returns>The gradients; none of them where something went wrong.</returns>
    public List<Tensor> Keep(int count, Func<List<Tensor>> step)
    {
        if (_first is null)
        {
            try
            {
                var gradients = step();
                if (_first is null)
                {
                    return gradients;
                }
            }
#pragma warning disable CA1031 // Whatever it is, it must not reach libtorch's frames; it is thrown when they are gone.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _first = ExceptionDispatchInfo.Capture(e);
            }
        }

        return [.. Enumerable.Repeat<Tensor>(null!, count)];
    }
}
