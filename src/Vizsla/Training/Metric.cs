namespace Vizsla.Training;

/// <summary>One number that says how good predictions are; an extension point.</summary>
/// <remarks>Its name, unit and direction are all that charts, the choice of the best checkpoint and early stopping need.</remarks>
public abstract class Metric
{
    /// <summary>Name in snake case, without <c>eval_</c>: <c>accuracy</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Whether a larger value is better.</summary>
    public abstract bool GreaterIsBetter { get; }

    /// <summary>Unit for axes and tables; null, the default, for a plain number.</summary>
    public virtual string? Unit => null;

    /// <summary>Computes the number.</summary>
    /// <param name="prediction">Logits and true classes of a whole split.</param>
    public abstract double Compute(EvalPrediction prediction);
}
