using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Vizsla.Hub;
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
public sealed partial class OnnxClassifier : IImageClassifier
{
    private const string Logits = "logits";
    private const string PreparedScores = "scores";

    private readonly Lock _use = new();
    private readonly InferenceSession _session;
    private readonly Compose? _pipeline;
    private readonly ScoreFunction _function;
    private readonly string _input;
    private readonly string _output;
    private readonly int _batchSize;
    private int _users;
    private bool _disposed;

    private OnnxClassifier(InferenceSession session, ModelFiles files, OnnxClassifierOptions options)
    {
        _session = session;
        (_input, _output) = (Single(session.InputMetadata, files.Model, "input", options.Input), Single(session.OutputMetadata, files.Model, "output", options.Output));
        Labels = options.Labels ?? files.Labels(session.ModelMetadata.CustomMetadataMap);
        var input = session.InputMetadata[_input];
        if (input.ElementDataType != TensorElementType.UInt8 || input.Dimensions.Length != 3)
        {
            Processor = options.Processor ?? files.Processor();
            _pipeline = Processor.ToPipeline();
        }

        _function = options.Function ?? (_output == PreparedScores ? ScoreFunction.None : Scores.DefaultFunction(Labels.Count, files.ProblemType));
        // A file that was made for one picture takes no more at once.
        _batchSize = input.Dimensions is [1, ..] ? 1 : options.BatchSize;
    }

    /// <summary>Class names in order of their index.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>How the model wants its pictures; null where the file prepares them itself.</summary>
    public ImageProcessor? Processor { get; }

    /// <summary>Loads an exported model.</summary>
    /// <param name="path">
    /// A model's folder with <c>config.json</c>, <c>preprocessor_config.json</c> and <c>onnx/model.onnx</c> (or <c>model.onnx</c> beside them), one <c>.onnx</c> file of such a folder,
    /// or the name of a repository that is in the Hub's cache; <see cref="LoadAsync"/> fetches it.
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

    /// <summary>Loads an exported model from a folder, or by its name from a Hub; the files come into the Hub's cache unless they are there.</summary>
    /// <param name="nameOrFolder">As <see cref="Load"/> takes it.</param>
    /// <param name="options">Threads, execution providers, and what the folder does not say; null takes the defaults.</param>
    /// <param name="revision">Branch, tag or commit; null means <c>main</c>.</param>
    /// <param name="token">Who asks; null takes who is logged in. Without effect where <paramref name="hub"/> is given.</param>
    /// <param name="hub">The Hub; stays the caller's. Null takes the one that the environment names.</param>
    /// <param name="cancellationToken">Stops the transfer.</param>
    /// <returns>The classifier; the caller owns it.</returns>
    /// <exception cref="HubException">No such repository or revision, no access, or no connection and nothing cached.</exception>
    /// <exception cref="OnnxModelException">As of <see cref="Load"/>.</exception>
    public static async Task<OnnxClassifier> LoadAsync(
        string nameOrFolder, OnnxClassifierOptions? options = null, string? revision = null, HubToken? token = null, HubClient? hub = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        if (Path.Exists(nameOrFolder) || !RepoId.TryParse(nameOrFolder, RepoType.Model, out var repo) || repo!.Owner is null)
        {
            return Load(nameOrFolder, options);
        }

        var fileName = (options ?? new OnnxClassifierOptions()).FileName;
        var choice = new SnapshotOptions { Choose = files => ModelFiles.Needed(files, fileName) };
        return Load(await HubClient.UseAsync(hub, token, client => client.SnapshotDownloadAsync(repo, revision, choice, cancellationToken)).ConfigureAwait(false), options);
    }

    /// <summary>The network's own numbers, before any score function; the scores of a file that prepares pictures itself.</summary>
    /// <param name="images">The pictures; neither changed nor disposed.</param>
    /// <param name="cancellationToken">Looked at between batches.</param>
    /// <returns>[number of pictures][L].</returns>
    public IReadOnlyList<float[]> ComputeLogits(IReadOnlyList<Image> images, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        var answers = new float[images.Count][];
        if (_pipeline is null)
        {
            for (var i = 0; i < images.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                answers[i] = Run(images[i].Pixels.ToArray(), [images[i].Height, images[i].Width, 3]);
            }

            return answers;
        }

        var prepared = new (int Index, ImageTensor Tensor)[images.Count];
        try
        {
            for (var i = 0; i < images.Count; i++)
            {
                prepared[i] = (i, Prepare(images[i]));
            }

            // Pictures of one size make a batch; a pipeline without a fixed size makes several.
            foreach (var group in prepared.GroupBy(p => (p.Tensor.Channels, p.Tensor.Height, p.Tensor.Width)))
            {
                foreach (var batch in group.Chunk(_batchSize))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    foreach (var (place, logits) in batch.Zip(ComputeLogits([.. batch.Select(p => p.Tensor)])))
                    {
                        answers[place.Index] = logits;
                    }
                }
            }
        }
        finally
        {
            Array.ForEach(prepared, p => p.Tensor?.Dispose());
        }

        return answers;
    }

    /// <summary>Frees the session, after the computations that are under way.</summary>
    public void Dispose()
    {
        lock (_use)
        {
            (var wasDisposed, _disposed) = (_disposed, true);
            if (!wasDisposed && _users == 0)
            {
                _session.Dispose();
            }
        }
    }

    /// <summary>The picture as the model takes it.</summary>
    /// <returns>Float [C, H, W]; the caller owns it.</returns>
    internal ImageTensor Prepare(Image image) => _pipeline!.Run(image, new Rng(0));

    /// <summary>The logits of prepared pictures of one size.</summary>
    /// <returns>One row for each picture.</returns>
    internal float[][] ComputeLogits(IReadOnlyList<ImageTensor> pictures)
    {
        var (channels, height, width) = (pictures[0].Channels, pictures[0].Height, pictures[0].Width);
        var values = channels * height * width;
        var pixels = new float[pictures.Count * values];
        for (var i = 0; i < pictures.Count; i++)
        {
            pictures[i].Values.CopyTo(pixels.AsSpan(i * values, values));
        }

        var logits = Run(pixels, [pictures.Count, channels, height, width]);
        var classes = logits.Length / pictures.Count;
        return classes == Labels.Count
            ? [.. logits.Chunk(classes)]
            : throw new OnnxModelException($"The model answers with {classes} classes, but there are {Labels.Count} labels. Give the labels of this model.");
    }

    private float[] Run<T>(T[] values, long[] shape)
        where T : unmanaged
    {
        lock (_use)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _users++;
        }

        try
        {
            using var value = OrtValue.CreateTensorValueFromMemory(values, shape);
            using var run = new RunOptions();
            using var results = _session.Run(run, [_input], [value], [_output]);
            return results[0].GetTensorDataAsSpan<float>().ToArray();
        }
        finally
        {
            lock (_use)
            {
                if (--_users == 0 && _disposed)
                {
                    _session.Dispose();
                }
            }
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
            : ports.ContainsKey(PreparedScores) ? PreparedScores
            : throw new OnnxModelException($"'{file}' has {ports.Count} {kind}s: {string.Join(", ", ports.Keys)}. Say which one in the options.");
    }
}
