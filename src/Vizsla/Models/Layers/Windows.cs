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
    /// <param name="padsLast">Whether the plane is moved before it is padded, as timm does; the other way round otherwise.</param>
    /// <returns>Float [B, R S, D]; the caller owns it.</returns>
    public static Tensor Apply(Tensor tokens, (long Rows, long Columns) plane, long side, long shift, Func<Tensor, Tensor?, Tensor> attend, bool padsLast = false)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = (RoundUp(plane.Rows, side), RoundUp(plane.Columns, side));
        var x = tokens.Reshape(tokens.shape[0], plane.Rows, plane.Columns, -1);                 // [B, R, S, D]
        x = padsLast ? Moved(x, -shift) : x;
        x = (rows, columns) == plane ? x : x.Pad([0, 0, 0, columns - plane.Columns, 0, rows - plane.Rows]);
        x = padsLast ? x : Moved(x, -shift);
        var mask = shift > 0
            ? Mask(rows, columns, side, shift, tokens.device).Unsqueeze(1).Tile(tokens.shape[0], 1, 1, 1)
            : null;                                                                             // [B M, 1, W W, W W]
        var joined = Join(attend(Cut(x.Contiguous(), side), mask), side, rows, columns);        // [B, R, S, D]
        joined = padsLast ? joined : Moved(joined, shift);
        joined = (rows, columns) == plane ? joined : joined.Narrow(1, 0, plane.Rows).Narrow(2, 0, plane.Columns);
        joined = padsLast ? Moved(joined, shift) : joined;
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

    private static Tensor Moved(Tensor plane, long shift) => shift == 0 ? plane : plane.Roll(1, shift).Roll(2, shift);

    private static int Region(long position, long length, long side, long shift) =>
        (position >= length - side ? 1 : 0) + (position >= length - shift ? 1 : 0);

    private static long RoundUp(long length, long side) => (length + side - 1) / side * side;
}

/// <summary>Joins each square of four tokens into one of twice the width.</summary>
/// <remarks>Source: transformers <c>SwinPatchMerging</c>, <c>Swinv2PatchMerging</c>, timm <c>PatchMerging</c>. Parity: 1e-5.</remarks>
internal sealed class PatchMerging : Layer
{
    private const double Epsilon = 1e-5;

    private readonly Dense _reduction;
    private readonly LayerNormalization _norm;
    private readonly bool _normsAfter;

    /// <param name="width">Width D of the tokens.</param>
    /// <param name="normsAfter">Whether the norm comes after the linear layer.</param>
    /// <param name="namesNormFirst">Whether the file has the norm before the linear layer.</param>
    public PatchMerging(int width, bool normsAfter = false, bool namesNormFirst = false)
        : base(nameof(PatchMerging))
    {
        _normsAfter = normsAfter;
        _norm = new LayerNormalization(normsAfter ? 2 * width : 4 * width, Epsilon);
        _reduction = new Dense(4 * width, 2 * width, hasBias: false);
        Add(namesNormFirst ? "norm" : "reduction", namesNormFirst ? _norm : (Layer)_reduction);
        Add(namesNormFirst ? "reduction" : "norm", namesNormFirst ? _reduction : (Layer)_norm);
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

/// <summary>The bias that a small perceptron computes from how far two places of a window lie apart.</summary>
/// <remarks>Source: transformers <c>Swinv2SelfAttention</c>, timm <c>swin_transformer_v2.WindowAttention</c>. Parity: 1e-5.</remarks>
internal sealed class WindowDistances
{
    private const int CoordinateWidth = 512;
    private const double CoordinateRange = 8;
    private const double BiasRange = 16;

    private readonly Dense _coordinates;
    private readonly Dense _bias;
    private readonly int _side;
    private readonly int _trainedSide;

    /// <param name="owner">The attention below which the perceptron hangs.</param>
    /// <param name="name">Name of the perceptron in the file.</param>
    /// <param name="heads">Heads H of the attention.</param>
    /// <param name="side">Side W of the windows.</param>
    /// <param name="trainedSide">Side of the windows that the perceptron was trained with; 0 for the same.</param>
    public WindowDistances(nn.Module owner, string name, int heads, int side, int trainedSide)
    {
        (_side, _trainedSide) = (side, trainedSide);
        _coordinates = ModuleTree.Add(owner, name + ".0", new Dense(2, CoordinateWidth));
        _bias = ModuleTree.Add(owner, name + ".2", new Dense(CoordinateWidth, heads, hasBias: false));
    }

    /// <summary>The bias of each pair of places, float [1, H, W W, W W], in the caller's scope.</summary>
    public Tensor Bias()
    {
        var device = _bias.Weight.device;
        var span = 2 * _side - 1;
        var apart = TensorShapes.Constant(Coordinates(), [span * span, 2], device, _bias.Weight.dtype);             // [(2 W - 1)^2, 2]
        var table = _bias.Forward(_coordinates.Forward(apart).Relu());                          // [(2 W - 1)^2, H]
        var pairs = table.Gather(0, TensorShapes.Constant(Windows.PairIndex(_side), device));   // [W W W W, H]
        return pairs.Reshape(_side * _side, _side * _side, -1).Permute(2, 0, 1).Sigmoid().Times(BiasRange).Unsqueeze(0);
    }

    /// <summary>How far two places lie apart, down and to the right, on a logarithmic scale that the window of the training decides.</summary>
    private float[] Coordinates()
    {
        var span = 2 * _side - 1;
        var largest = Math.Max((_trainedSide > 0 ? _trainedSide : _side) - 1, 1);
        var values = new float[2 * span * span];
        for (var i = 0; i < span * span; i++)
        {
            values[2 * i] = Logarithmic(i / span - (_side - 1), largest);
            values[2 * i + 1] = Logarithmic(i % span - (_side - 1), largest);
        }

        return values;
    }

    private static float Logarithmic(int distance, int largest)
    {
        var scaled = (float)(distance / (double)largest * CoordinateRange);
        return (float)(Math.Sign(scaled) * Math.Log2(Math.Abs(scaled) + 1) / Math.Log2(CoordinateRange));
    }
}
