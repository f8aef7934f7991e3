using Vizsla.Loading;
using Vizsla.Models.Layers;
using Vizsla.Training.Arguments;
using Vizsla.Training.Data;
using Vizsla.Transforms;
using static TorchSharp.torch;
using Scalars = Vizsla.Native.KeptScalars;
using TorchGenerator = Vizsla.Native.TorchGenerator;

namespace Vizsla.Training;

// Shapes: B pictures of a micro-batch, L labels.

/// <summary>A second part of the loss: how far the softened scores are from those of a teacher, a larger model of the same classes.</summary>
/// <remarks>
/// (1 - alpha) * loss + alpha * T² * KL(softmax(teacher / T) || softmax(student / T)), the divergence summed over the pictures of a step and divided by their number.
/// Where nothing random is in the pictures the teacher sees each once, prepared as its own processor has it; otherwise it sees the student's, brought to its mean, deviation and size.
/// Source: <c>ImageDistilTrainer</c> of transformers' guide to knowledge distillation, <c>KLDivLoss(reduction="batchmean")</c>. Parity: 1e-6.
/// </remarks>
internal sealed class Distillation : IDisposable
{
    private readonly ImageClassifier _teacher;
    private readonly ComputeContext _compute;
    private readonly ImageDataset _train;
    private readonly Compose _pipeline;
    private readonly bool _keeps;
    private readonly float[]?[] _kept;

    private Distillation(ImageClassifier teacher, ComputeContext compute, ImageDataset train)
    {
        (_teacher, _train, _pipeline) = (teacher, train, teacher.Processor.ToPipeline());
        var arguments = compute.Arguments;
        _compute = ComputeContext.Of(arguments with { DataRng = DataRng.Sample, DataloaderDropLast = false }, teacher.Network, Collator.Default);
        _keeps = train.Transform is { IsRandom: false } && arguments.MixupAlpha == 0 && arguments.CutmixAlpha == 0;
        _kept = new float[train.Count][];
        teacher.Network.Evaluate();
    }

    /// <summary>The teacher that the arguments name; null where they name none. Draws nothing.</summary>
    /// <param name="compute">Arguments and device.</param>
    /// <param name="labels">The student's classes.</param>
    /// <param name="train">The training split.</param>
    /// <exception cref="ArgumentsException">The teacher's classes are others, or in another order.</exception>
    public static Distillation? For(ComputeContext compute, IReadOnlyList<string> labels, ImageDataset train)
    {
        if (compute.Arguments.Teacher is not { } name)
        {
            return null;
        }

        var generator = TorchGenerator.GetState();
        var teacher = ImageClassifier.FromPretrained(name);
        TorchGenerator.SetState(generator);
        if (Problem(name, teacher.Labels, labels) is { } problem)
        {
            teacher.Dispose();
            throw new ArgumentsException(problem);
        }

        return new(teacher, compute, train);
    }

    /// <summary>What the teacher gives for a micro-batch.</summary>
    /// <param name="images">The pictures and their rows.</param>
    /// <param name="pixels">The student's pixels on the device, float [B, C, H, W]; null where features take their place.</param>
    /// <returns>Float32 [B, L] without a gradient; the caller owns it.</returns>
    public Tensor Logits(ImageBatch images, Tensor? pixels)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        if (!_keeps && pixels is not null)
        {
            return Forward(Converted(pixels)).MoveToOuterDisposeScope();
        }

        int[] rows = [.. images.Rows.AsSpan(0, images.Count)];
        int[] missing = [.. rows.Where(row => _kept[row] is null).Distinct()];
        if (missing.Length > 0)
        {
            Keep(missing);
        }

        return tensor(rows.SelectMany(row => _kept[row]!).ToArray(), [rows.Length, _teacher.Labels.Count], device: _compute.Device).MoveToOuterDisposeScope();
    }

    /// <summary>The loss with the teacher's part.</summary>
    /// <param name="loss">That of the labels, a scalar of the scope.</param>
    /// <param name="logits">The student's, float32 [B, L].</param>
    /// <param name="teacher">The teacher's, float32 [B, L].</param>
    /// <param name="arguments">Alpha and temperature.</param>
    /// <param name="count">Pictures of the whole step.</param>
    /// <returns>A scalar of the scope.</returns>
    public static Tensor Mix(Tensor loss, Tensor logits, Tensor teacher, TrainingArguments arguments, double count)
    {
        var (alpha, temperature) = (arguments.DistillationAlpha, arguments.Temperature);
        var target = Scalars.Over(teacher, temperature).log_softmax(1);                          // [B, L]
        var divergence = target.exp().mul(target.Minus(Scalars.Over(logits, temperature).log_softmax(1))).sum();
        return Scalars.Times(loss, 1 - alpha).Plus(Scalars.Times(divergence, alpha * temperature * temperature / count));
    }

    public void Dispose() => _teacher.Dispose();

    private static string? Problem(string name, IReadOnlyList<string> teacher, IReadOnlyList<string> labels)
    {
        const string cure = "train the teacher on this dataset first";
        return teacher.Count != labels.Count ? $"The teacher '{name}' has {teacher.Count} labels and the model has {labels.Count}: {cure}."
            : Enumerable.Range(0, labels.Count).Where(i => teacher[i] != labels[i]).Select(i => $"The labels of the teacher '{name}' are not the model's: number {i} is '{teacher[i]}' and '{labels[i]}'; {cure}.").FirstOrDefault();
    }

    private Tensor Forward(Tensor pixels) => _teacher.Network.call(pixels).to(ScalarType.Float32);

    private void Keep(int[] missing)
    {
        var source = new BatchSource(_train.WithTransform(_pipeline), _compute.Arguments, _compute.Arguments.PerDeviceEvalBatchSize);
        foreach (var batch in source.Load(missing, epoch: 0))
        {
            using (batch)
            using (NewDisposeScope())
            {
                var numbers = Forward(_compute.Collate(batch).PixelValues).cpu().data<float>().ToArray();
                foreach (var (logits, i) in numbers.Chunk(_teacher.Labels.Count).Select((logits, i) => (logits, i)))
                {
                    _kept[batch.Images.Rows[i]] = logits;
                }
            }
        }
    }

    // Pixels of the student's mean, deviation and size as the teacher takes them; the same tensor where all of that is equal.
    private Tensor Converted(Tensor pixels)
    {
        var (from, to) = (NormOf(_train.Transform), NormOf(_pipeline));
        var x = pixels;
        if (!from.Equals(to))
        {
            x = x.Times(PerChannel(from.Std)).Plus(PerChannel(from.Mean)).Minus(PerChannel(to.Mean)).div(PerChannel(to.Std));
        }

        return _pipeline.OutputSize is { } size && (size.Height != x.shape[2] || size.Width != x.shape[3])
            ? AntialiasedBicubic.Resize(x, (size.Height, size.Width))
            : x;

        Tensor PerChannel(IEnumerable<double> values) => tensor(values.Select(v => (float)v).ToArray(), device: pixels.device).reshape(1, -1, 1, 1);
    }

    private static Normalize NormOf(Compose? pipeline) => pipeline?.Transforms.OfType<Normalize>().LastOrDefault() ?? new Normalize([0, 0, 0], [1, 1, 1]);
}
