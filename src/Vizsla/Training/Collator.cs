using Vizsla.Loading;

namespace Vizsla.Training;

/// <summary>Turns a batch of pictures into the tensors of a forward pass; an extension point.</summary>
/// <remarks>Source: the <c>data_collator</c> of transformers' <c>Trainer</c>.</remarks>
public abstract class Collator
{
    /// <summary>The collator of the tutorial: pixels stacked, labels beside them.</summary>
    public static Collator Default { get; } = new StackingCollator();

    /// <summary>Makes the inputs of a batch.</summary>
    /// <param name="batch">The batch; not to be disposed, its arrays are reused after the step.</param>
    /// <returns>Inputs on the CPU that the caller owns.</returns>
    public abstract ModelInputs Collate(ImageBatch batch);

    private sealed class StackingCollator : Collator
    {
        public override ModelInputs Collate(ImageBatch batch) => ModelInputs.Of(batch);
    }
}
