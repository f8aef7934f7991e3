using System.Runtime.InteropServices;
using Vizsla.Loading;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Training.Data;

/// <summary>A micro-batch, mixed or not.</summary>
/// <param name="Images">Pictures and classes.</param>
/// <param name="Targets">What MixUp or CutMix made of the classes; null where nothing was mixed.</param>
internal sealed record TrainingBatch(ImageBatch Images, SoftTargets? Targets) : IDisposable
{
    /// <summary>The tensors of the batch on a device; the caller owns them.</summary>
    public ModelInputs Collate(Collator collator, Device device, bool isPinned)
    {
        var inputs = collator.Collate(Images);
        if (Targets is not null)
        {
            var soft = empty(Targets.Count, Targets.ClassCount);
            MemoryMarshal.AsBytes(Targets.Values.AsSpan()).CopyTo(soft.bytes);
            inputs.Labels.Dispose();
            inputs = new ModelInputs(inputs.PixelValues, soft);
        }

        return inputs.To(device, isPinned);
    }

    public void Dispose() => Images.Dispose();
}
