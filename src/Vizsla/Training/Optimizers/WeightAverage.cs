using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Training.Optimizers;

/// <summary>A moving average of the weights beside those that train.</summary>
/// <param name="weights">What is averaged, by name, on its device; the first average.</param>
/// <param name="decay">Share of the average that stays at each step.</param>
/// <remarks>Buffers such as the statistics of batch norms are averaged too, counters are copied. Source: timm <c>ModelEmaV3</c>.</remarks>
internal sealed class WeightAverage(IReadOnlyList<(string Name, Tensor Value)> weights, double decay) : AveragedWeights(weights)
{
    protected override void Take(string name, Tensor weight, Tensor average)
    {
        if (average.is_floating_point())
        {
            average.mul_(Kept(decay)).add_(weight, Kept(1 - decay));
        }
        else
        {
            average.copy_(weight);
        }
    }
}
