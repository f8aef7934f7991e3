using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>A step on a whole batch that mixes its pictures and, alike, their labels.</summary>
/// <remarks>Source: torchvision <c>v2.MixUp</c>, <c>v2.CutMix</c>.</remarks>
public abstract record BatchTransform : Transform
{
    /// <summary>Changes pictures and labels in place.</summary>
    /// <param name="pixels">Float [B, C, H, W] of the batch.</param>
    /// <param name="shape">C, H and W.</param>
    /// <param name="targets">The labels, [B, classes].</param>
    /// <param name="rng">The only source of randomness.</param>
    /// <exception cref="ArgumentException">The number of floats does not fit the shape and the number of labels.</exception>
    public void Apply(Span<float> pixels, (int Channels, int Height, int Width) shape, SoftTargets targets, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentNullException.ThrowIfNull(rng);
        if (pixels.Length != (long)targets.Count * shape.Channels * shape.Height * shape.Width)
        {
            throw new ArgumentException(
                Invariant($"{targets.Count} pictures of [{shape.Channels}, {shape.Height}, {shape.Width}] hold {(long)targets.Count * shape.Channels * shape.Height * shape.Width} floats, got {pixels.Length}."),
                nameof(pixels));
        }

        Mix(pixels, shape, targets, rng);
    }

    /// <summary>Changes pictures and labels in place.</summary>
    /// <param name="pixels">Float [B, C, H, W] of the batch, of the right length.</param>
    /// <param name="shape">C, H and W.</param>
    /// <param name="targets">The labels, [B, classes].</param>
    /// <param name="rng">The only source of randomness.</param>
    protected internal abstract void Mix(Span<float> pixels, (int Channels, int Height, int Width) shape, SoftTargets targets, Rng rng);
}
