using static TorchSharp.torch;

namespace Vizsla.Training.Optimizers;

/// <summary>The plain mean of the weights at the ends of several epochs.</summary>
/// <param name="weights">What is averaged, by name, on its device.</param>
/// <param name="buffers">Names of those that are no parameters: they are those of the last epoch.</param>
/// <remarks>Source: <c>torch.optim.swa_utils.AveragedModel</c>. Parity: exact.</remarks>
internal sealed class EpochAverage(IReadOnlyList<(string Name, Tensor Value)> weights, IReadOnlySet<string> buffers) : AveragedWeights(weights)
{
    /// <summary>How many epochs are in it; 0 begins anew.</summary>
    public int Count { get; set; }

    public override void Update()
    {
        base.Update();
        Count++;
    }

    protected override void Take(string name, Tensor weight, Tensor average)
    {
        if (Count == 0 || buffers.Contains(name))
        {
            average.copy_(weight);
        }
        else
        {
            using var share = tensor(1f / (Count + 1));
            average.lerp_(weight, share.to(average.device));
        }
    }
}
