using Microsoft.ML.OnnxRuntime;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Onnx;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>A classifier that was exported to ONNX, with the labels and the preprocessing of its folder.</summary>
/// <remarks>
/// One session for all threads: any number of them may ask at once. The scores are those of <c>vizsla predict</c> on the same pictures.
/// Source: transformers <c>pipeline("image-classification")</c> on optimum's <c>ORTModelForImageClassification</c>. Parity: scores 1e-5 for float32.
/// </remarks>
public sealed class OnnxClassifier : IImageClassifier
{
    private const string Logits = "logits";

    private readonly InferenceSession _session;
    private readonly Compose _pipeline;
    private readonly ScoreFunction _function;
    private readonly string _input;
    private readonly string _output;
    private readonly int _batchSize;

    private OnnxClassifier(InferenceSession session, ModelFiles files, OnnxClassifierOptions options)
    {
        _session = session;
        (_input, _output) = (Single(session.InputMetadata, files.Model, "input", options.Input), Single(session.OutputMetadata, files.Model, "output", options.Output));
        Labels = options.Labels ?? files.Labels(session.ModelMetadata.CustomMetadataMap);
        Processor = options.Processor ?? files.Processor();
        _pipeline = Processor.ToPipeline();
        _function = options.Function ?? Scores.DefaultFunction(Labels.Count, files.ProblemType);
        _batchSize = options.BatchSize;
    }

    /// <summary>Class names in order of their index.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>How the model wants its pictures.</summary>
    public ImageProcessor Processor { get; }

    /// <summary>Loads an exported model.</summary>
    /// <param name="path">
    /// A model's folder with <c>config.json</c>, <c>preprocessor_config.json</c> and <c>onnx/model.onnx</c> (or <c>model.onnx</c> beside them), or one <c>.onnx</c> file of such a folder.
    /// </param>
    /// <param name="options">Threads, execution providers, and what the folder does not say; null takes the defaults.</param>
    /// <returns>The classifier; the caller owns it.</returns>
    /// <exception cref="OnnxModelException">A file is missing, is no ONNX model, or does not say its labels or preprocessing; the message says what to do.</exception>
    public static OnnxClassifier Load(string path, OnnxClassifierOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new OnnxClassifierOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, 1, nameof(options));
        var files = ModelFiles.Find(path, options.FileName);
        var session = Open(files.Model, options);
        try
        {
            return new OnnxClassifier(session, files, options);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Names what one photo shows.</summary>
    /// <param name="file">Path of the photo; turned upright as its EXIF orientation says.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <returns>The likeliest classes, best first; of equal scores the lower index.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    public IReadOnlyList<Prediction> Predict(string file, int topK = 5)
    {
        using var image = ImageCodec.Load(file);
        return Predict(image, topK);
    }

    /// <summary>Names what the bytes of one photo show.</summary>
    /// <param name="data">A whole file: JPEG, PNG, WebP, GIF, BMP or TIFF.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <returns>The likeliest classes, best first; of equal scores the lower index.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    public IReadOnlyList<Prediction> Predict(ReadOnlyMemory<byte> data, int topK = 5)
    {
        using var image = ImageCodec.Decode(data.Span);
        return Predict(image, topK);
    }

    /// <summary>Names what the photo of a stream shows.</summary>
    /// <param name="stream">Read to its end; not disposed.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <returns>The likeliest classes, best first; of equal scores the lower index.</returns>
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
        return [.. ComputeLogits(images, cancellationToken).Select(logits => Scores.Top(Scores.Apply(_function, logits), Labels, topK))];
    }

    /// <summary>Names what one photo shows, read without blocking a thread.</summary>
    /// <param name="file">Path of the photo.</param>
    /// <param name="topK">Classes to name, at least 1; all when there are fewer.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The likeliest classes, best first.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    public async Task<IReadOnlyList<Prediction>> PredictAsync(string file, int topK = 5, CancellationToken cancellationToken = default)
    {
        var data = await File.ReadAllBytesAsync(file, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return Predict(data, topK);
    }

    /// <summary>The network's own numbers, before any score function.</summary>
    /// <param name="images">The pictures; neither changed nor disposed.</param>
    /// <param name="cancellationToken">Looked at between batches.</param>
    /// <returns>[number of pictures][L].</returns>
    public IReadOnlyList<float[]> ComputeLogits(IReadOnlyList<Image> images, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        var answers = new float[images.Count][];
        var prepared = new List<(int Index, ImageTensor Tensor)>();
        try
        {
            for (var i = 0; i < images.Count; i++)
            {
                prepared.Add((i, _pipeline.Run(images[i], new Rng(0))));
            }

            // Pictures of one size make a batch; a pipeline without a fixed size makes several.
            foreach (var group in prepared.GroupBy(p => (p.Tensor.Channels, p.Tensor.Height, p.Tensor.Width)))
            {
                foreach (var batch in group.Chunk(_batchSize))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    Run(batch, group.Key, answers);
                }
            }
        }
        finally
        {
            prepared.ForEach(p => p.Tensor.Dispose());
        }

        return answers;
    }

    /// <summary>Frees the session.</summary>
    public void Dispose() => _session.Dispose();

    private void Run((int Index, ImageTensor Tensor)[] batch, (int Channels, int Height, int Width) size, float[][] answers)
    {
        var values = size.Channels * size.Height * size.Width;
        var pixels = new float[batch.Length * values];
        for (var i = 0; i < batch.Length; i++)
        {
            batch[i].Tensor.Values.CopyTo(pixels.AsSpan(i * values, values));
        }

        using var input = OrtValue.CreateTensorValueFromMemory(pixels, [batch.Length, size.Channels, size.Height, size.Width]);
        using var run = new RunOptions();
        using var results = _session.Run(run, [_input], [input], [_output]);
        var logits = results[0].GetTensorDataAsSpan<float>();
        var width = logits.Length / batch.Length;
        if (width != Labels.Count)
        {
            throw new OnnxModelException($"The model answers with {width} classes, but there are {Labels.Count} labels. Give the labels of this model.");
        }

        for (var i = 0; i < batch.Length; i++)
        {
            answers[batch[i].Index] = logits.Slice(i * width, width).ToArray();
        }
    }

    private static InferenceSession Open(string file, OnnxClassifierOptions options)
    {
        // Threads follow the processors that this process may use, not those of the machine, and sleep while they wait; freed memory goes back.
        using var settings = new SessionOptions { IntraOpNumThreads = options.Threads ?? Environment.ProcessorCount, EnableCpuMemArena = false };
        settings.AddSessionConfigEntry("session.intra_op.allow_spinning", options.Spins ? "1" : "0");
        options.Configure?.Invoke(settings);
        try
        {
            return new InferenceSession(file, settings);
        }
        catch (OnnxRuntimeException e)
        {
            throw new OnnxModelException($"'{file}' is no model that ONNX Runtime can load: {e.Message} Export it again.", e);
        }
    }

    private static string Single(IReadOnlyDictionary<string, NodeMetadata> ports, string file, string kind, string? asked)
    {
        if (asked is not null)
        {
            return ports.ContainsKey(asked) ? asked : throw new OnnxModelException($"'{file}' has no {kind} '{asked}'. It has {string.Join(", ", ports.Keys)}.");
        }

        return ports.Count == 1 ? ports.Keys.Single()
            : ports.ContainsKey(Logits) ? Logits
            : throw new OnnxModelException($"'{file}' has {ports.Count} {kind}s: {string.Join(", ", ports.Keys)}. Say which one in the options.");
    }
}

/// <summary>How an exported model is computed, and what its folder does not say.</summary>
public sealed record OnnxClassifierOptions
{
    /// <summary>Threads of one computation; null takes the processors that this process may use.</summary>
    public int? Threads { get; init; }

    /// <summary>Whether threads that wait keep their processor; off by default, since it takes time from everything else on the machine.</summary>
    public bool Spins { get; init; }

    /// <summary>Pictures computed at once, at least 1; 32 by default.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Changes the session before it opens, such as by an execution provider of a package that you reference; null leaves it.</summary>
    public Action<SessionOptions>? Configure { get; init; }

    /// <summary>Which file of a folder is taken: <c>model.onnx</c> by default, <c>model_fp16.onnx</c> or <c>model_quantized.onnx</c>.</summary>
    public string FileName { get; init; } = "model.onnx";

    /// <summary>Class names in order of their index; null takes them from <c>config.json</c> or the file itself.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Preprocessing; null takes <c>preprocessor_config.json</c>, or timm's settings in <c>config.json</c>.</summary>
    public ImageProcessor? Processor { get; init; }

    /// <summary>From logits to scores; null takes softmax, or sigmoid where <c>problem_type</c> or a single class asks for it.</summary>
    public ScoreFunction? Function { get; init; }

    /// <summary>Name of the model's input; null takes its only one.</summary>
    public string? Input { get; init; }

    /// <summary>Name of the model's output; null takes its only one, or <c>logits</c>.</summary>
    public string? Output { get; init; }
}

/// <summary>An exported model cannot be loaded; the message names the file and says what to do.</summary>
public sealed class OnnxModelException : Exception
{
    /// <param name="message">One sentence.</param>
    /// <param name="innerException">What failed below; null for nothing.</param>
    public OnnxModelException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
