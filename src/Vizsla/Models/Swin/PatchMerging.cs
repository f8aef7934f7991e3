using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Swin;

// Shapes: B batch, R rows and S columns of tokens, D width.

/// <summary>Joins each square of four tokens into one of twice the width.</summary>
/// <remarks>Source: transformers <c>SwinPatchMerging</c>. Parity: 1e-5.</remarks>
internal sealed class PatchMerging : Layer
{
    private const double Epsilon = 1e-5;

    private readonly Dense _reduction;
    private readonly LayerNormalization _norm;

    public PatchMerging(int width)
        : base(nameof(PatchMerging))
    {
        _reduction = Add("reduction", new Dense(4 * width, 2 * width, hasBias: false));
        _norm = Add("norm", new LayerNormalization(4 * width, Epsilon));
    }

    /// <summary>Not used: merging needs the plane's size too.</summary>
    public override Tensor forward(Tensor input) => throw new NotSupportedException();

    /// <param name="tokens">Float [B, R S, D].</param>
    /// <param name="plane">Rows and columns of the tokens; an odd one is padded with zeros.</param>
    /// <returns>Float [B, ceil(R / 2) ceil(S / 2), 2 D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, (long Rows, long Columns) plane)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = plane;
        var x = tokens.view(tokens.shape[0], rows, columns, -1);                                // [B, R, S, D]
        x = nn.functional.pad(x, [0, 0, 0, columns % 2, 0, rows % 2]);
        var quarters = new[] { (0, 0), (1, 0), (0, 1), (1, 1) }
            .Select(at => x.slice(1, at.Item1, x.shape[1], 2).slice(2, at.Item2, x.shape[2], 2)).ToList();
        var joined = cat(quarters, -1).flatten(1, 2);                                           // [B, R S / 4, 4 D]
        return _reduction.forward(_norm.forward(joined)).MoveToOuterDisposeScope();
    }
}
