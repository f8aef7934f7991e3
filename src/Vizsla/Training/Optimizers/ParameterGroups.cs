using System.Text.RegularExpressions;
using TorchSharp.Modules;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Training.Arguments;

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

/// <summary>Sorts the parameters of a network by learning rate and weight decay.</summary>
internal static class ParameterGroups
{
    private static readonly bool[] DecayedFirst = [true, false];

    /// <summary>The groups that the arguments ask for.</summary>
    /// <param name="network">The network.</param>
    /// <param name="arguments">Learning rates and decays.</param>
    /// <param name="trained">Names of the parameters that train at some time; null for all.</param>
    /// <returns>
    /// Without layer-wise decay: the decayed and the undecayed parameters, two groups even where one is empty, and two more for each further learning rate.
    /// With it: one group per layer and kind of decay, in the order of the network.
    /// </returns>
    /// <remarks>Source: <c>Trainer.create_optimizer</c> of transformers; timm's <c>param_groups_layer_decay</c>. Parity: exact.</remarks>
    /// <exception cref="ArgumentException">The layers of this network are not known.</exception>
    public static IReadOnlyList<ParameterGroup> Create(ClassificationNetwork network, TrainingArguments arguments, IReadOnlySet<string>? trained = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(arguments);
        var parameters = network.named_parameters().Where(p => trained?.Contains(p.name) ?? true).Select(p => new NamedParameter(p.name, p.parameter)).ToList();
        return arguments.LayerDecay < 1 ? ByLayer(network, parameters, arguments) : ByRate(network, parameters, arguments);
    }

    private static List<ParameterGroup> ByRate(ClassificationNetwork network, List<NamedParameter> parameters, TrainingArguments arguments)
    {
        var decayed = WeightDecayRule.DecayedNames(network);
        var rates = parameters.Select(p => BaseRate(p.Name, arguments)).Prepend(arguments.LearningRate).Distinct();
        return
        [
            .. from rate in rates
               from decays in DecayedFirst
               let members = parameters.Where(p => BaseRate(p.Name, arguments) == rate && decayed.Contains(p.Name) == decays).ToList()
               select new ParameterGroup(members, rate, decays ? arguments.WeightDecay : 0),
        ];
    }

    private static List<ParameterGroup> ByLayer(ClassificationNetwork network, List<NamedParameter> parameters, TrainingArguments arguments)
    {
        var layers = LayerOrder.Of(network);
        var last = layers.Values.Max();
        return
        [
            .. from p in parameters
               let rate = BaseRate(p.Name, arguments) * Math.Pow(arguments.LayerDecay, last - layers[p.Name])
               // timm: vectors and scalars do not decay.
               group p by (Layer: layers[p.Name], Rate: rate, Decay: p.Value.dim() <= 1 ? 0 : arguments.WeightDecay) into members
               select new ParameterGroup([.. members], members.Key.Rate, members.Key.Decay),
        ];
    }

    private static double BaseRate(string name, TrainingArguments arguments)
    {
        foreach (var (pattern, rate) in arguments.ParameterLearningRates)
        {
            if (ParameterPattern.Matches(pattern, name))
            {
                return rate;
            }
        }

        return arguments.LearningRate;
    }
}

/// <summary>Which parameters decay.</summary>
/// <remarks>
/// Layer norms, biases and whatever is named like a norm do not. BatchNorm weights of Hugging Face and timm models do, since their names say nothing of a norm.
/// Source: <c>Trainer.get_decay_parameter_names</c> of transformers. Parity: exact.
/// </remarks>
internal static partial class WeightDecayRule
{
    /// <summary>The names of the parameters that decay.</summary>
    public static IReadOnlySet<string> DecayedNames(ClassificationNetwork network)
    {
        var inLayerNorm = network.named_modules()
            .Where(m => m.module is LayerNormalization)
            .SelectMany(m => m.module.named_parameters(recurse: false).Select(p => $"{m.name}.{p.name}"))
            .ToHashSet(StringComparer.Ordinal);
        return network.named_parameters().Select(p => p.name)
            .Where(name => !inLayerNorm.Contains(name) && !UndecayedName().IsMatch(name.ToLowerInvariant()))
            .ToHashSet(StringComparer.Ordinal);
    }

    [GeneratedRegex(@"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)")]
    private static partial Regex UndecayedName();
}
