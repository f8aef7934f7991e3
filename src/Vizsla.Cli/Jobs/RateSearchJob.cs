using System.Globalization;
using Vizsla.Runs;
using Vizsla.Training.RateSearch;

namespace Vizsla.Cli.Jobs;

/// <summary>Finds a learning rate for a training that has not begun.</summary>
internal static class RateSearchJob
{
    private const int StepsBetweenNotes = 20;

    /// <summary>Tries rates, writes the curve into the run folder, and says which to take.</summary>
    /// <param name="options">The training that it is for.</param>
    /// <param name="loaded">The splits of the dataset.</param>
    /// <param name="console">Where to write.</param>
    /// <param name="cancellationToken">Ends the search between two steps.</param>
    public static void Run(TrainingJobOptions options, DatasetDict loaded, CommandConsole console, CancellationToken cancellationToken)
    {
        using var prepared = PreparedTraining.Open(options, loaded, console, [], cancellationToken);
        var search = new LearningRateSearch();
        search = search with { Steps = options.Arguments.MaxSteps > 0 ? options.Arguments.MaxSteps : search.Steps };
        var curve = prepared.Trainer.FindLearningRate(
            search,
            done =>
            {
                if (done % StepsBetweenNotes == 0)
                {
                    console.Note(string.Create(CultureInfo.InvariantCulture, $"tried {done} of {search.Steps} learning rates"));
                }
            },
            cancellationToken);
        var plot = curve.Save(options.Arguments.OutputDir);
        console.WriteLine(curve.Suggestion is { } rate
            ? $"Take --learning_rate {Text(rate)}. The loss falls fastest at {Text(curve.Steepest)}; a tenth of the rate with the least loss is {Text(curve.TenthOfBest)}."
            : $"{curve.Problem ?? "The loss falls at no learning rate."} Check the pictures and their classes, or give more steps with --max_steps.");
        console.WriteLine($"The losses of {curve.Points.Count} rates are in '{Path.Combine(options.Arguments.OutputDir, LearningRateReport.FileName)}', their curve in '{plot}'.");
    }

    private static string Text(double? rate) => rate is { } value ? LearningRateCurve.Text(value) : "unknown";
}
