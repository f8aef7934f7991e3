using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

// Shapes: H heads, N tokens (the class token and the patches), R relative positions.

/// <summary>A learned bias of attention for each pair of positions, by how far they lie apart.</summary>
/// <remarks>Source: transformers <c>BeitRelativePositionBias</c>. Parity: 1e-5.</remarks>
internal sealed class RelativePositionBias : Layer
{
    // Class token to patch, patch to class token, class token to itself.
    private const int TokenPositions = 3;

    private readonly ParameterSlot _table;
    private readonly (int Rows, int Columns) _grid;

    /// <param name="grid">Patches from top to bottom and from left to right that the table is for.</param>
    /// <param name="heads">Heads H of the attention.</param>
    /// <param name="owner">The module that has the table among its own parameters; null for a name of the bias's own.</param>
    public RelativePositionBias((int Rows, int Columns) grid, int heads, nn.Module? owner = null)
        : base(nameof(RelativePositionBias))
    {
        _grid = grid;
        _table = ModuleTree.AddParameter(owner ?? this, "relative_position_bias_table", (2 * grid.Rows - 1) * (2 * grid.Columns - 1) + TokenPositions, heads);
    }

    /// <summary>The bias for a grid of patches.</summary>
    /// <param name="rows">Patches from top to bottom.</param>
    /// <param name="columns">Patches from left to right.</param>
    /// <returns>Float [1, H, N, N]; the caller owns it.</returns>
    public Tensor For(long rows, long columns)
    {
        using var scope = NewDisposeScope();
        var table = Table(rows, columns);                                                       // [R, H]
        var tokens = rows * columns + 1;
        var index = TensorShapes.Constant(Index(rows, columns), table.device);                  // [N N]
        return table.Gather(0, index).Reshape(tokens, tokens, -1)
            .Permute(2, 0, 1).Unsqueeze(0).Contiguous().MoveToOuterDisposeScope();              // [1, H, N, N]
    }

    public override void ResetParameters() => WeightInitialization.Fill(_table.Value, 0);

    private Tensor Table(long rows, long columns)
    {
        var own = _table.Value;                                                                 // [R, H]
        var (oldHeight, oldWidth) = (2 * _grid.Rows - 1, 2 * _grid.Columns - 1);
        var (height, width) = (2 * rows - 1, 2 * columns - 1);
        var patches = own.Narrow(0, 0, own.shape[0] - TokenPositions);

        // The reference views the table as width by height; for a square grid that is the same.
        var plane = patches.Reshape(1, oldWidth, oldHeight, -1).Permute(0, 3, 1, 2);               // [1, H, w, h]
        if ((oldWidth, oldHeight) != (height, width))
        {
            plane = plane.Resize((height, width), InterpolationMode.Bilinear);
        }

        var stretched = plane.Permute(0, 2, 3, 1).Reshape(height * width, -1);                  // [R - 3, H]
        return TensorShapes.Concat([stretched, own.Narrow(0, own.shape[0] - TokenPositions, TokenPositions)], 0);
    }

    /// <summary>For each pair of tokens its row in the table.</summary>
    private static long[] Index(long rows, long columns)
    {
        var patches = rows * columns;
        var tokens = patches + 1;
        var last = (2 * rows - 1) * (2 * columns - 1) + TokenPositions;
        var index = new long[tokens * tokens];
        for (var from = 0L; from < patches; from++)
        {
            for (var to = 0L; to < patches; to++)
            {
                var down = from / columns - to / columns + rows - 1;
                var right = from % columns - to % columns + columns - 1;
                index[(from + 1) * tokens + to + 1] = down * (2 * columns - 1) + right;
            }

            index[from + 1] = last - 3;
            index[(from + 1) * tokens] = last - 2;
        }

        index[0] = last - 1;
        return index;
    }
}
