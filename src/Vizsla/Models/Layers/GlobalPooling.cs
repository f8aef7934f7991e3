using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Pools each channel of a plane to one value.</summary>
internal static class GlobalPooling
{
    private static readonly long[] _plane = [2, 3];

    /// <summary>Float [B, C, H, W] to its mean, float [B, C].</summary>
    public static Tensor Mean(Tensor plane) => plane.Mean(_plane);

    /// <summary>Float [B, C, H, W] to its largest value, float [B, C].</summary>
    public static Tensor Max(Tensor plane) => plane.Max(_plane);
}
