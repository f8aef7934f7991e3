using Vizsla.Models.Layers;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Swin;

// Shapes: B batch, R rows and S columns of tokens, N = R S, D width, H heads, W side of a window, M windows of a picture, I inner width.

/// <summary>One block of a Swin: attention within windows, every second time within windows shifted by half, then a perceptron.</summary>
/// <remarks>Source: transformers <c>SwinLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class SwinLayer : Layer
{
    private readonly LayerNormalization _before;
    private readonly ParameterSlot _table;
    private readonly Dense _query;
    private readonly Dense _key;
    private readonly Dense _value;
    private readonly Dense _mixed;
    private readonly LayerNormalization _after;
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly SwinOptions _options;
    private readonly int _heads;
    private readonly bool _isShifted;
    private readonly double _dropPath;

    public SwinLayer(SwinOptions options, int stage, bool isShifted, double dropPath)
        : base(nameof(SwinLayer))
    {
        _options = options;
        _heads = options.HeadCounts[stage];
        _isShifted = isShifted;
        _dropPath = dropPath;
        _activation = Activation.Named(options.Activation);
        var width = options.StageWidth(stage);
        var span = 2 * options.WindowSize - 1;
        var inner = (int)(options.PerceptronRatio * width);
        _before = Add("layernorm_before", new LayerNormalization(width, options.Epsilon));
        _table = AddParameter("attention.self.relative_position_bias_table", span * span, _heads);
        _query = Add("attention.self.query", new Dense(width, width, options.HasQueryBias));
        _key = Add("attention.self.key", new Dense(width, width, options.HasQueryBias));
        _value = Add("attention.self.value", new Dense(width, width, options.HasQueryBias));
        _mixed = Add("attention.output.dense", new Dense(width, width));
        _after = Add("layernorm_after", new LayerNormalization(width, options.Epsilon));
        _widen = Add("intermediate.dense", new Dense(width, inner));
        _narrow = Add("output.dense", new Dense(inner, width));
    }

    /// <summary>Not used: the block needs the plane's size too.</summary>
    public override Tensor forward(Tensor input) => throw new NotSupportedException();

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="plane">Rows and columns of the tokens.</param>
    /// <param name="trace">Takes the attention of the windows; null keeps none.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, (long Rows, long Columns) plane, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var mixed = InWindows(_before.forward(tokens), plane, trace);                           // [B, N, D]
        var attended = tokens.Plus(StochasticDepth.Apply(mixed, _dropPath, training));              // [B, N, D]
        var inner = _activation(_widen.forward(_after.forward(attended)));                      // [B, N, I]
        var narrowed = Dropout.Apply(_narrow.forward(inner), _options.HiddenDropout, training); // [B, N, D]
        return narrowed.Plus(attended).MoveToOuterDisposeScope();
    }

    /// <summary>Keeps the index of the bias as a buffer, int64 [W W, W W], as files of transformers 4 have it.</summary>
    public void KeepIndex()
    {
        var area = _options.WindowSize * _options.WindowSize;
        if (!_table.Owner.has_buffer(SwinNames.DerivedIndex))
        {
            _table.Owner.register_buffer(SwinNames.DerivedIndex, tensor(Index(), [area, area]));
        }
    }

    public override void ResetParameters() => Drawing.Fill(_table.Value, 0);

    private Tensor InWindows(Tensor tokens, (long Rows, long Columns) plane, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = plane;
        var (side, shift) = Window(rows, columns);
        var (rowsPadded, columnsPadded) = (RoundUp(rows, side), RoundUp(columns, side));
        var x = tokens.view(tokens.shape[0], rows, columns, -1);                                // [B, R, S, D]
        x = nn.functional.pad(x, [0, 0, 0, columnsPadded - columns, 0, rowsPadded - rows]);
        x = shift > 0 ? x.roll([-shift, -shift], [1, 2]) : x;
        var windows = Windows.Cut(x.contiguous(), side);                                        // [B M, W W, D]
        var bias = Bias();                                                                      // [1, H, W W, W W]
        if (shift > 0)
        {
            var mask = Windows.Mask(rowsPadded, columnsPadded, side, shift, tokens.device);     // [M, W W, W W]
            bias = bias.Plus(mask.unsqueeze(1).repeat(tokens.shape[0], 1, 1, 1));                   // [B M, H, W W, W W]
        }

        var mixed = Attention.Mix(
            _query.forward(windows), _key.forward(windows), _value.forward(windows), _heads, bias,
            training ? _options.AttentionDropout : 0, trace);                                   // [B M, W W, D]
        var projected = Dropout.Apply(_mixed.forward(mixed), _options.HiddenDropout, training);
        var joined = Windows.Join(projected, side, rowsPadded, columnsPadded);                  // [B, R, S, D]
        joined = shift > 0 ? joined.roll([shift, shift], [1, 2]) : joined;
        return joined.narrow(1, 0, rows).narrow(2, 0, columns).reshape(tokens.shape).MoveToOuterDisposeScope();
    }

    /// <summary>A plane no larger than one window is one window, unshifted.</summary>
    private (long Side, long Shift) Window(long rows, long columns)
    {
        var side = _options.WindowSize;
        var smallest = Math.Min(rows, columns);
        if (smallest < side)
        {
            throw new ArgumentException(
                $"A plane of {rows}x{columns} patches is smaller than the window of {side}; use a larger picture or a smaller window_size.", nameof(rows));
        }

        return smallest == side ? (side, 0) : (side, _isShifted ? side / 2 : 0);
    }

    /// <summary>The learned bias of each pair of places in a window, float [1, H, W W, W W].</summary>
    private Tensor Bias()
    {
        using var scope = NewDisposeScope();
        var area = _options.WindowSize * _options.WindowSize;
        return _table.Value.index_select(0, tensor(Index(), device: _table.Value.device)).view(area, area, -1)
            .permute(2, 0, 1).contiguous().unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>For each pair of places in a window its row in the table.</summary>
    private long[] Index()
    {
        var side = _options.WindowSize;
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

    private static long RoundUp(long length, long side) => (length + side - 1) / side * side;
}
