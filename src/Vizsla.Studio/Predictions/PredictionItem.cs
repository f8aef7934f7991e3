using System.Globalization;
using System.Text;
using Vizsla.Inference;
using Vizsla.Studio.Layout;

namespace Vizsla.Studio.Predictions;

/// <summary>A picture on the page and what became of it.</summary>
/// <param name="name">The file's name.</param>
/// <param name="id">Its name in the store; null when it was refused.</param>
/// <param name="problem">Why it was refused.</param>
public sealed class PredictionItem(string name, string? id, string? problem)
{
    /// <summary>The file's name.</summary>
    public string Name { get; } = name;

    /// <summary>Its name in the store; null when it was refused.</summary>
    public string? Id { get; } = id;

    /// <summary>Why there is no answer.</summary>
    public string? Problem { get; private set; } = problem;

    /// <summary>The answer, once there is one.</summary>
    public PictureAnswer? Answer { get; private set; }

    /// <summary>Whether the answer is on its way.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>The question was asked.</summary>
    public void Begin() => (IsWaiting, Problem) = (true, null);

    /// <summary>The answer is there.</summary>
    /// <param name="answer">The answer.</param>
    public void Finish(PictureAnswer answer) => (IsWaiting, Answer) = (false, answer);

    /// <summary>There will be none.</summary>
    /// <param name="problem">Why.</param>
    public void Fail(string problem) => (IsWaiting, Answer, Problem) = (false, null, problem);
}

/// <summary>A model's answer for a picture.</summary>
/// <param name="Classes">Every class, the most likely first.</param>
/// <param name="Elapsed">From the question to the answer, preparing the picture included.</param>
public sealed record PictureAnswer(IReadOnlyList<Prediction> Classes, TimeSpan Elapsed);

/// <summary>The table of many pictures as a file for a spreadsheet.</summary>
internal static class PredictionCsv
{
    /// <summary>One line per picture: file, class, its score, what went wrong, and the score of every class.</summary>
    /// <param name="items">The pictures.</param>
    /// <param name="labels">The model's classes in order.</param>
    /// <param name="least">Below this score, 0 to 1, the class is empty: none of these.</param>
    public static string Write(IEnumerable<PredictionItem> items, IReadOnlyList<string> labels, double least = 0)
    {
        var text = new StringBuilder("file,label,score,error").Append(string.Concat(labels.Select(label => "," + CsvText.Cell(label)))).Append('\n');
        foreach (var item in items)
        {
            var best = item.Answer?.Classes[0];
            text.Append(CsvText.Cell(item.Name)).Append(',')
                .Append(CsvText.Cell(best?.Score >= least ? best.Label : "")).Append(',')
                .Append(Score(best)).Append(',')
                .Append(CsvText.Cell(item.Problem ?? ""));
            var scores = item.Answer?.Classes.ToDictionary(c => c.Index) ?? [];
            for (var label = 0; label < labels.Count; label++)
            {
                text.Append(',').Append(Score(scores.GetValueOrDefault(label)));
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string? Score(Prediction? prediction) => prediction?.Score.ToString("R", CultureInfo.InvariantCulture);
}
