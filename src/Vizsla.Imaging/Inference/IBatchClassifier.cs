using Vizsla.Imaging;

namespace Vizsla.Inference;

/// <summary>A classifier that works in two halves, so that a server prepares pictures on any thread and computes those of many requests at once.</summary>
/// <remarks>Whoever gives the members here has those of <see cref="IImageClassifier"/> too, and may give better ones.</remarks>
public interface IBatchClassifier : IImageClassifier
{
    /// <summary>From logits to scores.</summary>
    ScoreFunction Function { get; }

    /// <summary>The picture as the model takes it; safe for any number of threads.</summary>
    /// <param name="image">An upright RGB picture; neither changed nor disposed.</param>
    /// <returns>Float [C, H, W]; the caller owns it.</returns>
    ImageTensor Prepare(Image image);

    /// <summary>The logits of prepared pictures of one shape.</summary>
    /// <param name="pictures">At least one result of <see cref="Prepare"/>; not disposed.</param>
    /// <returns>One row for each picture, a logit for each label.</returns>
    IReadOnlyList<float[]> ComputeLogits(IReadOnlyList<ImageTensor> pictures);

    /// <inheritdoc/>
    IReadOnlyList<Prediction> IImageClassifier.Predict(Image image, int topK)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(topK, 1);
        using var picture = Prepare(image);
        return Scores.Top(Scores.Apply(Function, ComputeLogits([picture])[0]), Labels, topK);
    }

    /// <inheritdoc/>
    IReadOnlyList<IReadOnlyList<Prediction>> IImageClassifier.Predict(IReadOnlyList<Image> images, int topK, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(images);
        return [.. images.Select(image =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Predict(image, topK);
        })];
    }

    /// <inheritdoc/>
    async Task<IReadOnlyList<Prediction>> IImageClassifier.PredictAsync(Stream stream, int topK, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var data = new MemoryStream();
        await stream.CopyToAsync(data, cancellationToken).ConfigureAwait(false);
        using var image = ImageCodec.Decode(data.GetBuffer().AsSpan(0, (int)data.Length));
        return Predict(image, topK);
    }
}
