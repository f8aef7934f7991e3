using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>A step of libtorch's graph whose backward pass is written here.</summary>
/// <remarks>
/// In place of TorchSharp's <c>autograd.Function</c>, which allocates a second output with each step, and keeps what was saved, the gradients it was given and those it
/// returned until the graph or the caller's scope is gone. Here all of that is freed as soon as the step is done.
/// What a backward pass throws comes out of <see cref="BackwardErrors.Backward"/>.
/// Source: <c>torch.autograd.Function</c>.
/// </remarks>
internal abstract unsafe class GradientNode
{
    // Nodes that libtorch holds; it tells when it deletes one.
    private static readonly ConcurrentDictionary<GradientNode, Callbacks> Alive = new(ReferenceEqualityComparer.Instance);

    [ThreadStatic]
    private static IReadOnlyList<Tensor?>? s_returned;

    [ThreadStatic]
    private static IntPtr* s_wrapped;

    private readonly BackwardErrors _errors = BackwardErrors.Current;
    private Tensor[]? _saved;
    private int _inputs;

    private delegate Handles Apply(IntPtr* gradients, int count);

    private delegate void Delete();

    /// <summary>Whether the functions are there.</summary>
    public static bool IsAvailable => Functions.AreFound;

    /// <summary>Makes this the step between inputs and an output.</summary>
    /// <param name="output">What was computed of the inputs without gradients; no view and no input. It is the caller's, and has its gradient from now on.</param>
    /// <param name="inputs">What it was computed of.</param>
    /// <param name="saved">What the backward pass reads; references are kept until it has run.</param>
    /// <returns>The output itself.</returns>
    protected Tensor Attach(Tensor output, ReadOnlySpan<Tensor> inputs, params ReadOnlySpan<Tensor> saved)
    {
        _inputs = inputs.Length;
        _saved = new Tensor[saved.Length];
        for (var i = 0; i < saved.Length; i++)
        {
            _saved[i] = saved[i].detach().DetachFromDisposeScope();
        }

        var callbacks = new Callbacks(this);
        Alive[this] = callbacks;
        var handles = stackalloc IntPtr[inputs.Length + 1];
        for (var i = 0; i < inputs.Length; i++)
        {
            handles[i] = inputs[i].Handle;
        }

        handles[inputs.Length] = output.Handle;
        var node = Functions.NewNode(callbacks.ApplyPointer, callbacks.DeletePointer);
        Functions.SetNextEdges(node, new(handles, inputs.Length), 1);
        Functions.WrapOutputs(new(handles, inputs.Length), default, default, new(handles + inputs.Length, 1), node, &Place);
        Functions.DisposeSharedPointer(node);
        Functions.DisposeWeakPointer(node);
        // The same tensor once more.
        Tensor.UnsafeCreateTensor(s_wrapped[0]).Dispose();
        NativeMemory.Free(s_wrapped);
        s_wrapped = null;
        return output;
    }

    /// <summary>The gradients of the inputs.</summary>
    /// <param name="gradient">That of the output.</param>
    /// <param name="saved">What <see cref="Attach"/> was given; disposed afterwards.</param>
    /// <returns>One for each input, null where it has none; made here, not <paramref name="gradient"/> itself.</returns>
    protected abstract Tensor?[] Backward(Tensor gradient, Tensor[] saved);

    [UnmanagedCallersOnly]
    private static IntPtr* Place(nuint count) => s_wrapped = (IntPtr*)NativeMemory.Alloc(count, (nuint)sizeof(IntPtr));

    private static void DisposeReturned()
    {
        foreach (var tensor in s_returned ?? [])
        {
            tensor?.Dispose();
        }

        s_returned = null;
    }

    private void Release()
    {
        foreach (var tensor in Interlocked.Exchange(ref _saved, null) ?? [])
        {
            tensor.Dispose();
        }
    }

    private Handles Run(IntPtr* gradients, int count, IntPtr* results)
    {
        // libtorch has taken over what this thread returned last.
        DisposeReturned();
        if (gradients[0] == 0)
        {
            // Nothing after this step has a gradient.
            new Span<IntPtr>(results, _inputs).Clear();
            return new(results, _inputs);
        }

        using var scope = NewDisposeScope();
        var given = Tensor.UnsafeCreateTensor(gradients[0]);
        var returned = _errors.Keep(_inputs, () => Backward(given, _saved ?? throw new InvalidOperationException(
            $"The graph was gone back through once; {GetType().Name} keeps nothing for a second time.")).ToList()!);
        for (var i = 0; i < _inputs; i++)
        {
            results[i] = returned[i]?.DetachFromDisposeScope().Handle ?? 0;
        }

        s_returned = returned;
        Release();
        return new(results, _inputs);
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Handles(IntPtr* first, long count)
    {
        private readonly IntPtr* _first = first;
        private readonly long _count = count;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct NodePointers
    {
        private readonly IntPtr _shared;
        private readonly IntPtr _weak;
    }

    /// <summary>What libtorch calls, and the memory that it reads results from.</summary>
    private sealed class Callbacks
    {
        private readonly Apply _apply;
        private readonly Delete _delete;
        private readonly IntPtr* _results;

        public Callbacks(GradientNode node)
        {
            _results = (IntPtr*)NativeMemory.Alloc((nuint)node._inputs, (nuint)sizeof(IntPtr));
            _apply = (gradients, count) => node.Run(gradients, count, _results);
            _delete = () =>
            {
                node.Release();
                DisposeReturned();
                NativeMemory.Free(_results);
                Alive.TryRemove(node, out _);
            };
        }

        public IntPtr ApplyPointer => Marshal.GetFunctionPointerForDelegate(_apply);

        public IntPtr DeletePointer => Marshal.GetFunctionPointerForDelegate(_delete);
    }

    /// <summary>TorchSharp's native functions below its own <c>autograd.Function</c>.</summary>
    private static class Functions
    {
        public static readonly delegate* unmanaged<IntPtr, IntPtr, NodePointers> NewNode =
            (delegate* unmanaged<IntPtr, IntPtr, NodePointers>)LibTorch.FindBinding("THSAutograd_CSharpNode_ctor");

        public static readonly delegate* unmanaged<NodePointers, Handles, byte, void> SetNextEdges =
            (delegate* unmanaged<NodePointers, Handles, byte, void>)LibTorch.FindBinding("THSAutograd_CSharpNode_setNextEdges");

        public static readonly delegate* unmanaged<Handles, Handles, Handles, Handles, NodePointers, delegate* unmanaged<nuint, IntPtr*>, void> WrapOutputs =
            (delegate* unmanaged<Handles, Handles, Handles, Handles, NodePointers, delegate* unmanaged<nuint, IntPtr*>, void>)LibTorch.FindBinding("THSAutograd_Function_wrapOutputs");

        public static readonly delegate* unmanaged<NodePointers, void> DisposeSharedPointer =
            (delegate* unmanaged<NodePointers, void>)LibTorch.FindBinding("THSAutograd_CSharpNode_disposeSharedPtr");

        public static readonly delegate* unmanaged<NodePointers, void> DisposeWeakPointer =
            (delegate* unmanaged<NodePointers, void>)LibTorch.FindBinding("THSAutograd_CSharpNode_disposeWeakPtr");

        public static bool AreFound { get; } =
            NewNode is not null && SetNextEdges is not null && WrapOutputs is not null && DisposeSharedPointer is not null && DisposeWeakPointer is not null;
    }
}
