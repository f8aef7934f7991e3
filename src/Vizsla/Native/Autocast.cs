using TorchSharp;
using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>A scope in which libtorch runs matrix products, convolutions and attention in a lower precision, on the thread that opened it.</summary>
/// <remarks>
/// <para>
/// The lower-precision copy of each trainable weight is made once and kept until the outermost scope ends or <see cref="ClearCache"/> is called:
/// open one scope around all micro-batches of a step, end it (or clear) before the optimizer changes the weights, and do the backward pass outside or inside, as you like.
/// Copies made without gradients would cut the graph of a later forward pass, so clear between evaluation and training.
/// </para>
/// <para>Source: <c>torch.autocast</c>. Parity: 2e-2, as bfloat16 has 8 bits.</para>
/// </remarks>
internal sealed unsafe class Autocast : IDisposable
{
    private static readonly delegate* unmanaged<sbyte, byte, void> SetEnabled = (delegate* unmanaged<sbyte, byte, void>)LibTorch.FindChecked(
        "_ZN2at8autocast20set_autocast_enabledEN3c1010DeviceTypeEb", "?set_autocast_enabled@autocast@at@@YAXW4DeviceType@c10@@_N@Z");

    private static readonly delegate* unmanaged<sbyte, byte> GetEnabled = (delegate* unmanaged<sbyte, byte>)LibTorch.FindChecked(
        "_ZN2at8autocast19is_autocast_enabledEN3c1010DeviceTypeE", "?is_autocast_enabled@autocast@at@@YA_NW4DeviceType@c10@@@Z");

    private static readonly delegate* unmanaged<sbyte, sbyte, void> SetType = (delegate* unmanaged<sbyte, sbyte, void>)LibTorch.FindChecked(
        "_ZN2at8autocast18set_autocast_dtypeEN3c1010DeviceTypeENS1_10ScalarTypeE", "?set_autocast_dtype@autocast@at@@YAXW4DeviceType@c10@@W4ScalarType@4@@Z");

    private static readonly delegate* unmanaged<sbyte, sbyte> GetScalarType = (delegate* unmanaged<sbyte, sbyte>)LibTorch.FindChecked(
        "_ZN2at8autocast18get_autocast_dtypeEN3c1010DeviceTypeE", "?get_autocast_dtype@autocast@at@@YA?AW4ScalarType@c10@@W4DeviceType@4@@Z");

    private static readonly delegate* unmanaged<void> Clear = (delegate* unmanaged<void>)LibTorch.FindChecked(
        "_ZN2at8autocast11clear_cacheEv", "?clear_cache@autocast@at@@YAXXZ");

    private static readonly delegate* unmanaged<int> Increment = (delegate* unmanaged<int>)LibTorch.FindChecked(
        "_ZN2at8autocast17increment_nestingEv", "?increment_nesting@autocast@at@@YAHXZ");

    private static readonly delegate* unmanaged<int> Decrement = (delegate* unmanaged<int>)LibTorch.FindChecked(
        "_ZN2at8autocast17decrement_nestingEv", "?decrement_nesting@autocast@at@@YAHXZ");

    private readonly sbyte _device;
    private readonly byte _wasEnabled;
    private readonly sbyte _previousType;
    private bool _isOpen = true;

    private Autocast(sbyte device)
    {
        _device = device;
        _wasEnabled = GetEnabled(device);
        _previousType = GetScalarType(device);
        SetEnabled(device, 0);
        Increment();
    }

    private Autocast(sbyte device, ScalarType type)
    {
        _device = device;
        _wasEnabled = GetEnabled(device);
        _previousType = GetScalarType(device);
        SetEnabled(device, 1);
        SetType(device, (sbyte)type);
        Increment();
    }

    /// <summary>Whether the loaded libtorch has the switches and they were checked; without them work is done in the weights' own precision.</summary>
    public static bool IsAvailable { get; } =
        SetEnabled is not null && GetEnabled is not null && SetType is not null && GetScalarType is not null
        && Clear is not null && Increment is not null && Decrement is not null;

    /// <summary>Opens a scope on the calling thread.</summary>
    /// <param name="device">Kind of device whose operators are switched: CPU or CUDA.</param>
    /// <param name="type">The lower precision. Default bfloat16.</param>
    /// <returns>The scope, to be disposed on the same thread.</returns>
    /// <exception cref="InvalidOperationException"><see cref="IsAvailable"/> is false.</exception>
    public static Autocast Open(DeviceType device, ScalarType type = ScalarType.BFloat16) =>
        IsAvailable
            ? new((sbyte)device, type)
            : throw new InvalidOperationException(
                $"Autocast needs libtorch {LibTorch.Checked}, but {LibTorch.Version?.ToString() ?? "an older one"} is loaded; train with bf16 and fp16 off.");

    /// <summary>Has the calling thread compute in the weights' own precision in the midst of a scope; copies of weights made meanwhile are dropped.</summary>
    /// <param name="device">Kind of device whose operators are switched back.</param>
    /// <returns>The exception from the scope, to be disposed on the same thread; null where there is no scope.</returns>
    public static IDisposable? Suspend(DeviceType device) => Current(device) is null ? null : new Suspension(new((sbyte)device));

    /// <summary>The precision that operators of a device are switched to on this thread; null outside any scope.</summary>
    /// <param name="device">Kind of device.</param>
    public static ScalarType? Current(DeviceType device) =>
        IsAvailable && GetEnabled((sbyte)device) != 0 ? (ScalarType)GetScalarType((sbyte)device) : null;

    /// <summary>Drops the kept copies of weights; needed when weights change inside a scope.</summary>
    public static void ClearCache()
    {
        if (IsAvailable)
        {
            Clear();
        }
    }

    /// <summary>Ends the scope; the outermost one drops the kept copies of weights.</summary>
    public void Dispose()
    {
        if (_isOpen)
        {
            _isOpen = false;
            if (Decrement() == 0)
            {
                Clear();
            }

            SetEnabled(_device, _wasEnabled);
            SetType(_device, _previousType);
        }
    }

    private sealed class Suspension(Autocast inner) : IDisposable
    {
        public void Dispose()
        {
            // Copies made without gradients would cut the graph of the scope's next forward pass.
            ClearCache();
            inner.Dispose();
        }
    }
}
