using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Stretches learned position embeddings to another grid of patches.</summary>
/// <remarks>Source: transformers <c>interpolate_pos_encoding</c>: bicubic with a = -0.75, corners not aligned, no antialiasing. Parity: 1e-5.</remarks>
internal static class PositionEmbeddings
{
    /// <summary>Interpolates the patch positions; the leading ones stay.</summary>
    /// <param name="positions">Float [1, P + S * S, D] of a square grid.</param>
    /// <param name="prefix">Leading tokens P that are no patches.</param>
    /// <param name="height">Patches from top to bottom.</param>
    /// <param name="width">Patches from left to right.</param>
    /// <returns>Float [1, P + height * width, D]; the caller owns it.</returns>
    public static Tensor Interpolate(Tensor positions, int prefix, long height, long width)
    {
        using var scope = NewDisposeScope();
        var side = (long)Math.Sqrt(positions.shape[1] - prefix);
        var leading = positions.narrow(1, 0, prefix);                                           // [1, P, D]
        var grid = positions.narrow(1, prefix, side * side)
            .unflatten(1, side, side).permute(0, 3, 1, 2);                                      // [1, D, S, S]
        var stretched = nn.functional.interpolate(
            grid, [height, width], mode: InterpolationMode.Bicubic, align_corners: false);      // [1, D, h, w]
        return cat([leading, stretched.flatten(2).transpose(1, 2)], 1).MoveToOuterDisposeScope();
    }
}
