using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Stretches learned position embeddings to another grid of patches.</summary>
/// <remarks>Source: transformers <c>interpolate_pos_encoding</c>: bicubic with a = -0.75, corners not aligned, no antialiasing. Parity: 1e-5.</remarks>
internal static class PositionEmbeddings
{
    /// <summary>The positions for a picture's size, where other sizes than the model's own are refused unless they may be stretched.</summary>
    /// <param name="positions">Float [1, P + S, D].</param>
    /// <param name="prefix">Leading tokens P that are no patches.</param>
    /// <param name="size">Height and width of the picture.</param>
    /// <param name="own">Height and width that the model was made for.</param>
    /// <param name="patch">Height and width of a patch.</param>
    /// <param name="interpolates">Whether other sizes are stretched to.</param>
    /// <returns>Float [1, P + patches of the picture, D]; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The size is another one and may not be stretched to.</exception>
    public static Tensor For(
        Tensor positions, int prefix, (long Height, long Width) size, (int Height, int Width) own, (int Height, int Width) patch, bool interpolates)
    {
        if (!interpolates && size != own)
        {
            throw new ArgumentException($"Input image size ({size.Height}*{size.Width}) doesn't match model ({own.Height}*{own.Width}).", nameof(size));
        }

        return interpolates ? Stretched(positions, prefix, size, patch) : positions.Alias();
    }

    /// <summary>The positions for a picture's size, stretched wherever it is not the model's own.</summary>
    /// <param name="positions">Float [1, P + S, D].</param>
    /// <param name="prefix">Leading tokens P that are no patches.</param>
    /// <param name="size">Height and width of the picture.</param>
    /// <param name="patch">Height and width of a patch.</param>
    /// <param name="antialiases">Whether a smaller grid averages over what it leaves out.</param>
    /// <returns>Float [1, P + patches of the picture, D]; the caller owns it.</returns>
    public static Tensor Stretched(Tensor positions, int prefix, (long Height, long Width) size, (int Height, int Width) patch, bool antialiases = false)
    {
        var (rows, columns) = (size.Height / patch.Height, size.Width / patch.Width);
        return rows * columns == positions.shape[1] - prefix && size.Height == size.Width
            ? positions.Alias()
            : Interpolate(positions, prefix, rows, columns, antialiases);
    }

    /// <summary>Interpolates the patch positions; the leading ones stay.</summary>
    /// <param name="positions">Float [1, P + S * S, D] of a square grid.</param>
    /// <param name="prefix">Leading tokens P that are no patches.</param>
    /// <param name="height">Patches from top to bottom.</param>
    /// <param name="width">Patches from left to right.</param>
    /// <param name="antialiases">Whether a smaller grid averages over what it leaves out.</param>
    /// <returns>Float [1, P + height * width, D]; the caller owns it.</returns>
    private static Tensor Interpolate(Tensor positions, int prefix, long height, long width, bool antialiases)
    {
        using var scope = NewDisposeScope();
        var side = (long)Math.Sqrt(positions.shape[1] - prefix);
        var leading = positions.Narrow(1, 0, prefix);                                           // [1, P, D]
        var grid = positions.Narrow(1, prefix, side * side)
            .Unflatten(1, side, side).Permute(0, 3, 1, 2);                                      // [1, D, S, S]
        var stretched = grid.Resize((height, width), InterpolationMode.Bicubic, antialiases: antialiases);               // [1, D, h, w]
        return TensorShapes.Concat([leading, stretched.Flatten(2).Transpose(1, 2)], 1).MoveToOuterDisposeScope();
    }
}
