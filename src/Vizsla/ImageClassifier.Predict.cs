using System.Runtime.CompilerServices;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Native;

namespace Vizsla;

/// <content>From pictures to class names, heat maps and features.</content>
public sealed partial class ImageClassifier
{
    private readonly ComputeThread _computing = new();

    /// <summary>Names what one photo shows.</summary>
    /// <param name="file">Path of the photo; turned upright as its EXIF orientation says.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <returns>The most likely classes, best first; of equal scores the lower index.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="topK"/> is below 1.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public IReadOnlyList<Prediction> Predict(string file, int topK = 5)
    {
        var predictor = Predictor(topK);
        using var image = ImageCodec.Load(file);
        return predictor.Predict(image);
    }

    /// <summary>Names what a photo in memory shows.</summary>
    /// <param name="data">The bytes of a picture file, such as a JPEG.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <returns>The most likely classes, best first; of equal scores the lower index.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="topK"/> is below 1.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public IReadOnlyList<Prediction> Predict(ReadOnlyMemory<byte> data, int topK = 5)
    {
        var predictor = Predictor(topK);
        using var image = ImageCodec.Decode(data.Span);
        return predictor.Predict(image);
    }

    /// <summary>Names what a photo in a stream shows.</summary>
    /// <param name="stream">The bytes of a picture file; read to its end, and left open.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <returns>The most likely classes, best first; of equal scores the lower index.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="topK"/> is below 1.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public IReadOnlyList<Prediction> Predict(Stream stream, int topK = 5)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var predictor = Predictor(topK);
        using var image = ImageCodec.Decode(stream);
        return predictor.Predict(image);
    }

    /// <summary>Names what one picture shows.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <returns>The most likely classes, best first; of equal scores the lower index.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="topK"/> is below 1.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public IReadOnlyList<Prediction> Predict(Image image, int topK = 5) => Predictor(topK).Predict(image);

    /// <summary>Names what many pictures show, in batches.</summary>
    /// <param name="images">The pictures; neither changed nor disposed.</param>
    /// <param name="topK">Classes to name of each, at least 1; all when there are fewer.</param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>The most likely classes of each picture, best first, in their order.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="topK"/> is below 1.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public IReadOnlyList<IReadOnlyList<Prediction>> Predict(IReadOnlyList<Image> images, int topK = 5, CancellationToken cancellationToken = default) =>
        [.. Predictor(topK).Predict(images, cancellationToken)];

    /// <summary>Names what many photos show: read ahead on other threads, run in batches.</summary>
    /// <param name="files">Paths of photos; one that cannot be read says why, and the others go on.</param>
    /// <param name="topK">Classes to name of each, at least 1; all when there are fewer.</param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>One answer per file, in their order, as batches are done.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="topK"/> is below 1.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public IEnumerable<PicturePrediction> Predict(IReadOnlyList<string> files, int topK = 5, CancellationToken cancellationToken = default) =>
        Predictor(topK).Predict(files, cancellationToken);

    /// <summary>Names what one photo shows, without blocking the caller: the file is read asynchronously, and the network runs on a thread of the model's own.</summary>
    /// <param name="file">Path of the photo; turned upright as its EXIF orientation says.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <param name="cancellationToken">Ends the reading, and the wait for the network; a picture that it has begun is computed to its end.</param>
    /// <returns>The most likely classes, best first; of equal scores the lower index.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="topK"/> is below 1.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public async Task<IReadOnlyList<Prediction>> PredictAsync(string file, int topK = 5, CancellationToken cancellationToken = default)
    {
        var predictor = Predictor(topK);
        var data = await File.ReadAllBytesAsync(file, cancellationToken).ConfigureAwait(false);
        return await _computing.RunAsync(() =>
        {
            try
            {
                using var image = ImageCodec.Decode(data);
                return predictor.Predict(image);
            }
            catch (ImageFormatException e)
            {
                throw new ImageFormatException(e.Reason, file, e.InnerException);
            }
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Names what a photo in a stream shows, without blocking the caller: the stream is read asynchronously, and the network runs on a thread of the model's own.</summary>
    /// <param name="stream">The bytes of a picture file; read to its end, and left open.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <param name="cancellationToken">Ends the reading, and the wait for the network; a picture that it has begun is computed to its end.</param>
    /// <returns>The most likely classes, best first; of equal scores the lower index.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="topK"/> is below 1.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public async Task<IReadOnlyList<Prediction>> PredictAsync(Stream stream, int topK = 5, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var predictor = Predictor(topK);
        using var data = new MemoryStream();
        await stream.CopyToAsync(data, cancellationToken).ConfigureAwait(false);
        return await _computing.RunAsync(() =>
        {
            using var image = ImageCodec.Decode(data.GetBuffer().AsSpan(0, (int)data.Length));
            return predictor.Predict(image);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Names what many photos show, without blocking the caller: read ahead on other threads, run in batches on a thread of the model's own.</summary>
    /// <param name="files">Paths of photos; one that cannot be read says why, and the others go on.</param>
    /// <param name="topK">Classes to name of each, at least 1; all when there are fewer.</param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>One answer per file, in their order, as batches are done.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="topK"/> is below 1.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public IAsyncEnumerable<PicturePrediction> PredictAsync(IReadOnlyList<string> files, int topK = 5, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(files);
        return Step(Predictor(topK).Predict(files, cancellationToken), cancellationToken);
    }

    /// <summary>Names what one photo shows, and where the network looked for it.</summary>
    /// <param name="file">Path of the photo.</param>
    /// <returns>The most likely class and a heat map over the picture as the network saw it.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public PictureExplanation Explain(string file)
    {
        var predictor = Predictor(topK: 1);
        using var image = ImageCodec.Load(file);
        return predictor.Explain(image);
    }

    /// <summary>Computes the features that the head of the network takes: for search, clustering, or a classifier of another kind.</summary>
    /// <param name="file">Path of the photo; turned upright as its EXIF orientation says.</param>
    /// <returns>As many values as the head has inputs.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    /// <remarks>Source: the pooled output of transformers' base models, timm's <c>forward_head(pre_logits=True)</c>. Parity: 1e-5.</remarks>
    public float[] Embed(string file)
    {
        var predictor = Embedder();
        using var image = ImageCodec.Load(file);
        return predictor.Embed(image);
    }

    /// <summary>Computes the features that the head of the network takes.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <returns>As many values as the head has inputs.</returns>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public float[] Embed(Image image) => Embedder().Embed(image);

    /// <summary>Computes the features of many photos: read ahead on other threads, run in batches.</summary>
    /// <param name="files">Paths of photos; one that cannot be read says why, and the others go on.</param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>One answer per file, in their order, as batches are done.</returns>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public IEnumerable<PictureFeatures> Embed(IReadOnlyList<string> files, CancellationToken cancellationToken = default) =>
        Embedder().Embed(files, cancellationToken);

    /// <inheritdoc/>
    ScoreFunction IBatchClassifier.Function => Scores.DefaultFunction(Labels.Count, Configuration.ProblemType);

    /// <inheritdoc/>
    ImageTensor IBatchClassifier.Prepare(Image image) => Predictor(topK: 1).Prepare(image);

    /// <inheritdoc/>
    IReadOnlyList<float[]> IBatchClassifier.ComputeLogits(IReadOnlyList<ImageTensor> pictures) => Predictor(topK: 1).Logits(pictures);

    private PicturePredictor Predictor(int topK)
    {
        ThrowIfDisposed();
        ArgumentOutOfRangeException.ThrowIfLessThan(topK, 1);
        if (_isEncoder)
        {
            RequireHead();
        }

        Convolutions.Tell(Logger);
        return new(Network, Processor.ToPipeline(), options: new PicturePredictorOptions { TopK = topK });
    }

    private PicturePredictor Embedder()
    {
        ThrowIfDisposed();
        return new(Network, Processor.ToPipeline());
    }

    private async IAsyncEnumerable<PicturePrediction> Step(IEnumerable<PicturePrediction> answers, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var enumerator = answers.GetEnumerator();
        while (await _computing.RunAsync(enumerator.MoveNext, cancellationToken).ConfigureAwait(false))
        {
            yield return enumerator.Current;
        }
    }
}
