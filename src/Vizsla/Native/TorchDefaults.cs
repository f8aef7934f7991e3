using System.Runtime.InteropServices;

namespace Vizsla.Native;

/// <summary>What libtorch is told once it is loaded, before the first network computes.</summary>
internal static unsafe class TorchDefaults
{
    /// <summary>Threads that the process has cores for, and no NNPACK.</summary>
    public static void Apply()
    {
        TorchThreads.Fit();
        DisableNnpack();
    }

    /// <summary>Switches NNPACK off on x64, where oneDNN computes every convolution that it could.</summary>
    /// <remarks>
    /// libtorch would ask for it all the same, and say on standard error at each convolution that the hardware is not supported.
    /// Source: <c>torch.backends.nnpack.set_flags(False)</c>.
    /// </remarks>
    private static void DisableNnpack()
    {
        var context = (delegate* unmanaged<void*>)LibTorch.FindChecked("_ZN2at13globalContextEv", "?globalContext@at@@YAAEAVContext@1@XZ");
        var enable = (delegate* unmanaged<void*, byte, void>)LibTorch.FindChecked(
            "_ZN2at7Context20setUserEnabledNNPACKEb", "?setUserEnabledNNPACK@Context@at@@QEAAX_N@Z");
        if (RuntimeInformation.ProcessArchitecture == Architecture.X64 && context is not null && enable is not null)
        {
            enable(context(), 0);
        }
    }
}
