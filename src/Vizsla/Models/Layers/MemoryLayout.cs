using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>The order in which a batch of planes lies in memory.</summary>
internal static class MemoryLayout
{
    // at::MemoryFormat::ChannelsLast.
    private const long ChannelsLastFormat = 2;

    /// <summary>The same values with the channels of each place side by side, as convolution kernels prefer them.</summary>
    /// <param name="planes">Float [B, C, H, W].</param>
    /// <returns>The same shape and values; the caller owns it.</returns>
    public static Tensor ChannelsLast(Tensor planes)
    {
        if (Dispatcher.IsAvailable)
        {
            return Dispatcher.CallTensor("aten::contiguous", "", planes, ChannelsLastFormat);
        }

        using var scope = NewDisposeScope();
        return planes.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }
}
