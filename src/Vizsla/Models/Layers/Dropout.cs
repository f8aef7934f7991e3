using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Sets values to zero in training.</summary>
/// <remarks>Source: <c>torch.nn.Dropout</c>; drawn from torch's global generator.</remarks>
internal static class Dropout
{
    /// <param name="x">Any tensor.</param>
    /// <param name="rate">Share of the values set to zero, 0 to 1.</param>
    /// <param name="isTraining">Outside training nothing changes.</param>
    /// <returns>The tensor itself where nothing changes, else a new one in the caller's scope.</returns>
    public static Tensor Apply(Tensor x, double rate, bool isTraining) =>
        isTraining && rate > 0 ? nn.functional.dropout(x, rate, isTraining) : x;
}
