using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Swin;

// Shapes: B batch, R rows, S columns, D width, W side of a window, M windows of a picture.

/// <summary>Cuts a plane of tokens into windows and puts it together again.</summary>
/// <remarks>Source: transformers <c>window_partition</c>, <c>window_reverse</c>, <c>get_attn_mask</c>. Parity: exact.</remarks>
internal static class Windows
{
    private const float Forbidden = -100;

    /// <summary>Float [B, R, S, D] to [B M, W W, D]; the sides are multiples of the window.</summary>
    public static Tensor Cut(Tensor plane, long side)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = (plane.shape[1], plane.shape[2]);
        return plane.view(plane.shape[0], rows / side, side, columns / side, side, plane.shape[3])
            .transpose(2, 3).reshape(-1, side * side, plane.shape[3]).MoveToOuterDisposeScope();
    }

    /// <summary>Float [B M, W W, D] back to [B, R, S, D].</summary>
    public static Tensor Join(Tensor windows, long side, long rows, long columns)
    {
        using var scope = NewDisposeScope();
        return windows.view(-1, rows / side, columns / side, side, side, windows.shape[2])
            .transpose(2, 3).reshape(-1, rows, columns, windows.shape[2]).MoveToOuterDisposeScope();
    }

    /// <summary>What tokens of a shifted plane may not see: those that were not neighbors before the shift; float [M, W W, W W].</summary>
    public static Tensor Mask(long rows, long columns, long side, long shift, Device device)
    {
        using var scope = NewDisposeScope();
        var regions = new float[rows * columns];
        for (var i = 0L; i < regions.Length; i++)
        {
            regions[i] = Region(i / columns, rows, side, shift) * 3 + Region(i % columns, columns, side, shift);
        }

        var windows = Cut(tensor(regions, device: device).view(1, rows, columns, 1), side).squeeze(2);  // [M, W W]
        var apart = windows.unsqueeze(1).ne(windows.unsqueeze(2));                                      // [M, W W, W W]
        return apart.to_type(ScalarType.Float32).Times(Forbidden).MoveToOuterDisposeScope();
    }

    private static int Region(long position, long length, long side, long shift) =>
        (position >= length - side ? 1 : 0) + (position >= length - shift ? 1 : 0);
}
