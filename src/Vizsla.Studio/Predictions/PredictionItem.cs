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
/// <param name="Classes">The most likely classes, best first.</param>
/// <param name="Elapsed">From the question to the answer, preparing the picture included.</param>
public sealed record PictureAnswer(IReadOnlyList<Prediction> Classes, TimeSpan Elapsed);

/// <summary>The table of many pictures as a file for a spreadsheet.</summary>
internal static class PredictionCsv
{
    /// <summary>One line per picture: file, class, score, error.</summary>
    public static string Write(IEnumerable<PredictionItem> items)
    {
        var text = new StringBuilder("file,label,score,error\n");
        foreach (var item in items)
        {
            var best = item.Answer?.Classes[0];
            text.Append(CsvText.Cell(item.Name)).Append(',')
                .Append(CsvText.Cell(best?.Label ?? "")).Append(',')
                .Append(best?.Score.ToString("R", CultureInfo.InvariantCulture)).Append(',')
                .Append(CsvText.Cell(item.Problem ?? "")).Append('\n');
        }

        return text.ToString();
    }
}
