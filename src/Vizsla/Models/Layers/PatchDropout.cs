using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

// Shapes: B batch, P leading tokens, N tokens, K patches kept, D width.

/// <summary>Leaves patches out in training, other ones of each picture, so that the blocks have fewer tokens to work on.</summary>
/// <remarks>
/// Source: timm <c>PatchDropout</c>, "PatchDropout: Economizing Vision Transformers Using Patch Dropout"; drawn from torch's global generator, the patches kept in the order of their draw.
/// Parity: exact.
/// </remarks>
internal static class PatchDropout
{
    /// <param name="x">Tokens with their positions, float [B, N, D].</param>
    /// <param name="leading">Leading tokens P that always stay.</param>
    /// <param name="rate">Share of the patches left out, at least 0 and below 1; at least one patch stays.</param>
    /// <param name="isTraining">Outside training nothing is left out.</param>
    /// <param name="noise">Gives the numbers that decide, as <see cref="ClassificationNetwork.PatchNoise"/>.</param>
    /// <returns>The tokens themselves where nothing is left out, else float [B, P + K, D] in the caller's scope.</returns>
    public static Tensor Apply(Tensor x, int leading, double rate, bool isTraining, Func<long, long, Tensor>? noise = null)
    {
        if (rate == 0 || !isTraining)
        {
            return x;
        }

        using var scope = NewDisposeScope();
        return Keep(x, leading, Draw(x, leading, rate, noise)).MoveToOuterDisposeScope();
    }

    /// <summary>Draws the patches that stay of each picture.</summary>
    /// <param name="x">Float [B, N, D].</param>
    /// <param name="leading">Leading tokens P.</param>
    /// <param name="rate">Share of the patches left out.</param>
    /// <param name="noise">Gives the numbers that decide; null draws them from torch's global generator.</param>
    /// <returns>Their places among the patches, int64 [B, K], in the caller's scope.</returns>
    public static Tensor Draw(Tensor x, int leading, double rate, Func<long, long, Tensor>? noise = null)
    {
        using var scope = NewDisposeScope();
        var count = x.shape[1] - leading;
        var kept = Math.Max(1, (long)(count * (1 - rate)));
        var numbers = noise?.Invoke(x.shape[0], count) ?? randn(x.shape[0], count, device: x.device);   // [B, N - P]
        return numbers.argsort(-1).narrow(1, 0, kept).MoveToOuterDisposeScope();
    }

    /// <summary>The leading tokens and the patches of these places.</summary>
    /// <param name="x">Float [B, N, D].</param>
    /// <param name="leading">Leading tokens P.</param>
    /// <param name="places">What <see cref="Draw"/> gave.</param>
    /// <returns>Float [B, P + K, D] in the caller's scope.</returns>
    public static Tensor Keep(Tensor x, int leading, Tensor places)
    {
        using var scope = NewDisposeScope();
        var patches = x.narrow(1, leading, x.shape[1] - leading)
            .gather(1, places.unsqueeze(-1).expand(-1, -1, x.shape[2]));                        // [B, K, D]
        return cat([x.narrow(1, 0, leading), patches], 1).MoveToOuterDisposeScope();            // [B, P + K, D]
    }
}
