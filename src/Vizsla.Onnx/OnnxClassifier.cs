using System.Runtime.ExceptionServices;
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
public sealed partial class OnnxClassifier : IBatchClassifier
{
    private const string Logits = "logits";
    private const string PreparedScores = "scores";

    // Pictures that are computed together: more are no faster, and the session keeps the memory of the largest run.
    private static readonly int s_together = 2 * Environment.ProcessorCount;

    private readonly Lock _batches = new();
    private readonly SharedSession _session;
    private readonly Compose? _pipeline;
    private readonly ScoreFunction _function;
    private readonly string _input;
    private readonly string _output;
    private readonly DecodeOptions? _decoding;
    private readonly int _batchSize;
    private readonly int _workers;
    private readonly bool _hasOneSize;

    private OnnxClassifier(SharedSession shared, ModelFiles files, OnnxClassifierOptions options)
    {
        _session = shared;
        var session = shared.Session;
        (_input, _output) = (Single(session.InputMetadata, files.Model, "input", options.Input), Single(session.OutputMetadata, files.Model, "output", options.Output));
        Labels = options.Labels ?? files.Labels(session.ModelMetadata.CustomMetadataMap);
        var input = session.InputMetadata[_input];
        if (input.ElementDataType != TensorElementType.UInt8 || input.Dimensions.Length != 3)
        {
            Processor = options.Processor ?? files.Processor(session.ModelMetadata.CustomMetadataMap);
            _pipeline = Processor.ToPipeline();
        }

        if (options.FastDecode)
        {
            _decoding = _pipeline?.FastDecode
                ?? throw new ArgumentException(_pipeline?.FastDecodeProblem ?? $"'{files.Model}' prepares pictures itself, so that nothing says how small they may be decoded.", nameof(options));
        }

        _function = options.Function ?? (_output == PreparedScores ? ScoreFunction.None : Scores.DefaultFunction(Labels.Count, files.ProblemType(session.ModelMetadata.CustomMetadataMap)));
        // A file that was made for one picture, or prepares them itself, takes no more at once.
        _batchSize = _pipeline is null || input.Dimensions is [1, ..] ? 1 : options.BatchSize;
        _workers = options.Workers;
        _hasOneSize = _pipeline?.OutputSize is not null;
    }

    /// <inheritdoc/>
    public ScoreFunction Function => _function;

    /// <summary>Class names in order of their index.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>How the model wants its pictures; null where the file prepares them itself.</summary>
    public ImageProcessor? Processor { get; }

    /// <summary>The session that all threads share.</summary>
    internal SharedSession Session => _session;

    /// <summary>Loads an exported model.</summary>
    /// <param name="path">
    /// A model's folder with <c>config.json</c>, <c>preprocessor_config.json</c> and <c>onnx/model.onnx</c> (or <c>model.onnx</c> beside them), one <c>.onnx</c> file of such a folder,
    /// or the name of a repository that is in the Hub's cache; <see cref="LoadAsync"/> fetches it.
    /// </param>
    /// <param name="options">Threads, execution providers, and what the folder does not say; null takes the defaults.</param>
    /// <returns>The classifier; the caller owns it.</returns>
    /// <exception cref="OnnxModelException">A file is missing, is no ONNX model, or does not say its labels or preprocessing; the message says what to do.</exception>
    /// <exception cref="ArgumentException">The options ask for <see cref="OnnxClassifierOptions.FastDecode"/> and the pipeline does not begin with a Resize.</exception>
    public static OnnxClassifier Load(string path, OnnxClassifierOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new OnnxClassifierOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Workers, 1, nameof(options));
        var files = ModelFiles.Find(path, options.FileName);
        var session = SharedSession.Open(files.Model, options);
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
        return Load(await FetchAsync(nameOrFolder, (options ?? new OnnxClassifierOptions()).FileName, revision, token, hub, cancellationToken).ConfigureAwait(false), options);
    }

    /// <summary>Brings what <see cref="Load"/> needs of a model into the Hub's cache.</summary>
    /// <returns>The folder of the files; the path that was given, where it is no name of a repository.</returns>
    internal static async Task<string> FetchAsync(string nameOrFolder, string fileName, string? revision, HubToken? token, HubClient? hub, CancellationToken cancellationToken)
    {
        if (Path.Exists(nameOrFolder) || !RepoId.TryParse(nameOrFolder, RepoType.Model, out var repo) || repo!.Owner is null)
        {
            return nameOrFolder;
        }

        var choice = new SnapshotOptions { Choose = files => ModelFiles.Needed(files, fileName) };
        return await HubClient.UseAsync(hub, token, client => client.SnapshotDownloadAsync(repo, revision, choice, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>The network's own numbers, before any score function; the scores of a file that prepares pictures itself.</summary>
    /// <param name="images">The pictures; neither changed nor disposed.</param>
    /// <param name="cancellationToken">Looked at between batches.</param>
    /// <returns>[number of pictures][L].</returns>
    public IReadOnlyList<float[]> ComputeLogits(IReadOnlyList<Image> images, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (_pipeline is null)
        {
            return [.. images.Select(image =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                return Run<byte>(image.Pixels.ToArray(), [image.Height, image.Width, 3]);
            })];
        }

        var prepared = new ImageTensor[images.Count];
        try
        {
            PrepareAll(images, prepared, cancellationToken);
            return ComputeInGroups(prepared, cancellationToken);
        }
        finally
        {
            Array.ForEach(prepared, p => p?.Dispose());
        }
    }

    /// <summary>Frees the session, after the computations that are under way.</summary>
    public void Dispose() => _session.Dispose();

    /// <summary>The picture as the model takes it; of a file that prepares pictures itself, its levels 0 to 255 as they are. Safe for any number of threads.</summary>
    /// <param name="image">An upright RGB picture; neither changed nor disposed.</param>
    /// <returns>Float [C, H, W]; the caller owns it.</returns>
    public ImageTensor Prepare(Image image) => _pipeline?.Run(image, new Rng(0)) ?? Levels.Of(image);

    /// <inheritdoc/>
    public IReadOnlyList<float[]> ComputeLogits(IReadOnlyList<ImageTensor> pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        ArgumentOutOfRangeException.ThrowIfZero(pictures.Count);
        if (_pipeline is null)
        {
            return [.. pictures.Select(picture => Run<byte>(Levels.Bytes(picture), [picture.Height, picture.Width, picture.Channels]))];
        }

        return [.. pictures.Chunk(Math.Min(_batchSize, s_together)).SelectMany(ComputeTogether)];
    }

    private IEnumerable<float[]> ComputeTogether(ImageTensor[] pictures)
    {
        var logits = Run(pictures, [pictures.Length, pictures[0].Channels, pictures[0].Height, pictures[0].Width]);
        var classes = logits.Length / pictures.Length;
        return classes == Labels.Count
            ? logits.Chunk(classes)
            : throw new OnnxModelException($"The model answers with {classes} classes, but there are {Labels.Count} labels. Give the labels of this model.");
    }

    private float[] Run<T>(Memory<T> values, long[] shape)
        where T : unmanaged =>
        _session.Run(_input, values, shape, _output, _hasOneSize);

    private float[] Run(ImageTensor[] pictures, long[] shape)
    {
        if (pictures.Length == 1)
        {
            return Run(pictures[0].Memory, shape);
        }

        var values = pictures[0].Values.Length;
        var pixels = PixelPool<float>.Shared.Rent(pictures.Length * values);
        try
        {
            for (var i = 0; i < pictures.Length; i++)
            {
                pictures[i].Values.CopyTo(pixels.AsSpan(i * values, values));
            }

            // One such run keeps all processors busy.
            lock (_batches)
            {
                return Run(pixels.AsMemory(0, pictures.Length * values), shape);
            }
        }
        finally
        {
            PixelPool<float>.Shared.Return(pixels);
        }
    }

    private void PrepareAll(IReadOnlyList<Image> images, ImageTensor[] prepared, CancellationToken cancellationToken)
    {
        if (images.Count == 1)
        {
            prepared[0] = Prepare(images[0]);
            return;
        }

        try
        {
            Parallel.For(0, images.Count, new ParallelOptions { MaxDegreeOfParallelism = _workers, CancellationToken = cancellationToken }, i => prepared[i] = Prepare(images[i]));
        }
        catch (AggregateException e)
        {
            // What one picture is refused for, as when it is asked about alone.
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }

    // Pictures of one size make a batch; a pipeline without a fixed size makes several.
    private float[][] ComputeInGroups(ImageTensor[] pictures, CancellationToken cancellationToken)
    {
        var answers = new float[pictures.Length][];
        foreach (var group in Enumerable.Range(0, pictures.Length).GroupBy(i => (pictures[i].Channels, pictures[i].Height, pictures[i].Width)))
        {
            foreach (var batch in group.Chunk(_batchSize))
            {
                cancellationToken.ThrowIfCancellationRequested();
                foreach (var (place, logits) in batch.Zip(ComputeLogits([.. batch.Select(i => pictures[i])])))
                {
                    answers[place] = logits;
                }
            }
        }

        return answers;
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

    // Pictures for a file that prepares them itself: what a queue keeps is floats, what the file takes is bytes.
    private static class Levels
    {
        public static ImageTensor Of(Image image)
        {
            var tensor = new ImageTensor(3, image.Height, image.Width);
            for (var channel = 0; channel < 3; channel++)
            {
                var plane = tensor.Channel(channel);
                var pixels = image.Pixels;
                for (var i = 0; i < plane.Length; i++)
                {
                    plane[i] = pixels[(3 * i) + channel];
                }
            }

            return tensor;
        }

        public static byte[] Bytes(ImageTensor tensor)
        {
            var bytes = new byte[tensor.Values.Length];
            for (var channel = 0; channel < 3; channel++)
            {
                var plane = tensor.Channel(channel);
                for (var i = 0; i < plane.Length; i++)
                {
                    bytes[(3 * i) + channel] = (byte)plane[i];
                }
            }

            return bytes;
        }
    }
}
