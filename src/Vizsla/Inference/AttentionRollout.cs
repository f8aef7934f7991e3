using Vizsla.Models;
using static TorchSharp.torch;

namespace Vizsla.Inference;

// Shapes: H heads, N tokens.

/// <summary>Follows attention from what the head reads back to the patches.</summary>
/// <remarks>
/// Each layer passes on half of what a token was (the shortcut) and half of what it attends to, its heads in equal parts. The product of these matrices,
/// last layer first, is applied to one row only, so that no matrix is ever multiplied by another.
/// Source: Abnar and Zuidema, "Quantifying Attention Flow in Transformers", section 3. Parity: 1e-6.
/// </remarks>
internal static class AttentionRollout
{
    /// <summary>The share of each patch in what the head reads.</summary>
    /// <param name="attentions">Of each layer, float [1, H, N, N].</param>
    /// <param name="tokens">How the tokens lie.</param>
    /// <returns>Shares, at least 0; with those of the leading tokens they would sum to one.</returns>
    public static HeatMap Compute(IReadOnlyList<Tensor> attentions, TokenMap tokens)
    {
        var shares = tokens.Shares();
        foreach (var attention in attentions.Reverse())
        {
            shares = Back(shares, attention);
        }

        return new HeatMap(tokens.Rows, tokens.Columns, [.. shares.Skip(tokens.LeadingShares.Length).Select(s => (float)s)]);
    }

    private static double[] Back(double[] shares, Tensor attention)
    {
        using var scope = NewDisposeScope();
        var mixed = attention.detach().mean([1]).to(float32).cpu().contiguous();                  // [1, N, N]
        var rows = mixed.data<float>().ToArray();
        var before = Array.ConvertAll(shares, s => s / 2);
        for (var token = 0; token < shares.Length; token++)
        {
            var half = shares[token] / 2;
            var row = rows.AsSpan(token * shares.Length, shares.Length);
            for (var source = 0; source < row.Length; source++)
            {
                before[source] += half * row[source];
            }
        }

        return before;
    }
}
