using Vizsla.Models;
using Vizsla.Training.Arguments;

namespace Vizsla.Training.Optimizers;

/// <summary>Sorts the parameters of a network by learning rate and weight decay.</summary>
public static class ParameterGroups
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
        var layers = LayerOrder.Of([.. network.named_parameters().Select(p => p.name)]);
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
