using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Leaves a branch out for whole pictures of a batch in training.</summary>
/// <remarks>Source: transformers and timm <c>drop_path</c>: one draw per picture, kept ones divided by the share kept. Parity: exact.</remarks>
internal static class StochasticDepth
{
    /// <param name="branch">Float [B, ...].</param>
    /// <param name="rate">Share of the pictures left out, 0 to 1.</param>
    /// <param name="isTraining">Outside training nothing is left out.</param>
    /// <returns>The branch itself where nothing is left out, else a new tensor in the caller's scope.</returns>
    public static Tensor Apply(Tensor branch, double rate, bool isTraining)
    {
        if (rate == 0 || !isTraining)
        {
            return branch;
        }

        using var scope = NewDisposeScope();
        var keep = 1 - rate;
        var shape = Enumerable.Repeat(1L, (int)branch.dim()).ToArray();
        shape[0] = branch.shape[0];
        var kept = rand(shape, dtype: branch.dtype, device: branch.device).Plus(keep).floor_();
        return branch.Over(keep).Times(kept).MoveToOuterDisposeScope();
    }

    /// <summary>Rates that rise evenly from zero to the last one.</summary>
    public static double[] Rising(double last, int count) =>
        [.. Enumerable.Range(0, count).Select(i => last * i / Math.Max(count - 1, 1))];
}
