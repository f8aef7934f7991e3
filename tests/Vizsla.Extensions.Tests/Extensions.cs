using TorchSharp;
using TorchSharp.Modules;
using Vizsla.Imaging;
using Vizsla.Loading;
using Vizsla.Models;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Data;
using Vizsla.Training.Metrics;
using Vizsla.Training.Optimizers;
using Vizsla.Training.Schedules;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Extensions.Tests;

/// <summary>A transform: turns the colors around with a probability.</summary>
internal sealed record Negative(double Probability) : ImageTransform
{
    public override Image Apply(Image image, Rng rng)
    {
        if (rng.NextDouble() >= Probability)
        {
            return image;
        }

        var negative = image.Clone();
        foreach (ref var value in negative.Pixels)
        {
            value = (byte)(255 - value);
        }

        return negative;
    }
}

/// <summary>A metric: the accuracy of the class that is recognized worst.</summary>
internal sealed class WorstClass : Metric
{
    public override string Name => "worst_class";

    public override bool GreaterIsBetter => true;

    public override double Compute(EvalPrediction prediction) => Enumerable.Range(0, prediction.Count)
        .GroupBy(row => prediction.LabelIds[row]).Min(rows => rows.Average(row => prediction.Predicted(row) == rows.Key ? 1.0 : 0.0));
}

/// <summary>A callback: ends the training after a number of steps.</summary>
internal sealed class StopAfter(int steps) : TrainerCallback
{
    public List<double> Rates { get; } = [];

    public override void OnStepEnd(TrainerContext context)
    {
        Rates.Add(context.LearningRate);
        context.Control.ShouldTrainingStop |= context.State.GlobalStep >= steps;
    }
}

/// <summary>A collator: half of the brightness, and a count of its batches.</summary>
internal sealed class Dimming : Collator
{
    public int BatchCount { get; private set; }

    public override ModelInputs Collate(ImageBatch batch)
    {
        BatchCount++;
        var inputs = ModelInputs.Of(batch);
        using var mode = no_grad();
        _ = inputs.PixelValues.mul_(0.5);
        return inputs;
    }
}

/// <summary>An optimizer: the sign of the gradient times the rate.</summary>
internal sealed class SignDescent(IReadOnlyList<ParameterGroup> groups) : Optimizer(groups)
{
    public override IReadOnlyDictionary<string, object?> Options { get; } = new Dictionary<string, object?>();

    public override void Step()
    {
        using var mode = no_grad();
        foreach (var group in Groups)
        {
            foreach (var (name, parameter) in group.Parameters)
            {
                using var scope = NewDisposeScope();
                if (parameter.grad is { } gradient)
                {
                    StateOf(name).Step++;
                    _ = parameter.sub_(gradient.sign() * group.LearningRate);
                }
            }
        }
    }
}

/// <summary>A schedule: half of the rate after each step.</summary>
internal sealed class Halving(Optimizer optimizer) : Schedule([.. optimizer.Groups.Select(g => g.BaseLearningRate)])
{
    public override void Step()
    {
        StepCount++;
        for (var group = 0; group < BaseRates.Count; group++)
        {
            SetRate(group, BaseRates[group] / (1 << StepCount));
        }
    }
}

/// <summary>An architecture: one convolution, the mean over the picture, a linear head.</summary>
internal sealed class OneLayerNetwork : ClassificationNetwork
{
    public const string ModelType = "one_layer";
    private const string Class = "OneLayerForImageClassification";
    private const int Channels = 8;
    private readonly Conv2d _stem;
    private readonly Linear _classifier;

    public OneLayerNetwork(ModelConfiguration configuration)
        : base(configuration, Class, "one_layer.")
    {
        _stem = Add("one_layer.stem", nn.Conv2d(3, Channels, kernel_size: 4, stride: 4));
        _classifier = Add("classifier", nn.Linear(Channels, configuration.LabelCount));
    }

    public static Architecture Entry { get; } = new(ModelType, [Class], configuration => new OneLayerNetwork(configuration));

    public override IReadOnlyList<string> HeadParameterNames => ["classifier.weight", "classifier.bias"];

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        return nn.functional.relu(_stem.forward(pixels)).mean([2, 3]).MoveToOuterDisposeScope();
    }

    public override Tensor Head(Tensor features) => _classifier.forward(features);

    public override void Initialize()
    {
        _stem.reset_parameters();
        InitializeHead();
    }

    public override void InitializeHead()
    {
        using var mode = no_grad();
        _ = nn.init.normal_(_classifier.weight, 0, 0.02);
        _ = nn.init.zeros_(_classifier.bias!);
    }
}
