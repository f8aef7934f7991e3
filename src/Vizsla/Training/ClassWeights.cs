using System.Text.Json.Nodes;

namespace Vizsla.Training;

/// <summary>How much each class counts in the loss.</summary>
/// <remarks>Source: the <c>weight</c> of torch's <c>CrossEntropyLoss</c>; balanced as scikit-learn's <c>compute_class_weight</c>.</remarks>
public sealed class ClassWeights
{
    private readonly IReadOnlyDictionary<string, double>? _byName;
    private readonly IReadOnlyList<double>? _byIndex;

    private ClassWeights(IReadOnlyList<double>? byIndex, IReadOnlyDictionary<string, double>? byName) => (_byIndex, _byName) = (byIndex, byName);

    /// <summary>Samples / (classes * samples of the class): every class counts alike in total.</summary>
    public static ClassWeights Balanced { get; } = new(null, null);

    /// <summary>One weight per class, in the order of the model's labels.</summary>
    /// <param name="weights">Weights of 0 or more, one per class.</param>
    public static ClassWeights Of(params IReadOnlyList<double> weights) => new(weights, null);

    /// <summary>Weights of the named classes; the others weigh 1.</summary>
    /// <param name="weights">Weights of 0 or more by class name.</param>
    public static ClassWeights Of(IReadOnlyDictionary<string, double> weights) => new(null, weights);

    /// <summary>The weights as numbers.</summary>
    /// <param name="labels">The model's class names.</param>
    /// <param name="counts">Training samples of each class.</param>
    /// <returns>One weight per class.</returns>
    /// <exception cref="ArgumentException">The weights do not fit the classes, or one is negative.</exception>
    public IReadOnlyList<double> Resolve(IReadOnlyList<string> labels, IReadOnlyList<long> counts)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(counts);
        if (_byIndex is null && _byName is null)
        {
            return [.. counts.Select(count => count == 0 ? 0.0 : counts.Sum() / ((double)counts.Count(c => c > 0) * count))];
        }

        if (_byIndex is not null && _byIndex.Count != labels.Count)
        {
            throw new ArgumentException($"class_weights has {_byIndex.Count} numbers, but there are {labels.Count} classes; give one per class, or 'balanced'.");
        }

        if (_byName?.Keys.FirstOrDefault(name => !labels.Contains(name)) is { } unknown)
        {
            throw new ArgumentException($"class_weights names the class '{unknown}', which is not among the model's: {string.Join(", ", labels)}.");
        }

        var weights = _byIndex ?? [.. labels.Select(label => _byName!.GetValueOrDefault(label, 1.0))];
        return weights.All(w => w >= 0 && double.IsFinite(w)) && weights.Any(w => w > 0)
            ? weights
            : throw new ArgumentException("class_weights must be finite numbers of 0 or more, not all 0.");
    }

    /// <summary>The value in <c>training_args.json</c>: <c>"balanced"</c>, a list, or a map.</summary>
    internal JsonNode ToJson()
    {
        if (_byIndex is not null)
        {
            return new JsonArray([.. _byIndex.Select(w => (JsonNode)JsonValue.Create(w))]);
        }

        return _byName is null
            ? JsonValue.Create("balanced")
            : new JsonObject(_byName.Select(w => KeyValuePair.Create(w.Key, (JsonNode?)JsonValue.Create(w.Value))));
    }
}
