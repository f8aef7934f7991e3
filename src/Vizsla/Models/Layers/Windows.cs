using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

// Shapes: B batch, R rows, S columns, D width, H heads, W side of a window, M windows of a picture.

/// <summary>Cuts a plane of tokens into windows, shifted or not, and puts it together again.</summary>
/// <remarks>Source: transformers <c>window_partition</c>, <c>window_reverse</c>, <c>get_attn_mask</c>. Parity: exact.</remarks>
internal static class Windows
{
    private const float Forbidden = -100;

    /// <summary>Float [B, R, S, D] to [B M, W W, D]; the sides are multiples of the window.</summary>
    public static Tensor Cut(Tensor plane, long side)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = (plane.shape[1], plane.shape[2]);
        return plane.Reshape(plane.shape[0], rows / side, side, columns / side, side, plane.shape[3])
            .Transpose(2, 3).Reshape(-1, side * side, plane.shape[3]).MoveToOuterDisposeScope();
    }

    /// <summary>Float [B M, W W, D] back to [B, R, S, D].</summary>
    public static Tensor Join(Tensor windows, long side, long rows, long columns)
    {
        using var scope = NewDisposeScope();
        return windows.Reshape(-1, rows / side, columns / side, side, side, windows.shape[2])
            .Transpose(2, 3).Reshape(-1, rows, columns, windows.shape[2]).MoveToOuterDisposeScope();
    }

    /// <summary>Works on tokens window by window: pads the plane to whole windows, moves it by the shift, and takes both back afterwards.</summary>
    /// <param name="tokens">Float [B, R S, D].</param>
    /// <param name="plane">Rows and columns of the tokens.</param>
    /// <param name="side">Side of a window.</param>
    /// <param name="shift">How far the plane is moved up and left; 0 leaves it.</param>
    /// <param name="attend">From the windows, float [B M, W W, D], and what they may not see, float [B M, 1, W W, W W] or null, to float [B M, W W, D].</param>
    /// <returns>Float [B, R S, D]; the caller owns it.</returns>
    public static Tensor Apply(Tensor tokens, (long Rows, long Columns) plane, long side, long shift, Func<Tensor, Tensor?, Tensor> attend)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = (RoundUp(plane.Rows, side), RoundUp(plane.Columns, side));
        var x = tokens.Reshape(tokens.shape[0], plane.Rows, plane.Columns, -1);                 // [B, R, S, D]
        x = (rows, columns) == plane ? x : x.Pad([0, 0, 0, columns - plane.Columns, 0, rows - plane.Rows]);
        x = shift > 0 ? x.Roll(1, -shift).Roll(2, -shift) : x;
        var mask = shift > 0
            ? Mask(rows, columns, side, shift, tokens.device).Unsqueeze(1).Tile(tokens.shape[0], 1, 1, 1)
            : null;                                                                             // [B M, 1, W W, W W]
        var joined = Join(attend(Cut(x.Contiguous(), side), mask), side, rows, columns);        // [B, R, S, D]
        joined = shift > 0 ? joined.Roll(1, shift).Roll(2, shift) : joined;
        joined = (rows, columns) == plane ? joined : joined.Narrow(1, 0, plane.Rows).Narrow(2, 0, plane.Columns);
        return joined.Flatten(1, 2).MoveToOuterDisposeScope();
    }

    /// <summary>For each pair of places in a window its row in a table of relative positions.</summary>
    public static long[] PairIndex(int side)
    {
        var area = side * side;
        var index = new long[area * area];
        for (var i = 0; i < index.Length; i++)
        {
            var (from, to) = (i / area, i % area);
            var down = from / side - to / side + side - 1;
            var right = from % side - to % side + side - 1;
            index[i] = down * (2 * side - 1) + right;
        }

        return index;
    }

    /// <summary>What tokens of a shifted plane may not see: those that were not neighbors before the shift; float [M, W W, W W].</summary>
    private static Tensor Mask(long rows, long columns, long side, long shift, Device device)
    {
        var (across, area) = (columns / side, side * side);
        var mask = new float[rows / side * across * area * area];
        for (var i = 0L; i < mask.Length; i++)
        {
            var (window, from, to) = (i / (area * area), i / area % area, i % area);
            mask[i] = RegionOf(window, from) == RegionOf(window, to) ? 0 : Forbidden;
        }

        return TensorShapes.Constant(mask, [rows / side * across, area, area], device);

        long RegionOf(long window, long place) =>
            Region(window / across * side + place / side, rows, side, shift) * 3 + Region(window % across * side + place % side, columns, side, shift);
    }

    private static int Region(long position, long length, long side, long shift) =>
        (position >= length - side ? 1 : 0) + (position >= length - shift ? 1 : 0);

    private static long RoundUp(long length, long side) => (length + side - 1) / side * side;
}

/// <summary>Joins each square of four tokens into one of twice the width.</summary>
/// <remarks>Source: transformers <c>SwinPatchMerging</c>, <c>Swinv2PatchMerging</c>. Parity: 1e-5.</remarks>
internal sealed class PatchMerging : Layer
{
    private const double Epsilon = 1e-5;

    private readonly Dense _reduction;
    private readonly LayerNormalization _norm;
    private readonly bool _normsAfter;

    /// <param name="width">Width D of the tokens.</param>
    /// <param name="normsAfter">Whether the norm comes after the linear layer.</param>
    public PatchMerging(int width, bool normsAfter = false)
        : base(nameof(PatchMerging))
    {
        _normsAfter = normsAfter;
        _reduction = Add("reduction", new Dense(4 * width, 2 * width, hasBias: false));
        _norm = Add("norm", new LayerNormalization(normsAfter ? 2 * width : 4 * width, Epsilon));
    }

    /// <param name="tokens">Float [B, R S, D].</param>
    /// <param name="plane">Rows and columns of the tokens; an odd one is padded with zeros.</param>
    /// <returns>Float [B, ceil(R / 2) ceil(S / 2), 2 D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, (long Rows, long Columns) plane)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = plane;
        var x = tokens.Reshape(tokens.shape[0], rows, columns, -1);                             // [B, R, S, D]
        x = rows % 2 + columns % 2 > 0 ? x.Pad([0, 0, 0, columns % 2, 0, rows % 2]) : x;
        var quarters = new[] { (0, 0), (1, 0), (0, 1), (1, 1) }.Select(at => x.Every(1, at.Item1, 2).Every(2, at.Item2, 2)).ToList();
        var joined = TensorShapes.Concat(quarters, -1).Flatten(1, 2);                           // [B, R S / 4, 4 D]
        return (_normsAfter ? _norm.Forward(_reduction.Forward(joined)) : _reduction.Forward(_norm.Forward(joined))).MoveToOuterDisposeScope();
    }
}
