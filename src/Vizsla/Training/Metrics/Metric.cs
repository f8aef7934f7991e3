using Vizsla.Primitives;

namespace Vizsla.Training.Metrics;

/// <summary>One number that says how good predictions are; an extension point.</summary>
/// <remarks>Its name, unit and direction are all that charts, the choice of the best checkpoint and early stopping need.</remarks>
public abstract class Metric
{
    // What evaluate and torchmetrics call them.
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["acc"] = "accuracy",
        ["top5"] = "top_5_accuracy",
        ["top_5"] = "top_5_accuracy",
        ["f1"] = "f1_macro",
        ["precision"] = "precision_macro",
        ["recall"] = "recall_macro",
        ["ece"] = "expected_calibration_error",
        ["calibration_error"] = "expected_calibration_error",
        ["mcc"] = "matthews_corrcoef",
        ["kappa"] = "cohen_kappa",
        ["roc_auc"] = "roc_auc_ovr_macro",
    };

    /// <summary>Share of rows whose largest logit is that of the true class.</summary>
    public static Metric Accuracy { get; } = new Accuracy();

    /// <summary>Share of rows whose true class is among the five largest logits.</summary>
    public static Metric Top5Accuracy { get; } = new TopAccuracy();

    /// <summary>F1 with every class counting alike.</summary>
    public static Metric F1Macro { get; } = new F1Score();

    /// <summary>Mean negative log probability of the true class.</summary>
    public static Metric LogLoss { get; } = new LogLoss();

    /// <summary>Mean distance between confidence and accuracy, 15 bins.</summary>
    public static Metric CalibrationError { get; } = new CalibrationError();

    /// <summary>Every metric, in the order in which tables show them.</summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        Accuracy,
        Top5Accuracy,
        new BalancedAccuracy(),
        F1Macro,
        new F1Score(Averaging.Micro),
        new F1Score(Averaging.Weighted),
        new Precision(),
        new Precision(Averaging.Micro),
        new Precision(Averaging.Weighted),
        new Recall(),
        new Recall(Averaging.Micro),
        new Recall(Averaging.Weighted),
        LogLoss,
        CalibrationError,
        new MatthewsCorrelation(),
        new CohenKappa(),
        new RocAuc(),
    ];

    /// <summary>Name in snake case, without <c>eval_</c>: <c>accuracy</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Whether a larger value is better.</summary>
    public abstract bool GreaterIsBetter { get; }

    /// <summary>Unit for axes and tables; null, the default, for a plain number.</summary>
    public virtual string? Unit => null;

    /// <summary>Computes the number.</summary>
    /// <param name="prediction">Logits and true classes of a whole split.</param>
    public abstract double Compute(EvalPrediction prediction);

    /// <summary>The metric of a name.</summary>
    /// <param name="name">Its name or a usual short form (<c>f1</c> is <c>f1_macro</c>), with or without <c>eval_</c>.</param>
    /// <exception cref="ArgumentException">There is none of that name; the message lists those there are.</exception>
    public static Metric Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Find(name, All) ?? throw new ArgumentException($"Unknown metric '{name}'. {Known(name, All.Select(metric => metric.Name))}");
    }

    /// <summary>The metric among some that a name means: one of that very name, else the one that it is a short form of; null where there is none.</summary>
    internal static Metric? Find(string name, IReadOnlyList<Metric> metrics)
    {
        var bare = Bare(name);
        var full = Aliases.GetValueOrDefault(bare, bare);
        return metrics.FirstOrDefault(metric => metric.Name == bare) ?? metrics.FirstOrDefault(metric => metric.Name == full);
    }

    /// <summary>The metrics of a run: those given, and the one that says which evaluation is best, where it is none of them.</summary>
    internal static IReadOnlyList<Metric> WithBest(string? best, IReadOnlyList<Metric> given) =>
        best is null || Find(best, given) is not null || Find(best, All) is not { } extra ? given : [.. given, extra];

    /// <summary>The names that can be given, and the nearest one.</summary>
    internal static string Known(string name, IEnumerable<string> names)
    {
        var all = names.ToList();
        return $"Known: {string.Join(", ", all)}.{Suggestion.DidYouMean(Bare(name), all.Concat(Aliases.Keys))}";
    }

    private static string Bare(string name) => name.StartsWith("eval_", StringComparison.Ordinal) ? name["eval_".Length..] : name;
}
