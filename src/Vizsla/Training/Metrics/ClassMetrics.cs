namespace Vizsla.Training.Metrics;

/// <summary>Share of rows whose largest logit is that of the true class.</summary>
/// <remarks>Source: scikit-learn <c>accuracy_score</c>. Parity: 1e-9.</remarks>
public sealed class Accuracy : Metric
{
    /// <inheritdoc/>
    public override string Name => "accuracy";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        return new ClassCounts(prediction).Accuracy;
    }
}

/// <summary>Share of rows whose true class is among the largest logits.</summary>
/// <remarks>Of equal logits the later class stands higher, as in numpy's <c>argsort</c>. Source: <c>y in argsort(p)[-k:]</c>. Parity: 1e-9.</remarks>
public sealed class TopAccuracy : Metric
{
    private readonly int _count;

    /// <summary>Makes the metric.</summary>
    /// <param name="count">How many guesses each row has, 1 or more. Default 5.</param>
    public TopAccuracy(int count = 5)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        _count = count;
    }

    /// <inheritdoc/>
    public override string Name => $"top_{_count}_accuracy";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        var hits = 0;
        for (var row = 0; row < prediction.Count; row++)
        {
            hits += Above(prediction.Row(row), (int)prediction.LabelIds[row]) < _count ? 1 : 0;
        }

        return (double)hits / prediction.Count;
    }

    private static int Above(ReadOnlySpan<float> logits, int label)
    {
        var above = 0;
        for (var c = 0; c < logits.Length; c++)
        {
            above += logits[c] > logits[label] || (logits[c] == logits[label] && c > label) ? 1 : 0;
        }

        return above;
    }
}

/// <summary>Mean recall of the classes that have rows.</summary>
/// <remarks>Source: scikit-learn <c>balanced_accuracy_score</c>. Parity: 1e-9.</remarks>
public sealed class BalancedAccuracy : Metric
{
    /// <inheritdoc/>
    public override string Name => "balanced_accuracy";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        return new ClassCounts(prediction).Scores.Where(c => c.Support > 0).Select(c => c.Recall).DefaultIfEmpty(double.NaN).Average();
    }
}

/// <summary>Harmonic mean of precision and recall, averaged over the classes.</summary>
/// <param name="averaging">How the classes become one number. Default macro.</param>
/// <remarks>Source: scikit-learn <c>f1_score(average=..., zero_division=0)</c>. Parity: 1e-9.</remarks>
public sealed class F1Score(Averaging averaging = Averaging.Macro) : Metric
{
    /// <inheritdoc/>
    public override string Name => $"f1_{averaging.ToString().ToLowerInvariant()}";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        return new ClassCounts(prediction).Average(c => c.F1, averaging);
    }
}

/// <summary>Share of right rows among those predicted as a class, averaged over the classes.</summary>
/// <param name="averaging">How the classes become one number. Default macro.</param>
/// <remarks>Source: scikit-learn <c>precision_score(average=..., zero_division=0)</c>. Parity: 1e-9.</remarks>
public sealed class Precision(Averaging averaging = Averaging.Macro) : Metric
{
    /// <inheritdoc/>
    public override string Name => $"precision_{averaging.ToString().ToLowerInvariant()}";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        return new ClassCounts(prediction).Average(c => c.Precision, averaging);
    }
}

/// <summary>Share of the rows of a class that were found, averaged over the classes.</summary>
/// <param name="averaging">How the classes become one number. Default macro.</param>
/// <remarks>Source: scikit-learn <c>recall_score(average=..., zero_division=0)</c>. Parity: 1e-9.</remarks>
public sealed class Recall(Averaging averaging = Averaging.Macro) : Metric
{
    /// <inheritdoc/>
    public override string Name => $"recall_{averaging.ToString().ToLowerInvariant()}";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        return new ClassCounts(prediction).Average(c => c.Recall, averaging);
    }
}

/// <summary>How the scores of the classes become one number.</summary>
/// <remarks>Source: the <c>average</c> of scikit-learn's <c>precision_recall_fscore_support</c>.</remarks>
public enum Averaging
{
    /// <summary>Every class that occurs, as truth or as prediction, counts alike.</summary>
    Macro,

    /// <summary>Every row counts alike; for one label per row this is the accuracy.</summary>
    Micro,

    /// <summary>Every class counts by its number of true rows.</summary>
    Weighted,
}

/// <summary>Correlation of truth and prediction, -1 to 1; 0 is chance.</summary>
/// <remarks>Source: scikit-learn <c>matthews_corrcoef</c>. Parity: 1e-9.</remarks>
public sealed class MatthewsCorrelation : Metric
{
    /// <inheritdoc/>
    public override string Name => "matthews_corrcoef";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        var counts = new ClassCounts(prediction);
        var square = (double)counts.Total * counts.Total;
        var spread = (square - counts.SquaredPredicted) * (square - counts.SquaredSupport);
        return spread == 0 ? 0 : (((double)counts.Correct * counts.Total) - counts.ChanceAgreement) / Math.Sqrt(spread);
    }
}

/// <summary>Agreement of truth and prediction beyond chance, at most 1; NaN when both know only one class.</summary>
/// <remarks>Source: scikit-learn <c>cohen_kappa_score</c>. Parity: 1e-9.</remarks>
public sealed class CohenKappa : Metric
{
    /// <inheritdoc/>
    public override string Name => "cohen_kappa";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        var counts = new ClassCounts(prediction);
        var chance = counts.ChanceAgreement / counts.Total;
        return 1 - ((counts.Total - counts.Correct) / (counts.Total - chance));
    }
}
