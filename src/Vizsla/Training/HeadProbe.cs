using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using TorchSharp;
using Vizsla.Analysis;
using Vizsla.Models;
using Vizsla.Training.Arguments;
using Vizsla.Training.Data;
using Vizsla.Training.Optimizers;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Training;

/// <summary>The head of a frozen network solved in the place of trained: multinomial logistic regression on its features, with what cross-validation on the training photos chose.</summary>
/// <remarks>Source: scikit-learn <c>LogisticRegression</c>, <c>StratifiedKFold</c>. The photos of a fold and their mirror images stay in that fold.</remarks>
internal sealed partial class HeadProbe
{
    private const int MostFolds = 5;

    // Sides beside the network's own, as shares of it.
    private static readonly double[] Shares = [1, 8 / 7.0, 9 / 7.0, 10 / 7.0];

    // Constants that are tried, times the number of features over the mean squared length of a row: the scale of the features does not matter.
    private static readonly double[] Constants = [0.1, 0.3, 1, 3, 10];

    private const int SideStep = 32;
    private const double SearchTolerance = 1e-4;

    private readonly ImageClassifier _model;
    private readonly double[][] _features;
    private readonly int[] _labels;

    private HeadProbe(ImageClassifier model, double[][] features, int[] labels, HeadCandidate chosen, IReadOnlyList<HeadCandidate> tried) =>
        (_model, _features, _labels, Chosen, Tried) = (model, features, labels, chosen, tried);

    /// <summary>What the lowest log loss of cross-validation chose.</summary>
    public HeadCandidate Chosen { get; }

    /// <summary>Everything that was tried, with its log loss.</summary>
    public IReadOnlyList<HeadCandidate> Tried { get; }

    /// <summary>The arguments of a run that solves its head: nothing else trains, and features are computed once.</summary>
    /// <exception cref="ArgumentsException">Something was asked that a solved head has no place for.</exception>
    public static TrainingArguments Complete(TrainingArguments arguments)
    {
        if (arguments.Optim != OptimizerName.LbfgsHead)
        {
            return arguments;
        }

        var problem = arguments.UnfreezeAtEpoch is not null ? "unfreeze_at_epoch: train the run further with another optim in its place"
            : arguments.Freeze.Any(f => f != "backbone") ? "freeze beside backbone"
            : arguments.LabelSmoothingFactor > 0 ? "label_smoothing_factor"
            : arguments.ClassWeights is not null ? "class_weights"
            : arguments.MixupAlpha > 0 || arguments.CutmixAlpha > 0 ? "mixup_alpha and cutmix_alpha"
            : arguments.EmaDecay > 0 ? "ema_decay"
            : null;
        return problem is null
            ? arguments with { Freeze = ["backbone"], FeatureCache = true }
            : throw new ArgumentsException($"optim lbfgs_head solves the head of a frozen backbone to its optimum, which has no place for {problem}.");
    }

    /// <summary>Computes features at every size that the network takes, and chooses size, mirror images and constant by cross-validation; the processor of the model becomes that of the size.</summary>
    /// <param name="model">The model; its head is not looked at.</param>
    /// <param name="compute">Where it computes.</param>
    /// <param name="train">The training split; other sizes are tried where its pipeline is the processor's own.</param>
    /// <param name="logger">Is told what was chosen.</param>
    /// <param name="stop">Ends the search after the batch that runs.</param>
    /// <exception cref="ArgumentsException">The head is more than one linear layer.</exception>
    public static HeadProbe Choose(ImageClassifier model, ComputeContext compute, ImageDataset train, ILogger logger, CancellationToken stop)
    {
        if (HeadLayer(model.Network) is null)
        {
            throw new ArgumentsException($"optim lbfgs_head solves a head of one linear layer, which {model.Network.ClassName} has not; choose another optim.");
        }

        int[] labels = [.. Enumerable.Range(0, train.Count).Select(train.Label)];
        var smallest = labels.CountBy(l => l).Min(c => c.Value);
        var folds = smallest >= 2 ? StratifiedFolds.Of(labels, Math.Min(MostFolds, smallest)) : null;
        var tried = new List<HeadCandidate>();
        var best = new Dictionary<HeadCandidate, (double[][] Features, ImageProcessor Processor)>();
        foreach (var (side, processor) in Sizes(model, train))
        {
            var pictures = side is null ? train : train.WithTransform(processor.ToPipeline());
            double[][] plain;
            try
            {
                plain = Features(compute, pictures, mirrored: false, stop);
            }
            catch (ArgumentException) when (tried.Count > 0)
            {
                // Its own size came first and worked: the network does not take this one.
                continue;
            }

            var mirrored = Features(compute, pictures, mirrored: true, stop);
            foreach (var features in new[] { plain, [.. plain, .. mirrored] })
            {
                var candidate = Best(features, labels, model.Labels.Count, folds, stop) with { Side = side, IsMirrored = features.Length > plain.Length };
                tried.Add(candidate);
                best.Add(candidate, (features, processor));
            }
        }

        var chosen = tried.MinBy(c => c.LogLoss)!;
        if (chosen.Side is { } size)
        {
            Apply(model, size, best[chosen].Processor);
        }

        Told(logger, chosen.Side, chosen.IsMirrored, chosen.Constant, chosen.LogLoss);
        return new HeadProbe(model, best[chosen].Features, [.. labels, .. chosen.IsMirrored ? labels : []], chosen, tried);
    }

    /// <summary>Solves the head and writes it into the network.</summary>
    public void Solve(CancellationToken stop = default)
    {
        var solution = LogisticRegression.Fit(_features, _labels, _model.Labels.Count, Chosen.Constant, stop);
        var head = HeadLayer(_model.Network)!.Value;
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var weights = solution.Weights.SelectMany(row => row.Select(w => (float)w)).ToArray();
        head.Weight.copy_(tensor(weights, [solution.Weights.Count, _features[0].Length]).reshape(head.Weight.shape));
        head.Bias.copy_(tensor(solution.Intercepts.Select(b => (float)b).ToArray()));
    }

    // The constant of the lowest mean log loss of photos that the fit did not see; without folds the middle one.
    private static HeadCandidate Best(double[][] features, int[] labels, int classCount, int[]? folds, CancellationToken stop)
    {
        var copies = features.Length / labels.Length;
        var scale = features[0].Length / features.Average(row => row.Sum(x => x * x)) / copies;
        var constants = Constants.Select(c => c * scale).ToArray();
        if (folds is null)
        {
            return new HeadCandidate(null, false, constants[constants.Length / 2], double.PositiveInfinity);
        }

        int[] Repeated(int[] values) => [.. Enumerable.Repeat(values, copies).SelectMany(v => v)];
        var logits = LogisticRegression.OutOfFold(features, Repeated(labels), classCount, constants, Repeated(folds), stop, SearchTolerance);
        var losses = logits.Select(l => Enumerable.Range(0, labels.Length).Average(row => -Math.Log(Math.Max(LogisticRegression.Softmax(l[row])[labels[row]], double.Epsilon)))).ToList();
        var at = losses.IndexOf(losses.Min());
        return new HeadCandidate(null, false, constants[at], losses[at]);
    }

    private static double[][] Features(ComputeContext compute, ImageDataset pictures, bool mirrored, CancellationToken stop) =>
        [.. FeatureCache.Compute(compute, pictures, [.. Enumerable.Range(0, pictures.Count)], mirrored, stop).Select(row => Array.ConvertAll(row, x => (double)x))];

    // Its own first.
    private static IEnumerable<(int? Side, ImageProcessor Processor)> Sizes(ImageClassifier model, ImageDataset train)
    {
        var own = model.Processor;
        if (train.Transform is null || !train.Transform.Equals(own.ToPipeline()) || own.ToPipeline().OutputSize is not { } size || size.Height != size.Width)
        {
            yield return (null, own);
            yield break;
        }

        foreach (var share in Shares)
        {
            var side = share == 1 ? size.Height : (int)Math.Round(size.Height * share / SideStep) * SideStep;
            yield return (side, share == 1 ? own : Resized(model, side));
        }
    }

    private static ImageProcessor Resized(ImageClassifier model, int side)
    {
        if (model.Configuration.IsTimm)
        {
            return ImageProcessor.FromTimm(TimmConfiguration(model, side));
        }

        var own = model.Processor;
        var share = (double)side / (own.CropSize ?? own.Size).Height;
        return own with { CropSize = own.CropSize is { } crop ? Scaled(crop) : null, Size = Scaled(own.Size) };

        ImageSize Scaled(ImageSize size) => size.IsSide
            ? new ImageSize((int)Math.Round(size.Height * share))
            : new ImageSize((int)Math.Round(size.Height * share), (int)Math.Round(size.Width * share));
    }

    private static JsonObject TimmConfiguration(ImageClassifier model, int side)
    {
        var settings = (JsonObject)(model.Configuration.Json["pretrained_cfg"] ?? new JsonObject()).DeepClone();
        settings["input_size"] = new JsonArray(3, side, side);
        return settings;
    }

    private static void Apply(ImageClassifier model, int side, ImageProcessor processor)
    {
        if (model.Configuration.IsTimm)
        {
            model.Configuration.Set("pretrained_cfg", TimmConfiguration(model, side));
        }

        model.Processor = processor;
    }

    private static (Tensor Weight, Tensor Bias)? HeadLayer(ClassificationNetwork network)
    {
        var parameters = network.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter, StringComparer.Ordinal);
        return network.HeadParameterNames is [var weight, var bias] && parameters.TryGetValue(weight, out var w) && parameters.TryGetValue(bias, out var b) && w.shape[0] == b.shape[0] ? (w, b) : null;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Cross-validation on the training photos chose pictures of {Side} pixels, mirror images: {Mirrored}, constant {Constant:g4}: log loss {LogLoss:f4}.")]
    private static partial void Told(ILogger logger, int? side, bool mirrored, double constant, double logLoss);
}

/// <summary>What was tried for a head that is solved.</summary>
/// <param name="Side">Side of the pictures in pixels; null for the pipeline's own.</param>
/// <param name="IsMirrored">Whether mirror images are among the rows.</param>
/// <param name="Constant">Weight of the losses against the size of the weights.</param>
/// <param name="LogLoss">Mean log loss of photos that the fit did not see, in nats; infinite where a class has too few photos for folds.</param>
internal sealed record HeadCandidate(int? Side, bool IsMirrored, double Constant, double LogLoss);

/// <summary>Takes one step to the optimum, and none after it.</summary>
internal sealed class SolvedHead(IReadOnlyList<ParameterGroup> groups, HeadProbe probe) : Optimizer(groups)
{
    private bool _isSolved;

    public override IReadOnlyDictionary<string, object?> Options => new Dictionary<string, object?>();

    public override void Step()
    {
        if (!_isSolved)
        {
            probe.Solve();
            _isSolved = true;
        }
    }
}
