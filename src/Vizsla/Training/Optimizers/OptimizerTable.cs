using System.Globalization;
using Vizsla.Native;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;

namespace Vizsla.Training.Optimizers;

/// <summary>Makes optimizers by name.</summary>
/// <remarks>Source: <c>Trainer.get_optimizer_cls_and_kwargs</c> of transformers.</remarks>
internal static class OptimizerTable
{
    /// <summary>Makes the optimizer that the arguments ask for.</summary>
    /// <param name="arguments">Name, betas, epsilon and <c>optim_args</c>.</param>
    /// <param name="groups">The parameters; the network must already be on its device.</param>
    /// <returns>An optimizer that the caller owns.</returns>
    /// <exception cref="ArgumentException"><c>optim_args</c> is malformed or names something the optimizer does not know.</exception>
    public static Optimizer Create(TrainingArguments arguments, IReadOnlyList<ParameterGroup> groups)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(groups);
        var values = new OptimizerOptions(arguments.Optim, arguments.OptimArgs);
        var optimizer = Create(arguments, groups, values);
        values.RefuseOthers();
        return optimizer;
    }

    private static Optimizer Create(TrainingArguments arguments, IReadOnlyList<ParameterGroup> groups, OptimizerOptions values)
    {
        AdamOptions AdamNumbers() => new(arguments.AdamBeta1, arguments.AdamBeta2, arguments.AdamEpsilon);

        return arguments.Optim switch
        {
            OptimizerName.AdamwTorch or OptimizerName.AdamwTorchFused when FusedAdamW.IsAvailable => new FusedAdam(groups, AdamNumbers()),
            OptimizerName.AdamwTorch or OptimizerName.AdamwTorchFused => new Adam(groups, AdamNumbers(), isDecoupled: true),
            OptimizerName.Adam => new Adam(groups, AdamNumbers(), isDecoupled: false),
            OptimizerName.Nadam => new NAdam(groups, AdamNumbers(), values.Number("momentum_decay", 4e-3)),
            OptimizerName.Radam => new RAdam(groups, AdamNumbers()),
            OptimizerName.Lion_32bit => new Lion(groups, AdamNumbers()),
            OptimizerName.Sgd => new Sgd(groups, values.Number("momentum", 0), values.Number("dampening", 0), values.Flag("nesterov")),
            OptimizerName.Rmsprop => new RmsProp(
                groups, values.Number("alpha", 0.99), values.Number("eps", 1e-8), values.Number("momentum", 0), values.Flag("centered")),
            OptimizerName.Adagrad => new Adagrad(
                groups, values.Number("lr_decay", 0), values.Number("initial_accumulator_value", 0), values.Number("eps", 1e-10)),
            OptimizerName.Adafactor => new Adafactor(groups, new AdafactorOptions(
                ClipThreshold: values.Number("clip_threshold", 1.0), DecayRate: values.Number("decay_rate", -0.8),
                Beta1: values.Optional("beta1"), ScaleParameter: values.Flag("scale_parameter"))),
            _ => throw new ArgumentOutOfRangeException(nameof(arguments), arguments.Optim, "Not an optimizer."),
        };
    }

    /// <summary>Reads <c>optim_args</c>: <c>name=value,name=value</c>.</summary>
    private sealed class OptimizerOptions
    {
        private readonly OptimizerName _optimizer;
        private readonly Dictionary<string, string> _given = new(StringComparer.Ordinal);
        private readonly List<string> _known = [];

        public OptimizerOptions(OptimizerName optimizer, string? text)
        {
            _optimizer = optimizer;
            foreach (var pair in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                var parts = pair.Split('=', 2, StringSplitOptions.TrimEntries);
                if (parts.Length != 2 || !_given.TryAdd(parts[0], parts[1]))
                {
                    throw new ArgumentException($"optim_args: '{pair}' is not name=value, or the name is repeated; write for example 'momentum=0.9,nesterov=true'.");
                }
            }
        }

        public double? Optional(string name)
        {
            _known.Add(name);
            return !_given.TryGetValue(name, out var text) ? null
                : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value
                : throw new ArgumentException($"optim_args: '{name}' is '{text}', expected a number.");
        }

        public double Number(string name, double otherwise) => Optional(name) ?? otherwise;

        public bool Flag(string name)
        {
            _known.Add(name);
            return _given.TryGetValue(name, out var text)
                && (bool.TryParse(text, out var value) ? value : throw new ArgumentException($"optim_args: '{name}' is '{text}', expected true or false."));
        }

        public void RefuseOthers()
        {
            if (_given.Keys.FirstOrDefault(name => !_known.Contains(name)) is { } unknown)
            {
                var known = _known.Count == 0 ? "none" : string.Join(", ", _known);
                throw new ArgumentException($"optim_args: the optimizer '{SnakeCase.Of(_optimizer)}' does not know '{unknown}'. Known: {known}.{Suggestion.DidYouMean(unknown, _known)}");
            }
        }
    }
}
