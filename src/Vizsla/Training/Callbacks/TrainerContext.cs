using Vizsla.Models;
using Vizsla.Training.Metrics;
using static TorchSharp.torch;

namespace Vizsla.Training.Callbacks;

/// <summary>What a callback sees of the run.</summary>
/// <param name="Arguments">What was asked.</param>
/// <param name="State">Where the run stands.</param>
/// <param name="Control">What comes next; a callback may change it.</param>
/// <param name="Network">The network in training; the trainer's, not to be disposed.</param>
public sealed record TrainerContext(TrainingArguments Arguments, TrainerState State, TrainerControl Control, ClassificationNetwork Network)
{
    /// <summary>Where the run's files lie.</summary>
    public string OutputDir => Arguments.OutputDir;

    /// <summary>Names of the classes, in the order of the logits.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Largest learning rate of all parameter groups at this step: with layer-wise decay that of the head.</summary>
    public double LearningRate { get; internal set; }

    /// <summary>L2 norm of all gradients before clipping at the last step, a scalar that lives until the step ends; null between steps.</summary>
    public Tensor? GradientNorm { get; internal set; }

    /// <summary>Loss of the last micro-batch, divided as it was for the gradient, a scalar that lives until the step ends; null between steps.</summary>
    /// <remarks>Reading its value stalls a GPU.</remarks>
    public Tensor? MicroBatchLoss { get; internal set; }

    /// <summary>The batch of the last micro-batch as the model saw it, float [B, C, H, W]; null between steps.</summary>
    public Tensor? PixelValues { get; internal set; }

    /// <summary>Logits and classes of the last evaluation; null before the first.</summary>
    public EvalPrediction? LastPrediction { get; internal set; }

    /// <summary>Rows of the pictures of this step in the training split.</summary>
    public IReadOnlyList<int> Rows { get; internal set; } = [];

    /// <summary>Forgets an earlier training of the same trainer.</summary>
    internal void Reset()
    {
        State.CopyFrom(new TrainerState());
        Control.Reset();
        (LastPrediction, Rows) = (null, []);
    }
}
