using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: N patches, H heads, K width of a head.

/// <summary>The rotary positions of one network: by place, by place in the picture (DINOv3), or by learned frequencies of each block and head.</summary>
/// <remarks>Source: timm <c>RotaryEmbeddingCat</c>, <c>RotaryEmbeddingDinoV3</c>, <c>RotaryEmbeddingMixed</c>. Parity: 1e-6.</remarks>
internal sealed class TimmRotary
{
    private static readonly string[] _kinds = ["cat", "dinov3", "mixed"];

    private readonly string _kind;
    private readonly int _width;
    private readonly int _leading;
    private readonly int _depth;
    private readonly double _temperature;
    private readonly bool _isHalved;
    private readonly bool _isColumnFirst;
    private readonly IReadOnlyList<int>? _trainedGrid;
    private readonly TimmFrequencies? _learned;

    /// <param name="owner">The network.</param>
    /// <param name="arguments">What the table gives the class.</param>
    /// <param name="width">Width K of a head.</param>
    /// <param name="heads">Heads H of the attention.</param>
    /// <param name="depth">Blocks of the network.</param>
    /// <param name="leading">Leading tokens, which stay as they are.</param>
    /// <exception cref="ModelLoadException">The kind is not built.</exception>
    public TimmRotary(nn.Module owner, ModelConfiguration arguments, int width, int heads, int depth, int leading)
    {
        (_width, _leading, _depth) = (width, leading, depth);
        _kind = arguments.Text("rope_type", "cat");
        if (!_kinds.Contains(_kind))
        {
            throw new ModelLoadException($"The rope_type '{_kind}' of timm is not supported. Known: {string.Join(", ", _kinds)}.");
        }

        _temperature = arguments.Number("rope_temperature", 10000);
        _isHalved = arguments.Flag("rope_rotate_half", false);
        _isColumnFirst = arguments.Text("rope_grid_indexing", "ij") == "xy";
        _trainedGrid = arguments.Json["ref_feat_shape"] is null ? null : arguments.WholeNumbers("ref_feat_shape");
        _learned = _kind == "mixed" ? ModuleTree.Add(owner, "rope", new TimmFrequencies(depth, heads, width, _temperature)) : null;
    }

    /// <summary>The positions of a grid of patches, one for all blocks, or one for each.</summary>
    /// <param name="rows">Patches from top to bottom.</param>
    /// <param name="columns">Patches from left to right.</param>
    /// <param name="like">Decides device and precision.</param>
    /// <returns>In the caller's scope.</returns>
    public IReadOnlyList<RotaryPositions> For(long rows, long columns, Tensor like)
    {
        var places = Coordinates(rows, columns);
        if (_learned is { } learned)
        {
            long[] shape = [rows * columns, 1, 1];
            var first = TensorShapes.Constant([.. places.Select(p => p.First)], shape, like.device, like.dtype);
            var second = TensorShapes.Constant([.. places.Select(p => p.Second)], shape, like.device, like.dtype);
            return [.. Enumerable.Range(0, _depth).Select(i => RotaryPositions.Of(learned.Angles(i, first, second), _leading))];
        }

        var bands = Bands();
        var angles = new float[places.Length * 2 * bands.Length];
        for (var place = 0; place < places.Length; place++)
        {
            for (var band = 0; band < bands.Length; band++)
            {
                var at = 2 * place * bands.Length + band;
                (angles[at], angles[at + bands.Length]) = (Angle(places[place].First, bands[band]), Angle(places[place].Second, bands[band]));
            }
        }

        return [RotaryPositions.Of(angles, _width, _leading, _isHalved, like)];
    }

    /// <summary>Frequencies, of DINOv3 periods, from fast to slow.</summary>
    private float[] Bands()
    {
        var count = _width / 4;
        return [.. Enumerable.Range(0, count).Select(i => _kind == "dinov3"
            ? MathF.Pow((float)_temperature, 2f * i / (_width / 2))
            : 1f / MathF.Pow((float)_temperature, (float)i / count))];
    }

    private float Angle(float coordinate, float band) => _kind == "dinov3" ? (float)(2 * Math.PI) * coordinate / band : coordinate * band;

    /// <summary>Row and column of each patch, or column and row.</summary>
    private (float First, float Second)[] Coordinates(long rows, long columns)
    {
        var (down, across) = (Line(rows, _trainedGrid?[0]), Line(columns, _trainedGrid?[1]));
        var places = new (float First, float Second)[rows * columns];
        for (var i = 0L; i < places.Length; i++)
        {
            var (row, column) = (down[i / columns], across[i % columns]);
            places[i] = _isColumnFirst ? (column, row) : (row, column);
        }

        return places;
    }

    private float[] Line(long length, int? trained)
    {
        var line = new float[length];
        for (var i = 0; i < length; i++)
        {
            line[i] = _kind == "dinov3" ? 2 * ((i + 0.5f) / length) - 1 : trained is { } reference && _kind == "cat" ? i / (float)length * reference : i;
        }

        return line;
    }
}

/// <summary>Learned frequencies of rotary positions, of each block and head.</summary>
/// <remarks>Source: timm <c>RotaryEmbeddingMixed</c>. Parity: 1e-6.</remarks>
internal sealed class TimmFrequencies : Layer
{
    private readonly ParameterSlot _frequencies;
    private readonly double _temperature;

    /// <param name="depth">Blocks of the network.</param>
    /// <param name="heads">Heads H of the attention.</param>
    /// <param name="width">Width K of a head.</param>
    /// <param name="temperature">How far the slowest is from the fastest.</param>
    public TimmFrequencies(int depth, int heads, int width, double temperature)
        : base(nameof(TimmFrequencies))
    {
        _temperature = temperature;
        _frequencies = AddParameter("freqs", 2, depth, heads, width / 2);
    }

    /// <summary>The angles of one block.</summary>
    /// <param name="block">Its number.</param>
    /// <param name="first">First coordinate of each patch, float [N, 1, 1].</param>
    /// <param name="second">Second coordinate, float [N, 1, 1].</param>
    /// <returns>Float [N, H, K / 2] in the caller's scope.</returns>
    public Tensor Angles(int block, Tensor first, Tensor second)
    {
        var own = _frequencies.Value.Select(1, block);                                          // [2, H, K / 2]
        return first.Times(own.Select(0, 0)).Plus(second.Times(own.Select(0, 1)));
    }

    public override void ResetParameters()
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var shape = _frequencies.Value.shape;                                                   // [2, blocks, H, K / 2]
        var count = shape[3] / 2;
        float[] sizes = [.. Enumerable.Range(0, (int)count).Select(i => (float)(1 / Math.Pow(_temperature, (double)i / count)))];
        var angles = rand(shape[1], shape[2], 1).Times(2 * Math.PI);
        var across = angles.Plus(Math.PI / 2);
        var magnitude = tensor(sizes).Reshape(1, 1, -1);
        _frequencies.Value.Select(0, 0).copy_(cat([magnitude.Times(angles.Cos()), magnitude.Times(across.Cos())], -1));
        _frequencies.Value.Select(0, 1).copy_(cat([magnitude.Times(angles.Sin()), magnitude.Times(across.Sin())], -1));
    }
}
