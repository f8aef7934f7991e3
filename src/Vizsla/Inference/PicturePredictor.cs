using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using TorchSharp;
using Vizsla.Imaging;
using Vizsla.Models;
using Vizsla.Native;
using Vizsla.Primitives;
using Vizsla.Transforms;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Vizsla.Inference;

/// <summary>Runs many picture files through a network, the next batch being read while the last one is computed.</summary>
/// <remarks>
/// Always in evaluation mode; the modules of the network are left in the modes that they were in. Safe for several threads, which take turns at the network.
/// Source: transformers <c>pipeline("image-classification")</c>: EXIF transposition, RGB, the model's preprocessing, softmax. Parity: 1e-5.
/// </remarks>
// Shapes: B batch, V views of a picture, H height, W width, L labels, F features.
public sealed partial class PicturePredictor
{
    private readonly ClassificationNetwork _network;
    private readonly IReadOnlyList<string> _labels;
    private readonly Compose _pipeline;
    private readonly PicturePredictorOptions _options;
    private readonly ScoreFunction _function;
    private readonly DecodeOptions? _decoding;
    private readonly IReadOnlyList<Compose> _views;
    private readonly bool _takesGray;

    /// <param name="network">The network; the caller keeps it.</param>
    /// <param name="pipeline">From a picture to what the network takes, without random steps.</param>
    /// <param name="labels">Class names; null takes the configuration's.</param>
    /// <param name="options">Batch size and threads; null takes the defaults.</param>
    /// <exception cref="ArgumentException">The pipeline draws, there are not as many labels as classes, or the options ask for <see cref="PicturePredictorOptions.FastDecode"/> and the pipeline does not begin with a Resize.</exception>
    public PicturePredictor(
        ClassificationNetwork network, Compose pipeline, IReadOnlyList<string>? labels = null, PicturePredictorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(pipeline);
        if (pipeline.IsRandom)
        {
            throw new ArgumentException("The pipeline of a prediction has random steps; take the evaluation pipeline.", nameof(pipeline));
        }

        _network = network;
        _takesGray = GrayPictures.AreTakenBy(network);
        _pipeline = pipeline;
        _labels = labels ?? network.Configuration.Id2Label;
        if (_labels.Count != network.Configuration.Id2Label.Count)
        {
            throw new ArgumentException(
                $"The model has {network.Configuration.Id2Label.Count} classes, but {_labels.Count} labels are given.", nameof(labels));
        }

        _options = options ?? new PicturePredictorOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.BatchSize, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Workers, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.TopK, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(_options.Temperature, nameof(options));
        if (_options.FastDecode)
        {
            _decoding = pipeline.FastDecode ?? throw new ArgumentException(pipeline.FastDecodeProblem, nameof(options));
        }

        _views = _options.Augmentation?.Views(pipeline) ?? [pipeline];
        _function = _options.Function ?? Scores.DefaultFunction(network.Configuration.Id2Label.Count, network.Configuration.ProblemType);
    }

    /// <summary>Predicts files in their order; a file that cannot be read says why and the others go on.</summary>
    /// <param name="files">Paths of pictures.</param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>One answer per file, in order, as batches are done.</returns>
    public IEnumerable<PicturePrediction> Predict(IReadOnlyList<string> files, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(files);
        return ReadInBatches(files.Count, row => Read(files[row], () => ImageCodec.Load(files[row], _decoding)), cancellationToken).SelectMany(batch => Compute(batch, _network.forward, Name));
    }

    /// <summary>Predicts the pictures of a dataset, in the order of its rows; one that cannot be read says why and the others go on.</summary>
    /// <param name="dataset">The rows; their own transform is not used.</param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>One answer per row, as batches are done; its file is the name that the row's picture has.</returns>
    public IEnumerable<PicturePrediction> Predict(ImageDataset dataset, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        return ReadInBatches(dataset.Count, row => Read(dataset, row), cancellationToken).SelectMany(batch => Compute(batch, _network.forward, Name));
    }

    /// <summary>Predicts pictures in their order.</summary>
    /// <param name="images">The pictures; neither changed nor disposed.</param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>The most likely classes of each, best first, as batches are done.</returns>
    public IEnumerable<IReadOnlyList<Prediction>> Predict(IReadOnlyList<Image> images, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        return images.Chunk(_options.BatchSize).SelectMany(chunk =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Compute(Prepare(chunk, cancellationToken), _network.forward, Name);
        }).Select(answer => answer.Predictions);
    }

    /// <summary>Predicts one picture.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <returns>The most likely classes, best first.</returns>
    public IReadOnlyList<Prediction> Predict(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Alone(image, _network.forward, Name).Predictions;
    }

    /// <summary>Computes what the head takes of files, in their order; a file that cannot be read says why and the others go on.</summary>
    /// <param name="files">Paths of pictures.</param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>One answer per file, in order, as batches are done.</returns>
    /// <remarks>Source: the pooled output of transformers' base models, timm's <c>forward_head(pre_logits=True)</c>. Parity: 1e-5.</remarks>
    public IEnumerable<PictureFeatures> Embed(IReadOnlyList<string> files, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(files);
        return ReadInBatches(files.Count, row => Read(files[row], () => ImageCodec.Load(files[row], _decoding)), cancellationToken).SelectMany(batch => Compute(batch, Features, Keep));
    }

    /// <summary>Computes what the head takes of the pictures of a dataset, in the order of its rows; one that cannot be read says why and the others go on.</summary>
    /// <param name="dataset">The rows; their own transform is not used.</param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>One answer per row, as batches are done; its file is the name that the row's picture has.</returns>
    public IEnumerable<PictureFeatures> Embed(ImageDataset dataset, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        return ReadInBatches(dataset.Count, row => Read(dataset, row), cancellationToken)
            .SelectMany(batch => Compute(batch, Features, Keep));
    }

    /// <summary>Computes what the head takes of one picture.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <returns>As many values as the head has inputs.</returns>
    public float[] Embed(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Alone(image, Features, Keep).Values;
    }

    /// <summary>The logits of prepared pictures of one size.</summary>
    /// <param name="pictures">What <see cref="Prepare(Image)"/> gives; not disposed.</param>
    /// <returns>One row for each picture.</returns>
    internal float[][] Logits(IReadOnlyList<ImageTensor> pictures)
    {
        var rows = Run([.. pictures], _network.forward, _options.FoldsBatchNorm);
        return [.. rows.Chunk(rows.Length / pictures.Count)];
    }

    private PicturePrediction Name(ReadPicture picture, ReadOnlySpan<float> logits) =>
        new(picture.File, picture.Error is null ? Scores.Top(Scores.Apply(_function, Tempered(logits)), _labels, _options.TopK) : [], picture.Error);

    private ReadOnlySpan<float> Tempered(ReadOnlySpan<float> logits)
    {
        if (_options.Temperature == 1)
        {
            return logits;
        }

        var divided = new float[logits.Length];
        TensorPrimitives.Divide(logits, (float)_options.Temperature, divided);
        return divided;
    }

    private static PictureFeatures Keep(ReadPicture picture, ReadOnlySpan<float> values) => new(picture.File, values.ToArray(), picture.Error);

    private Tensor Features(Tensor pixels)
    {
        NumberGuard.Require(_network, pixels);
        return _network.Features(pixels);
    }

    private T Alone<T>(Image image, Func<Tensor, Tensor> forward, Func<ReadPicture, ReadOnlySpan<float>, T> finish)
    {
        using var tensor = Prepare(image);
        return finish(new("", tensor, null), Run([tensor], forward, folds: false));
    }

    /// <summary>One answer per picture, in order; disposes the pictures.</summary>
    private T[] Compute<T>(ReadPicture[] pictures, Func<Tensor, Tensor> forward, Func<ReadPicture, ReadOnlySpan<float>, T> finish)
    {
        var answers = new T[pictures.Length];
        try
        {
            // Pictures of one size make a batch; a pipeline without a fixed size makes several.
            foreach (var group in Enumerable.Range(0, pictures.Length).Where(i => pictures[i].Tensor is not null).GroupBy(i => SizeOf(pictures[i].Tensor!)))
            {
                var members = group.ToArray();
                var rows = Run([.. members.Select(m => pictures[m].Tensor!)], forward, _options.FoldsBatchNorm);
                var width = rows.Length / members.Length;
                for (var i = 0; i < members.Length; i++)
                {
                    answers[members[i]] = finish(pictures[members[i]], rows.AsSpan(i * width, width));
                }
            }

            foreach (var failed in Enumerable.Range(0, pictures.Length).Where(i => pictures[i].Tensor is null))
            {
                answers[failed] = finish(pictures[failed], []);
            }
        }
        finally
        {
            Array.ForEach(pictures, p => p.Tensor?.Dispose());
        }

        return answers;
    }

    /// <summary>The rows of a batch of pictures of one size, one after the other.</summary>
    private float[] Run(ImageTensor[] pictures, Func<Tensor, Tensor> forward, bool folds)
    {
        using var scope = NewDisposeScope();
        var pixels = Batch(pictures, SizeOf(pictures[0]));                                        // [B, 3 V, H, W]
        using var alone = EvaluationScope.Enter(_network);
        // Only for as long as the network is held: others may train it between two batches.
        using var folding = folds ? _network.FoldForPrediction() : null;
        using var mode = inference_mode();
        using var autocast = _options.UsesBfloat16 && Autocast.IsAvailable ? Autocast.Open(DeviceType.CPU) : null;
        var rows = OverViews(pixels, forward).cpu();                                              // [B, L] or [B, F]
        return rows.data<float>().ToArray();
    }

    /// <summary>The mean over the views of each picture; as many views at once as pictures go into a batch.</summary>
    private Tensor OverViews(Tensor pixels, Func<Tensor, Tensor> forward)
    {
        if (_views.Count == 1)
        {
            return ThreadTrial.Run(_network, pixels, forward).to(float32);
        }

        var (count, size) = (pixels.shape[0] * _views.Count, pixels.shape);
        var views = pixels.view(count, size[1] / _views.Count, size[2], size[3]);                 // [B V, 3, H, W]
        var parts = new List<Tensor>();
        for (var start = 0L; start < count; start += _options.BatchSize)
        {
            parts.Add(ThreadTrial.Run(_network, views.narrow(0, start, Math.Min(_options.BatchSize, count - start)), forward).to(float32));
        }

        return cat(parts).unflatten(0, size[0], _views.Count).mean([1]);                          // [B, L]
    }

    private static (int Channels, int Height, int Width) SizeOf(ImageTensor picture) => (picture.Channels, picture.Height, picture.Width);

    /// <summary>Pictures of one size as a batch, float [B, C, H, W]; the caller owns it.</summary>
    private static Tensor Batch(ReadOnlySpan<ImageTensor> pictures, (int Channels, int Height, int Width) size)
    {
        var pixels = empty([pictures.Length, size.Channels, size.Height, size.Width], float32);
        var bytes = pixels.bytes;
        for (var i = 0; i < pictures.Length; i++)
        {
            var values = MemoryMarshal.AsBytes(pictures[i].Values);
            values.CopyTo(bytes[(i * values.Length)..]);
        }

        return pixels;
    }

    private IEnumerable<ReadPicture[]> ReadInBatches(int count, Func<int, ReadPicture> read, CancellationToken cancellationToken)
    {
        var reading = ReadAhead(count, read, 0, cancellationToken);
        for (var start = 0; start < count; start += _options.BatchSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var pictures = Join(reading);
            reading = ReadAhead(count, read, start + _options.BatchSize, cancellationToken);
            yield return pictures;
        }
    }

    /// <summary>The views of a picture, one after another.</summary>
    /// <returns>Float [3 V, H, W], or [V, H, W] where the network takes gray pictures; the caller owns it.</returns>
    internal ImageTensor Prepare(Image image)
    {
        if (_views.Count == 1)
        {
            return View(0, image);
        }

        ImageTensor? all = null;
        for (var i = 0; i < _views.Count; i++)
        {
            using var view = View(i, image);
            all ??= new ImageTensor(view.Channels * _views.Count, view.Height, view.Width);
            view.Values.CopyTo(all.Values[(i * view.Values.Length)..]);
        }

        return all!;
    }

    private ImageTensor View(int index, Image image)
    {
        var view = _views[index].Run(image, new Rng(0));
        return _takesGray ? GrayPictures.OneChannel(view) : view;
    }

    private ReadPicture[] Prepare(Image[] images, CancellationToken cancellationToken)
    {
        var pictures = new ReadPicture[images.Length];
        Parallel.For(
            0, images.Length, new ParallelOptions { MaxDegreeOfParallelism = _options.Workers, CancellationToken = cancellationToken },
            i => pictures[i] = new("", Prepare(images[i]), null));
        return pictures;
    }

    private Task<ReadPicture[]>? ReadAhead(int rows, Func<int, ReadPicture> read, int start, CancellationToken cancellationToken)
    {
        if (start >= rows)
        {
            return null;
        }

        var count = Math.Min(_options.BatchSize, rows - start);
        return Task.Factory.StartNew(
            () =>
            {
                var pictures = new ReadPicture[count];
                Parallel.For(
                    0, count, new ParallelOptions { MaxDegreeOfParallelism = _options.Workers, CancellationToken = cancellationToken },
                    i => pictures[i] = read(start + i));
                return pictures;
            },
            cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    // The network runs on this thread while the next batch is read on others; waiting for them blocks no one else.
    private static ReadPicture[] Join(Task<ReadPicture[]>? reading) => reading!.GetAwaiter().GetResult();

    private ReadPicture Read(ImageDataset dataset, int row) => Read(dataset[row].Name, () => dataset.LoadImage(row, _decoding));

    private ReadPicture Read(string file, Func<Image> load)
    {
        try
        {
            using var image = load();
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

    private sealed record ReadPicture(string File, ImageTensor? Tensor, string? Error);
}
