using Vizsla.Analysis;

namespace Vizsla.Training;

/// <summary>Chooses picture size, mirror images and constant of a head that is solved, by cross-validation on the training photos.</summary>
/// <param name="labels">Class of each photo, [N].</param>
/// <param name="classCount">Number of classes, K.</param>
/// <param name="stop">Ends the search.</param>
internal sealed class HeadSearch(int[] labels, int classCount, CancellationToken stop)
{
    private const int MostFolds = 5;
    private const double Gap = 1e-4;

    // Constants that are tried, times the number of features over the mean squared length of a row: the scale of the features does not matter.
    private static readonly double[] Constants = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
    private const double WithoutFolds = 1;

    private readonly int[]? _folds = labels.CountBy(l => l).Min(c => c.Value) is >= 2 and var smallest ? StratifiedFolds.Of(labels, Math.Min(MostFolds, smallest)) : null;
    private readonly List<HeadCandidate> _tried = [];
    private IReadOnlyList<float[][]> _copies = [];

    /// <summary>Everything that was tried.</summary>
    public IReadOnlyList<HeadCandidate> Tried => _tried;

    /// <summary>What has the lowest log loss; the first of equal ones.</summary>
    public HeadCandidate Chosen => _tried.MinBy(c => c.LogLoss)!;

    /// <summary>Tries features.</summary>
    /// <param name="side">Side of the pictures in pixels; null for the pipeline's own.</param>
    /// <param name="copies">Features of the photos, [N][D], and of their mirror images if those are to train too; the photos are scored.</param>
    /// <returns>Whether this has the lowest log loss so far.</returns>
    public bool Try(int? side, IReadOnlyList<float[][]> copies)
    {
        var candidate = Best(Rows(copies), copies.Count) with { Side = side, IsMirrored = copies.Count > 1 };
        _tried.Add(candidate);
        var isBest = Chosen == candidate;
        _copies = isBest ? copies : _copies;
        return isBest;
    }

    /// <summary>Solves the head of what was chosen, on all photos.</summary>
    public LogisticRegression Solve(CancellationToken cancellationToken) =>
        LogisticRegression.Fit(Rows(_copies), Repeated(labels, _copies.Count), classCount, Chosen.Constant, cancellationToken);

    private static double[][] Rows(IReadOnlyList<float[][]> copies) => [.. copies.SelectMany(c => c).Select(row => Array.ConvertAll(row, x => (double)x))];

    private static int[] Repeated(int[] values, int count) => [.. Enumerable.Repeat(values, count).SelectMany(v => v)];

    // The constant of the lowest mean log loss of photos that the fit did not see, at the temperature that suits it best: otherwise a head that names more photos, less surely, would lose.
    private HeadCandidate Best(double[][] rows, int copies)
    {
        var scale = rows[0].Length / rows.Average(row => row.Sum(x => x * x)) / copies;
        if (_folds is null)
        {
            return new HeadCandidate(WithoutFolds * scale, 1, double.PositiveInfinity);
        }

        HeadCandidate? best = null;
        double[] constants = [.. Constants.Select(c => c * scale)];
        foreach (var (constant, logits) in constants.Zip(LogisticRegression.OutOfFold(rows, Repeated(labels, copies), classCount, constants, Repeated(_folds, copies), stop, Gap)))
        {
            var photos = logits[..labels.Length];
            var temperature = TemperatureScaling.Fit(photos, labels);
            var loss = TemperatureScaling.NegativeLogLikelihood(photos, labels, temperature);
            best = best is null || loss < best.LogLoss ? new HeadCandidate(constant, temperature, loss) : best;
        }

        return best!;
    }
}

/// <summary>What was tried for a head that is solved.</summary>
/// <param name="Constant">Weight of the losses against the size of the weights.</param>
/// <param name="Temperature">What logits are divided by.</param>
/// <param name="LogLoss">Mean log loss of photos that the fit did not see, in nats; infinite where a class has too few photos for folds.</param>
internal sealed record HeadCandidate(double Constant, double Temperature, double LogLoss)
{
    /// <summary>Side of the pictures in pixels; null for the pipeline's own.</summary>
    public int? Side { get; init; }

    /// <summary>Whether mirror images are among the rows.</summary>
    public bool IsMirrored { get; init; }
}
