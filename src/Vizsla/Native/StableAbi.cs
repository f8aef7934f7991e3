using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>libtorch's C functions for calling operators: 64-bit values, lists of them, and references to tensors.</summary>
/// <remarks>
/// A tensor is a pointer to an <c>at::Tensor</c>, which is what <see cref="Tensor.Handle"/> is. Whatever a stack points to is taken over by the call.
/// Source: <c>torch/csrc/stable/c/shim.h</c>, <c>stableivalue_conversions.h</c>, <c>shim_common.cpp</c> of torch 2.10.
/// </remarks>
internal static unsafe class StableAbi
{
    private static readonly delegate* unmanaged<byte*, byte*, ulong*, ulong, int> Dispatch =
        (delegate* unmanaged<byte*, byte*, ulong*, ulong, int>)LibTorch.Find("torch_call_dispatcher");

    private static readonly delegate* unmanaged<IntPtr, IntPtr*, int> NewTensorHandle =
        (delegate* unmanaged<IntPtr, IntPtr*, int>)LibTorch.Find("aoti_torch_new_tensor_handle");

    private static readonly delegate* unmanaged<nuint, IntPtr*, int> NewListHandle =
        (delegate* unmanaged<nuint, IntPtr*, int>)LibTorch.Find("torch_new_list_reserve_size");

    private static readonly delegate* unmanaged<IntPtr, ulong, int> PushBack =
        (delegate* unmanaged<IntPtr, ulong, int>)LibTorch.Find("torch_list_push_back");

    private static readonly delegate* unmanaged<IntPtr, nuint*, int> ListSize =
        (delegate* unmanaged<IntPtr, nuint*, int>)LibTorch.Find("torch_list_size");

    private static readonly delegate* unmanaged<IntPtr, nuint, ulong*, int> GetItem =
        (delegate* unmanaged<IntPtr, nuint, ulong*, int>)LibTorch.Find("torch_list_get_item");

    private static readonly delegate* unmanaged<IntPtr, int> DeleteList =
        (delegate* unmanaged<IntPtr, int>)LibTorch.Find("torch_delete_list");

    private static readonly delegate* unmanaged<byte*, nuint, IntPtr*, int> NewTextHandle =
        (delegate* unmanaged<byte*, nuint, IntPtr*, int>)LibTorch.Find("torch_new_string_handle");

    /// <summary>Whether the loaded library has every function that is needed here.</summary>
    public static bool IsAvailable { get; } =
        Dispatch is not null && NewTensorHandle is not null && NewListHandle is not null
        && PushBack is not null && ListSize is not null && GetItem is not null && DeleteList is not null && NewTextHandle is not null;

    /// <summary>Calls an operator.</summary>
    /// <param name="name">Its name with namespace: <c>aten::addmm</c>.</param>
    /// <param name="overload">Its overload; empty for the one without name.</param>
    /// <param name="stack">The arguments, then the results; as long as the longer of the two.</param>
    /// <exception cref="InvalidOperationException">libtorch threw; it has written why to standard error.</exception>
    public static void Call(string name, string overload, Span<ulong> stack)
    {
        Span<byte> names = stackalloc byte[Encoding.UTF8.GetMaxByteCount(name.Length + overload.Length) + 2];
        var length = Encoding.UTF8.GetBytes(name, names);
        names[length] = 0;
        var overloadName = names[(length + 1)..];
        overloadName[Encoding.UTF8.GetBytes(overload, overloadName)] = 0;
        fixed (byte* first = names, second = overloadName)
        fixed (ulong* values = stack)
        {
            Check(Dispatch(first, second, values, LibTorch.AbiVersion), overload.Length == 0 ? name : $"{name}.{overload}");
        }
    }

    /// <summary>A further reference to a tensor, for the library to take over.</summary>
    public static ulong NewReference(Tensor tensor)
    {
        IntPtr handle;
        Check(NewTensorHandle(tensor.Handle, &handle), "a reference to a tensor");
        return (ulong)handle;
    }

    /// <summary>A list of further references to tensors, for the library to take over.</summary>
    public static ulong NewList(IReadOnlyList<Tensor> tensors)
    {
        var list = NewList(tensors.Count);
        for (var i = 0; i < tensors.Count; i++)
        {
            Check(PushBack(list, NewReference(tensors[i])), "a list of tensors");
        }

        return (ulong)list;
    }

    /// <summary>A list of integers, for the library to take over.</summary>
    public static ulong NewList(ReadOnlySpan<long> integers)
    {
        var list = NewList(integers.Length);
        foreach (var integer in integers)
        {
            Check(PushBack(list, (ulong)integer), "a list of integers");
        }

        return (ulong)list;
    }

    /// <summary>A text, for the library to take over.</summary>
    public static ulong NewText(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        IntPtr handle;
        fixed (byte* first = bytes)
        {
            Check(NewTextHandle(first, (nuint)bytes.Length, &handle), "a text");
        }

        return (ulong)handle;
    }

    /// <summary>A present optional value: a pointer to it, which the library frees with C++'s delete.</summary>
    public static ulong Boxed(ulong value)
    {
        // NativeMemory is the C runtime's malloc, which is what operator new and delete of that runtime use too.
        var box = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *box = value;
        return (ulong)box;
    }

    /// <summary>Takes a tensor off the stack.</summary>
    /// <returns>The tensor, which the caller owns.</returns>
    public static Tensor Take(ulong value) => Tensor.UnsafeCreateTensor((IntPtr)value);

    /// <summary>Takes a list of tensors off the stack.</summary>
    /// <returns>The tensors, which the caller owns.</returns>
    public static Tensor[] TakeList(ulong value)
    {
        var list = (IntPtr)value;
        nuint size;
        Check(ListSize(list, &size), "a list of results");
        var tensors = new Tensor[size];
        for (nuint i = 0; i < size; i++)
        {
            ulong item;
            Check(GetItem(list, i, &item), "a list of results");
            tensors[i] = Take(item);
        }

        Check(DeleteList(list), "a list of results");
        return tensors;
    }

    private static IntPtr NewList(int capacity)
    {
        IntPtr list;
        Check(NewListHandle((nuint)capacity, &list), "a list");
        return list;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Check(int error, string what)
    {
        if (error != 0)
        {
            throw new InvalidOperationException($"libtorch failed at {what}; see its own message on standard error.");
        }
    }
}
