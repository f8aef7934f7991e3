using TorchSharp;
using Vizsla.Loading;
using Vizsla.Native;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Training.Losses;

/// <summary>A custom loss in place of cross entropy; HF: <c>compute_loss_func</c>.</summary>
/// <param name="logits">Scores, float32 [B, L].</param>
/// <param name="labels">Classes, int64 [B], or a distribution over the classes, float [B, L].</param>
/// <param name="weight">What to divide the sum over the batch by, so that each sample of an optimizer step counts alike: the samples of the whole step; HF: <c>num_items_in_batch</c>.</param>
/// <returns>A float scalar with a gradient; the trainer disposes it.</returns>
public delegate Tensor LossFunction(Tensor logits, Tensor labels, double weight);

/// <summary>The loss of a micro-batch: cross entropy summed over it and divided by what the whole optimizer step weighs, or a function of the caller's.</summary>
/// <remarks>
/// Every sample of a step counts alike (or by its class weight), however the step is cut into micro-batches and for every architecture; transformers does so for ViT alone.
/// Source: <c>ForSequenceClassificationLoss</c> and <c>LabelSmoother</c> of transformers. Parity: 1e-6.
/// </remarks>
internal sealed class TrainingLoss : IDisposable
{
    private readonly double _smoothing;
    private readonly double[]? _weights;
    private readonly Tensor? _weightTensor;
    private readonly LossFunction? _function;

    /// <param name="smoothing">Share of the target spread over all classes.</param>
    /// <param name="classWeights">Weight of each class; null weighs all alike.</param>
    /// <param name="device">Where logits are.</param>
    /// <param name="function">The caller's own loss; null is cross entropy.</param>
    public TrainingLoss(double smoothing, IReadOnlyList<double>? classWeights, Device device, LossFunction? function = null)
    {
        _function = function;
        _smoothing = smoothing;
        _weights = classWeights?.ToArray();
        _weightTensor = _weights is null ? null : tensor(_weights, dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
    }

    /// <summary>What samples weigh together: their number, or the sum of their class weights; those without a label weigh nothing.</summary>
    /// <param name="labels">Their classes.</param>
    public double WeightOf(IEnumerable<long> labels) =>
        labels.Where(label => label != ImageBatch.NoLabel).Sum(label => _weights is null ? 1 : _weights[label]);

    /// <summary>The share of a micro-batch in the loss of its step.</summary>
    /// <param name="logits">Float [B, L].</param>
    /// <param name="labels">int64 [B] or float [B, L].</param>
    /// <param name="weight">What the step weighs.</param>
    /// <returns>A float scalar; the caller owns it.</returns>
    public Tensor Compute(Tensor logits, Tensor labels, double weight)
    {
        if (_function is not null)
        {
            return _function(logits, labels, weight);
        }

        return _weightTensor is not null && _smoothing > 0 ? Weighted(logits, labels, _weightTensor, weight) : Plain(logits, labels, weight);
    }

    public void Dispose() => _weightTensor?.Dispose();

    private Tensor Plain(Tensor logits, Tensor labels, double weight)
    {
        using var sum = nn.functional.cross_entropy(
            logits, labels, _weightTensor, ignore_index: ImageBatch.NoLabel, reduction: nn.Reduction.Sum, label_smoothing: _smoothing);
        return sum.Over(weight);
    }

    // torch weighs each class's share of a smoothed target by that class, so that a rare class is pulled up on every picture (pytorch/pytorch#104776).
    // Here the whole smoothed loss of a picture weighs as much as its true class.
    private Tensor Weighted(Tensor logits, Tensor labels, Tensor classWeights, double weight)
    {
        using var scope = NewDisposeScope();
        var logProbabilities = logits.log_softmax(1);                                                   // [B, L]
        var isSoft = labels.dim() == 2;
        var targets = isSoft ? labels : nn.functional.one_hot(labels.clamp_min(Kept(0)), logits.shape[1]);    // [B, L]
        var weighted = targets.to(ScalarType.Float32).mul(classWeights);                                // [B, L]
        var weights = weighted.sum(1);                                                                  // [B]
        var losses = weighted.mul(logProbabilities).sum(1).mul(Kept(1 - _smoothing)).add(weights.mul(logProbabilities.mean([1])), Kept(_smoothing));
        var counted = isSoft ? losses : losses.mul(labels.ne(Kept(ImageBatch.NoLabel)));
        return counted.sum().neg().Over(weight).MoveToOuterDisposeScope();
    }
}
