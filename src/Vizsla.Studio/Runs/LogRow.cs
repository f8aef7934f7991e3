namespace Vizsla.Studio.Runs;

/// <summary>One row of a run's log: numbers at a step.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Epoch">Epochs done, with the fraction of the one that runs; null when the row does not say.</param>
/// <param name="Seconds">Seconds since the run began; null when nothing says.</param>
/// <param name="Values">Numbers by Hugging Face's names: <c>loss</c>, <c>eval_loss</c>, <c>learning_rate</c>, <c>grad_norm</c>.</param>
public sealed record LogRow(int Step, double? Epoch, double? Seconds, IReadOnlyDictionary<string, double> Values)
{
    /// <summary>The number of that name, or null.</summary>
    public double? this[string name] => Values.TryGetValue(name, out var value) ? value : null;
}
