using Vizsla.Imaging;
using Vizsla.Models;
using Vizsla.Primitives;

namespace Vizsla.Inference;

// Shapes: H height, W width.

/// <content>Where a network looked.</content>
public sealed partial class PicturePredictor
{
    /// <summary>Names a picture's class and shows where the network looked for it.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="classIndex">
    /// Index of the class to explain; null takes the most likely. Attention is the same for every class; Grad-CAM is not.
    /// </param>
    /// <returns>The class with its score, and a heat map of what the network saw of the picture.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    /// <remarks>
    /// Attention rollout where every token attends to the whole picture (ViT, DeiT, DINOv2, BEiT); Grad-CAM at the plane that is pooled at the end
    /// for the others. Always in float32, one picture at a time.
    /// </remarks>
    public PictureExplanation Explain(Image image, int? classIndex = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (classIndex is { } asked && (asked < 0 || asked >= _labels.Count))
        {
            throw new ArgumentOutOfRangeException(nameof(classIndex), asked, $"The model has {_labels.Count} classes, numbered from 0.");
        }

        using var picture = _pipeline.Run(image, new Rng(0));
        using var pixels = Batch([picture], (picture.Channels, picture.Height, picture.Width));   // [1, 3, H, W]
        using var alone = EvaluationScope.Enter(_network);
        var (logits, index, heat, method) = Explainer.Explain(_network, pixels, classIndex);
        return new(new(_labels[index], Scores.Apply(_function, logits)[index], index), heat, method);
    }

    /// <summary>The picture as the network sees it, before its pixels become floats.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <returns>A new picture; the caller owns it.</returns>
    public Image Seen(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var seen = _pipeline.Apply(image, new Rng(0));
        return ReferenceEquals(seen, image) ? image.Clone() : seen;
    }
}
