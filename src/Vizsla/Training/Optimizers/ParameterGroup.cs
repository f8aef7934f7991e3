using TorchSharp.Modules;

namespace Vizsla.Training.Optimizers;

/// <summary>A parameter under its name in the model's files.</summary>
/// <param name="Name">Hub name, such as <c>classifier.weight</c>.</param>
/// <param name="Value">The parameter; the network's.</param>
public sealed record NamedParameter(string Name, Parameter Value);

/// <summary>Parameters that learn at one rate with one weight decay.</summary>
public sealed class ParameterGroup
{
    /// <summary>Makes a group.</summary>
    /// <param name="parameters">Its parameters in the network's order.</param>
    /// <param name="learningRate">Base learning rate.</param>
    /// <param name="weightDecay">Weight decay, 0 or more.</param>
    public ParameterGroup(IReadOnlyList<NamedParameter> parameters, double learningRate, double weightDecay)
    {
        (Parameters, LearningRate, BaseLearningRate, WeightDecay) = (parameters, learningRate, learningRate, weightDecay);
    }

    /// <summary>The parameters in the network's order.</summary>
    public IReadOnlyList<NamedParameter> Parameters { get; }

    /// <summary>Learning rate of the coming step.</summary>
    public double LearningRate { get; set; }

    /// <summary>Learning rate that the schedule multiplies.</summary>
    public double BaseLearningRate { get; }

    /// <summary>Weight decay.</summary>
    public double WeightDecay { get; }
}
