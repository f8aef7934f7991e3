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
    // Sides beside the network's own, as shares of it.
    private static readonly double[] Shares = [1, 8 / 7.0, 9 / 7.0, 10 / 7.0];

    private const int SideStep = 32;

    private readonly ImageClassifier _model;
    private readonly HeadSearch _search;

    private HeadProbe(ImageClassifier model, HeadSearch search) => (_model, _search) = (model, search);

    /// <summary>What the lowest log loss of cross-validation chose.</summary>
    public HeadCandidate Chosen => _search.Chosen;

    /// <summary>Everything that was tried, with its log loss.</summary>
    public IReadOnlyList<HeadCandidate> Tried => _search.Tried;

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
            : arguments.SwaEpochs > 0 ? "swa_epochs"
            : arguments.Teacher is not null ? "teacher"
            : null;
        return problem is null
            ? arguments with { Freeze = ["backbone"], FeatureCache = true }
            : throw new ArgumentsException($"optim lbfgs_head solves the head of a frozen backbone to its optimum, which has no place for {problem}.");
    }

    /// <summary>Computes features, and chooses picture size, mirror images and constant by cross-validation; the processor of the model becomes that of the size.</summary>
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

        var search = new HeadSearch([.. Enumerable.Range(0, train.Count).Select(train.Label)], model.Labels.Count, stop);
        var best = default((int? Side, ImageProcessor Processor, float[][] Plain)?);
        foreach (var (side, processor) in Sizes(model, train))
        {
            float[][] plain;
            try
            {
                plain = Features(compute, Pictures(side, processor), mirrored: false, stop);
            }
            catch (ArgumentException) when (best is not null)
            {
                // Its own size came first and worked: the network does not take this one.
                continue;
            }

            best = search.Try(side, [plain]) ? (side, processor, plain) : best;
        }

        var (size, chosen, own) = best!.Value;
        _ = search.Try(size, [own, Features(compute, Pictures(size, chosen), mirrored: true, stop)]);
        if (size is { } pixels)
        {
            Apply(model, pixels, chosen);
        }

        Told(logger, size, search.Chosen.IsMirrored, search.Chosen.Constant, search.Chosen.Temperature, search.Chosen.LogLoss);
        return new HeadProbe(model, search);

        ImageDataset Pictures(int? side, ImageProcessor processor) => side is null ? train : train.WithTransform(processor.ToPipeline());
    }

    /// <summary>Solves the head and writes it into the network.</summary>
    public void Solve(CancellationToken stop = default)
    {
        var solution = _search.Solve(stop);
        var head = HeadLayer(_model.Network)!.Value;
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var weights = solution.Weights.SelectMany(row => row.Select(w => (float)(w / Chosen.Temperature))).ToArray();
        head.Weight.copy_(tensor(weights, [solution.Weights.Count, solution.Weights[0].Length]).reshape(head.Weight.shape));
        head.Bias.copy_(tensor(solution.Intercepts.Select(b => (float)(b / Chosen.Temperature)).ToArray()));
    }

    /// <summary>Features of pictures, [N][D].</summary>
    public static float[][] Features(ComputeContext compute, ImageDataset pictures, bool mirrored, CancellationToken stop) =>
        FeatureCache.Compute(compute, pictures, [.. Enumerable.Range(0, pictures.Count)], mirrored, stop);

    /// <summary>Sizes that are tried, the network's own first.</summary>
    public static IEnumerable<(int? Side, ImageProcessor Processor)> Sizes(ImageClassifier model, ImageDataset train)
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

    [LoggerMessage(Level = LogLevel.Information, Message = "Cross-validation on the training photos chose pictures of {Side} pixels, mirror images: {Mirrored}, constant {Constant:g4}, temperature {Temperature:g3}: log loss {LogLoss:f4}.")]
    private static partial void Told(ILogger logger, int? side, bool mirrored, double constant, double temperature, double logLoss);
}

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
