using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>Calls any operator that libtorch registers by its name, also those that TorchSharp has no method for.</summary>
/// <remarks>
/// Autograd and autocast apply as to any other call. Arguments must be given in the order of the schema and all of them, defaults included;
/// operators with a <c>Scalar</c> among them cannot be called this way.
/// <code>Dispatcher.Call("aten::_foreach_mul_", "Tensor", OperatorArgument.List(gradients), factor);</code>
/// Check <see cref="IsAvailable"/> first: another libtorch may lack the functions.
/// </remarks>
internal static class Dispatcher
{
    /// <summary>Whether operators can be called by name in this process.</summary>
    public static bool IsAvailable => StableAbi.IsAvailable;

    /// <summary>Calls an operator that returns nothing.</summary>
    /// <param name="name">Name with namespace.</param>
    /// <param name="overload">Overload; empty for the one without name.</param>
    /// <param name="arguments">All arguments of the schema.</param>
    /// <exception cref="InvalidOperationException">libtorch refused the call.</exception>
    public static void Call(string name, string overload, params ReadOnlySpan<OperatorArgument> arguments)
    {
        Span<ulong> stack = stackalloc ulong[arguments.Length];
        Fill(stack, arguments);
        StableAbi.Call(name, overload, stack);
    }

    /// <summary>Calls an operator that returns one tensor.</summary>
    /// <param name="name">Name with namespace.</param>
    /// <param name="overload">Overload; empty for the one without name.</param>
    /// <param name="arguments">All arguments of the schema.</param>
    /// <returns>The result; the caller owns it.</returns>
    /// <exception cref="InvalidOperationException">libtorch refused the call.</exception>
    public static Tensor CallTensor(string name, string overload, params ReadOnlySpan<OperatorArgument> arguments) =>
        CallTensors(name, overload, 1, arguments)[0];

    /// <summary>Calls an operator that returns several tensors.</summary>
    /// <param name="name">Name with namespace.</param>
    /// <param name="overload">Overload; empty for the one without name.</param>
    /// <param name="count">How many the schema returns.</param>
    /// <param name="arguments">All arguments of the schema.</param>
    /// <returns>The results; the caller owns them.</returns>
    /// <exception cref="InvalidOperationException">libtorch refused the call.</exception>
    public static Tensor[] CallTensors(string name, string overload, int count, params ReadOnlySpan<OperatorArgument> arguments)
    {
        Span<ulong> stack = stackalloc ulong[Math.Max(count, arguments.Length)];
        Fill(stack, arguments);
        StableAbi.Call(name, overload, stack);
        var results = new Tensor[count];
        for (var i = 0; i < count; i++)
        {
            results[i] = StableAbi.Take(stack[i]);
        }

        return results;
    }

    /// <summary>Calls an operator that returns one list of tensors.</summary>
    /// <param name="name">Name with namespace.</param>
    /// <param name="overload">Overload; empty for the one without name.</param>
    /// <param name="arguments">All arguments of the schema.</param>
    /// <returns>The tensors of the list; the caller owns them.</returns>
    /// <exception cref="InvalidOperationException">libtorch refused the call.</exception>
    public static Tensor[] CallList(string name, string overload, params ReadOnlySpan<OperatorArgument> arguments)
    {
        Span<ulong> stack = stackalloc ulong[Math.Max(1, arguments.Length)];
        Fill(stack, arguments);
        StableAbi.Call(name, overload, stack);
        return StableAbi.TakeList(stack[0]);
    }

    private static void Fill(Span<ulong> stack, ReadOnlySpan<OperatorArgument> arguments)
    {
        for (var i = 0; i < arguments.Length; i++)
        {
            stack[i] = arguments[i].ToStack();
        }
    }
}
