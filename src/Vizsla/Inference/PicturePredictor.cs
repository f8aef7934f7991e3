using System.Runtime.InteropServices;
using TorchSharp;
using Vizsla.Imaging;
using Vizsla.Models;
using Vizsla.Native;
using Vizsla.Primitives;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Inference;

/// <summary>Runs many picture files through a network, the next batch being read while the last one is computed.</summary>
/// <remarks>Source: transformers <c>pipeline("image-classification")</c>: EXIF transposition, RGB, the model's preprocessing, softmax. Parity: 1e-5.</remarks>
// Shapes: B batch, H height, W width, L labels.
public sealed partial class PicturePredictor
{
    private readonly ClassificationNetwork _network;
    private readonly IReadOnlyList<string> _labels;
    private readonly Compose _pipeline;
    private readonly PicturePredictorOptions _options;
    private readonly ScoreFunction _function;
    private readonly DecodeOptions? _decoding;

    /// <param name="network">The network, in evaluation mode; the caller keeps it.</param>
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
        if (_options.FastDecode)
        {
            _decoding = pipeline.FastDecode ?? throw new ArgumentException(pipeline.FastDecodeProblem, nameof(options));
        }

        _function = _options.Function ?? Scores.DefaultFunction(network.Configuration.Id2Label.Count, network.Configuration.ProblemType);
    }

    /// <summary>Predicts files in their order; a file that cannot be read says why and the others go on.</summary>
    /// <param name="files">Paths of pictures.</param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>One answer per file, in order, as batches are done.</returns>
    public IEnumerable<PicturePrediction> Predict(IReadOnlyList<string> files, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(files);
        using var folding = _options.FoldsBatchNorm ? _network.FoldForPrediction() : null;
        var reading = ReadAhead(files, 0, cancellationToken);
        for (var start = 0; start < files.Count; start += _options.BatchSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var pictures = Join(reading);
            reading = ReadAhead(files, start + _options.BatchSize, cancellationToken);
            foreach (var answer in Compute(pictures))
            {
                yield return answer;
            }
        }
    }

    /// <summary>Predicts one picture.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <returns>The likeliest classes, best first.</returns>
    public IReadOnlyList<Prediction> Predict(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Compute([new("", _pipeline.Run(image, new Rng(0)), null)])[0].Predictions;
    }

    private PicturePrediction[] Compute(ReadPicture[] pictures)
    {
        var answers = new PicturePrediction[pictures.Length];
        // Pictures of one size make a batch; a pipeline without a fixed size makes several.
        var groups = Enumerable.Range(0, pictures.Length).Where(i => pictures[i].Tensor is not null)
            .GroupBy(i => (pictures[i].Tensor!.Channels, pictures[i].Tensor!.Height, pictures[i].Tensor!.Width));
        foreach (var group in groups)
        {
            var members = group.ToArray();
            var logits = Logits(pictures, members, group.Key);
            var width = logits.Length / members.Length;
            for (var i = 0; i < members.Length; i++)
            {
                var scores = Scores.Apply(_function, logits.AsSpan(i * width, width));
                answers[members[i]] = new(pictures[members[i]].File, Scores.Top(scores, _labels, _options.TopK));
            }
        }

        for (var i = 0; i < pictures.Length; i++)
        {
            answers[i] ??= new(pictures[i].File, [], pictures[i].Error);
            pictures[i].Tensor?.Dispose();
        }

        return answers;
    }

    private float[] Logits(ReadPicture[] pictures, int[] members, (int Channels, int Height, int Width) size)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        using var autocast = _options.UsesBfloat16 && Autocast.IsAvailable ? Autocast.Open(DeviceType.CPU) : null;
        var pixels = Batch([.. members.Select(m => pictures[m].Tensor!)], size);                  // [B, 3, H, W]
        var logits = _network.forward(pixels).to(float32).cpu();                                  // [B, L]
        return logits.data<float>().ToArray();
    }

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

    private Task<ReadPicture[]>? ReadAhead(IReadOnlyList<string> files, int start, CancellationToken cancellationToken)
    {
        if (start >= files.Count)
        {
            return null;
        }

        var count = Math.Min(_options.BatchSize, files.Count - start);
        return Task.Factory.StartNew(
            () =>
            {
                var pictures = new ReadPicture[count];
                Parallel.For(
                    0, count, new ParallelOptions { MaxDegreeOfParallelism = _options.Workers, CancellationToken = cancellationToken },
                    i => pictures[i] = Read(files[start + i]));
                return pictures;
            },
            cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    // The network runs on this thread while the next batch is read on others; waiting for them blocks no one else.
    private static ReadPicture[] Join(Task<ReadPicture[]>? reading) => reading!.GetAwaiter().GetResult();

    private ReadPicture Read(string file)
    {
        try
        {
            using var image = ImageCodec.Load(file, _decoding);
            return new(file, _pipeline.Run(image, new Rng(0)), null);
        }
        catch (ImageFormatException e)
        {
            return new(file, null, e.Reason);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(file, null, e.Message);
        }
    }

    private sealed record ReadPicture(string File, ImageTensor? Tensor, string? Error);
}
