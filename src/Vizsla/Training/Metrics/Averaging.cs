namespace Vizsla.Training.Metrics;

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
