using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Primitives;

namespace Vizsla.Onnx;

/// <content>The ways to ask.</content>
public sealed partial class OnnxClassifier
{
    /// <summary>Names what one photo shows.</summary>
    /// <param name="file">Path of the photo; turned upright as its EXIF orientation says.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <returns>The most likely classes, best first; of equal scores the lower index.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    public IReadOnlyList<Prediction> Predict(string file, int topK = 5)
    {
        using var image = ImageCodec.Load(file);
        return Predict(image, topK);
    }

    /// <summary>Names what the bytes of one photo show.</summary>
    /// <param name="data">A whole file: JPEG, PNG, WebP, GIF, BMP or TIFF.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <returns>The most likely classes, best first; of equal scores the lower index.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    public IReadOnlyList<Prediction> Predict(ReadOnlyMemory<byte> data, int topK = 5)
    {
        using var image = ImageCodec.Decode(data.Span);
        return Predict(image, topK);
    }

    /// <summary>Names what the photo of a stream shows.</summary>
    /// <param name="stream">Read to its end; not disposed.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <returns>The most likely classes, best first; of equal scores the lower index.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    public IReadOnlyList<Prediction> Predict(Stream stream, int topK = 5)
    {
        using var image = ImageCodec.Decode(stream);
        return Predict(image, topK);
    }

    /// <inheritdoc/>
    public IReadOnlyList<Prediction> Predict(Image image, int topK = 5) => Predict([image], topK)[0];

    /// <inheritdoc/>
    public IReadOnlyList<IReadOnlyList<Prediction>> Predict(IReadOnlyList<Image> images, int topK = 5, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(topK, 1);
        return [.. ComputeLogits(images, cancellationToken).Select(logits => Name(logits, topK))];
    }

    /// <summary>Names what many photos show, the next being read while the last are computed; one that cannot be read says why and the others go on.</summary>
    /// <param name="files">Paths of photos.</param>
    /// <param name="topK">Classes to name of each, at least 1; all when there are fewer.</param>
    /// <param name="cancellationToken">Looked at between batches.</param>
    /// <returns>One answer per file, in order, as batches are done.</returns>
    public IEnumerable<PicturePrediction> Predict(IReadOnlyList<string> files, int topK = 5, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentOutOfRangeException.ThrowIfLessThan(topK, 1);
        return InBatches(files, topK, cancellationToken);
    }

    /// <summary>Names what one photo shows, read without blocking a thread.</summary>
    /// <param name="file">Path of the photo.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The most likely classes, best first.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    public async Task<IReadOnlyList<Prediction>> PredictAsync(string file, int topK = 5, CancellationToken cancellationToken = default)
    {
        var data = await File.ReadAllBytesAsync(file, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return Predict(data, topK);
    }

    /// <summary>Names what the photo of a stream shows, read without blocking a thread.</summary>
    /// <param name="stream">Read to its end; not disposed.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The most likely classes, best first.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    public async Task<IReadOnlyList<Prediction>> PredictAsync(Stream stream, int topK = 5, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var data = new MemoryStream();
        await stream.CopyToAsync(data, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return Predict(data.GetBuffer().AsMemory(0, (int)data.Length), topK);
    }

    private IEnumerable<PicturePrediction> InBatches(IReadOnlyList<string> files, int topK, CancellationToken cancellationToken)
    {
        var reading = ReadAsync(files, 0, cancellationToken);
        for (var start = 0; start < files.Count; start += _batchSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var pictures = reading.GetAwaiter().GetResult();
            reading = ReadAsync(files, start + _batchSize, cancellationToken);
            try
            {
                var answers = new Queue<float[]>(ComputeInGroups([.. pictures.Select(p => p.Tensor).OfType<ImageTensor>()], cancellationToken));
                foreach (var picture in pictures)
                {
                    yield return new PicturePrediction(picture.File, picture.Tensor is null ? [] : Name(answers.Dequeue(), topK), picture.Error);
                }
            }
            finally
            {
                Array.ForEach(pictures, p => p.Tensor?.Dispose());
            }
        }
    }

    private IReadOnlyList<Prediction> Name(float[] logits, int topK) => Scores.Top(Scores.Apply(_function, logits), Labels, topK);

    private Task<ReadPhoto[]> ReadAsync(IReadOnlyList<string> files, int start, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            var pictures = new ReadPhoto[Math.Clamp(files.Count - start, 0, _batchSize)];
            Parallel.For(0, pictures.Length, new ParallelOptions { MaxDegreeOfParallelism = _workers, CancellationToken = cancellationToken }, i => pictures[i] = Read(files[start + i]));
            return pictures;
        },
        cancellationToken);

    private ReadPhoto Read(string file)
    {
        try
        {
            using var image = ImageCodec.Load(file, _decoding);
            return new(file, Prepare(image), null);
        }
        catch (ImageFormatException e)
        {
            return new(file, null, e.Reason);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Each photo has its own answer or its own sentence; what one meets is no reason to leave the others without.
            return new(file, null, ErrorSentence.Of(e).TrimEnd('.'));
        }
    }

    private sealed record ReadPhoto(string File, ImageTensor? Tensor, string? Error);
}
