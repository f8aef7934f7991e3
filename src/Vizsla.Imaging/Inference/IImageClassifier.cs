using Vizsla.Imaging;

namespace Vizsla.Inference;

/// <summary>Names what pictures show, whatever computes it: a network on libtorch, or an exported file in ONNX Runtime.</summary>
/// <remarks>An implementation may be asked by any number of threads at once.</remarks>
public interface IImageClassifier : IDisposable
{
    /// <summary>Class names in order of their index.</summary>
    IReadOnlyList<string> Labels { get; }

    /// <summary>Names what one picture shows.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <returns>The most likely classes, best first; of equal scores the lower index.</returns>
    IReadOnlyList<Prediction> Predict(Image image, int topK = 5);

    /// <summary>Names what several pictures show, computed in one batch where their prepared sizes agree.</summary>
    /// <param name="images">The pictures; neither changed nor disposed.</param>
    /// <param name="topK">Classes to name of each, at least 1; all when there are fewer.</param>
    /// <param name="cancellationToken">Looked at between batches.</param>
    /// <returns>One answer per picture, in their order.</returns>
    IReadOnlyList<IReadOnlyList<Prediction>> Predict(IReadOnlyList<Image> images, int topK = 5, CancellationToken cancellationToken = default);

    /// <summary>Names what the picture of a stream shows, such as the body of a request; the stream is read without blocking a thread.</summary>
    /// <param name="stream">The bytes of a picture file; read to its end, and left open.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <param name="cancellationToken">Ends the reading, and the wait for an answer.</param>
    /// <returns>The most likely classes, best first; of equal scores the lower index.</returns>
    /// <exception cref="ImageFormatException">The picture cannot be read; the message says why.</exception>
    Task<IReadOnlyList<Prediction>> PredictAsync(Stream stream, int topK = 5, CancellationToken cancellationToken = default);
}
