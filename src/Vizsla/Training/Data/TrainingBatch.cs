using System.Runtime.InteropServices;
using Vizsla.Loading;
using Vizsla.Primitives;
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

/// <summary>The micro-batches of one optimizer step.</summary>
/// <param name="Rows">Rows of this process's pictures, in order.</param>
/// <param name="AllRows">Rows of the pictures of all processes.</param>
/// <param name="BatchCount">Number of this process's micro-batches; 0 where the others have the last pictures of an epoch.</param>
/// <param name="LastBatch">Batches of the epoch that are done after this step.</param>
/// <param name="Batches">The micro-batches, valid until the next one is asked for; to be read once, unless the step may be repeated.</param>
internal sealed record StepBatches(int[] Rows, int[] AllRows, int BatchCount, int LastBatch, IEnumerable<TrainingBatch> Batches);

/// <summary>Mixes the pictures of a batch and their labels.</summary>
/// <remarks>Without a stream of its own each batch draws from a generator keyed by (seed, epoch, batch), as pictures do by row.</remarks>
internal sealed class BatchMixer
{
    // Keeps the generators of batches apart from those of rows.
    private const ulong BatchStream = 0x4D6978;

    private readonly BatchTransform _transform;
    private readonly ulong _seed;
    private readonly int _classCount;

    private BatchMixer(BatchTransform transform, ulong seed, int classCount) => (_transform, _seed, _classCount) = (transform, seed, classCount);

    /// <summary>The mixer that the arguments ask for; null where they ask for none.</summary>
    public static BatchMixer? For(TrainingArguments arguments, int classCount)
    {
        BatchTransform? mixUp = arguments.MixupAlpha > 0 ? new MixUp(arguments.MixupAlpha) : null;
        BatchTransform? cutMix = arguments.CutmixAlpha > 0 ? new CutMix(arguments.CutmixAlpha) : null;
        var transform = mixUp is not null && cutMix is not null ? new RandomBatchChoice([mixUp, cutMix]) : mixUp ?? cutMix;
        return transform is null ? null : new(transform, (ulong)(arguments.DataSeed ?? arguments.Seed) ^ BatchStream, classCount);
    }

    /// <summary>Mixes a batch in place.</summary>
    /// <param name="images">The batch.</param>
    /// <param name="epoch">Epoch from 0.</param>
    /// <param name="batch">Batch of the epoch from 0.</param>
    /// <param name="stream">The generator that pictures draw from, where they share one; null otherwise.</param>
    public SoftTargets Mix(ImageBatch images, int epoch, int batch, Rng? stream)
    {
        var targets = SoftTargets.FromLabels(images.Labels.AsSpan(0, images.Count), _classCount);
        var shape = (images.Channels, images.Height, images.Width);
        var pixels = images.Pixels.AsSpan(0, images.Count * images.Channels * images.Height * images.Width);
        _transform.Apply(pixels, shape, targets, stream ?? Rng.ForSample(_seed, epoch, batch));
        return targets;
    }
}
