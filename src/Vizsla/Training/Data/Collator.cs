using System.Runtime.InteropServices;
using TorchSharp;
using Vizsla.Loading;
using static TorchSharp.torch;

namespace Vizsla.Training.Data;

/// <summary>Turns a batch of pictures into the tensors of a forward pass; an extension point.</summary>
/// <remarks>Source: the <c>data_collator</c> of transformers' <c>Trainer</c>.</remarks>
public abstract class Collator
{
    /// <summary>The collator of the tutorial: pixels stacked, labels beside them.</summary>
    public static Collator Default { get; } = new StackingCollator();

    /// <summary>Makes the inputs of a batch.</summary>
    /// <param name="batch">The batch; not to be disposed or kept: its arrays are reused for a later batch.</param>
    /// <returns>Inputs on the CPU that the caller owns.</returns>
    public abstract ModelInputs Collate(ImageBatch batch);

    private sealed class StackingCollator : Collator
    {
        public override ModelInputs Collate(ImageBatch batch) => ModelInputs.Of(batch);
    }
}

/// <summary>The tensors of one forward pass.</summary>
/// <remarks>Source: <c>pixel_values</c> and <c>labels</c> of transformers.</remarks>
public sealed class ModelInputs : IDisposable
{
    /// <summary>Takes two tensors, which it owns from here on.</summary>
    /// <param name="pixelValues">Float [B, C, H, W].</param>
    /// <param name="labels">Classes, int64 [B], or a distribution over the classes, float [B, L].</param>
    public ModelInputs(Tensor pixelValues, Tensor labels) => (PixelValues, Labels) = (pixelValues, labels);

    /// <summary>Pictures, float [B, C, H, W].</summary>
    public Tensor PixelValues { get; }

    /// <summary>Classes, int64 [B], or a distribution over the classes, float [B, L].</summary>
    public Tensor Labels { get; }

    /// <summary>Copies a batch into tensors on the CPU.</summary>
    /// <param name="batch">The batch.</param>
    /// <returns>Inputs that the caller owns.</returns>
    public static ModelInputs Of(ImageBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var pixels = empty(batch.Count, batch.Channels, batch.Height, batch.Width);
        MemoryMarshal.AsBytes(batch.Pixels.AsSpan(0, batch.Count * batch.Channels * batch.Height * batch.Width)).CopyTo(pixels.bytes);
        var labels = empty(batch.Count, dtype: ScalarType.Int64);
        MemoryMarshal.AsBytes(batch.Labels.AsSpan(0, batch.Count)).CopyTo(labels.bytes);
        return new(pixels, labels);
    }

    /// <summary>The same on a device; disposes these where they had to be copied.</summary>
    /// <param name="device">The device.</param>
    /// <param name="isPinned">Whether the copy goes through page-locked memory without waiting.</param>
    internal ModelInputs To(Device device, bool isPinned)
    {
        if (device.type == DeviceType.CPU)
        {
            return this;
        }

        using (this)
        {
            return new(Move(PixelValues, device, isPinned), Move(Labels, device, isPinned));
        }
    }

    /// <summary>Disposes both tensors.</summary>
    public void Dispose()
    {
        PixelValues.Dispose();
        Labels.Dispose();
    }

    private static Tensor Move(Tensor tensor, Device device, bool isPinned)
    {
        if (!isPinned)
        {
            return tensor.to(device);
        }

        using var pinned = tensor.pin_memory();
        return pinned.to(device, non_blocking: true);
    }
}
