using System.Globalization;

namespace Vizsla.Studio.Evaluation;

/// <summary>Which pictures of an evaluation are shown, and in which order.</summary>
/// <param name="Only"><c>misclassified</c>, <c>right</c>, or empty for all.</param>
/// <param name="Class">Name of the true class; empty is all.</param>
/// <param name="From">Least confidence in percent, 0 to 100.</param>
/// <param name="To">Most confidence in percent, 0 to 100.</param>
/// <param name="Order"><c>loss</c>, <c>sure</c> or <c>unsure</c>.</param>
public sealed record OutcomeFilter(string Only = "", string Class = "", int From = 0, int To = 100, string Order = "loss")
{
    /// <summary>The choices of <see cref="Only"/>.</summary>
    public static IReadOnlyList<(string Key, string Title)> Kinds { get; } = [("", "all"), ("misclassified", "misclassified"), ("right", "right")];

    /// <summary>The choices of <see cref="Order"/>.</summary>
    public static IReadOnlyList<(string Key, string Title)> Orders { get; } = [("loss", "highest loss first"), ("sure", "most confident first"), ("unsure", "least confident first")];

    /// <summary>What an address says, put right where it is wrong.</summary>
    public static OutcomeFilter Parse(string? only, string? name, int? from, int? to, string? order, RunEvaluation evaluation)
    {
        ArgumentNullException.ThrowIfNull(evaluation);
        return new(
            Kinds.Any(k => k.Key == only) ? only! : "",
            name is not null && evaluation.Labels.Contains(name) ? name : "",
            Math.Clamp(from ?? 0, 0, 100),
            Math.Clamp(to ?? 100, 0, 100),
            Orders.Any(o => o.Key == order) ? order! : "loss");
    }

    /// <summary>The pictures that are shown, in order.</summary>
    public IReadOnlyList<PictureOutcome> Apply(RunEvaluation evaluation)
    {
        ArgumentNullException.ThrowIfNull(evaluation);
        var shown = evaluation.Outcomes.Where(o =>
            (Only.Length == 0 || o.IsRight == (Only == "right"))
            && (Class.Length == 0 || evaluation.Labels[o.Label] == Class)
            && o.Confidence * 100 >= From && o.Confidence * 100 <= To);
        return [.. Order switch
        {
            "sure" => shown.OrderByDescending(o => o.Confidence).ThenBy(o => o.Row),
            "unsure" => shown.OrderBy(o => o.Confidence).ThenBy(o => o.Row),
            _ => shown.OrderByDescending(o => o.Loss).ThenBy(o => o.Row),
        }];
    }
}

/// <summary>Which part of a confusion matrix is shown.</summary>
/// <param name="IsWhole">Whether every class is.</param>
/// <param name="At">Class in the middle of the part, as (true, predicted); null shows the classes that are confused most.</param>
public sealed record ConfusionWindow(bool IsWhole, (int Truth, int Named)? At)
{
    /// <summary>The most classes that are shown as a whole at once.</summary>
    public const int MostClasses = 120;

    private const int Side = 24;

    /// <summary>What an address says; <c>all</c>, or two numbers of classes, or else the classes that are confused most; up to 40 classes are shown whole.</summary>
    public static ConfusionWindow Parse(string? text, int count) =>
        text == "all" && count <= MostClasses ? new(true, null)
        : text?.Split('-') is [var row, var column] && IsClass(row, count, out var truth) && IsClass(column, count, out var named) ? new(false, (truth, named))
        : new(text is null && count <= 40, null);

    /// <summary>The inverse of <see cref="Parse"/>.</summary>
    public override string ToString() => IsWhole ? "all" : At is { } at ? string.Create(CultureInfo.InvariantCulture, $"{at.Truth}-{at.Named}") : "confused";

    /// <summary>The classes of rows and columns, in the order of the model.</summary>
    public (IReadOnlyList<int> Rows, IReadOnlyList<int> Columns) Classes(RunEvaluation evaluation)
    {
        ArgumentNullException.ThrowIfNull(evaluation);
        var count = evaluation.Labels.Count;
        if (IsWhole)
        {
            return (Span(0, count), Span(0, count));
        }

        if (At is { } at)
        {
            return (Around(at.Truth, count), Around(at.Named, count));
        }

        var confused = new List<int>();
        foreach (var (truth, named, _) in evaluation.Confusions(Side * Side))
        {
            foreach (var name in new[] { truth, named })
            {
                if (confused.Count < Side && !confused.Contains(name))
                {
                    confused.Add(name);
                }
            }
        }

        confused.Sort();
        return (confused, confused);
    }

    private static int[] Around(int middle, int count) => Span(Math.Clamp(middle - (Side / 2), 0, Math.Max(0, count - Side)), Math.Min(Side, count));

    private static int[] Span(int from, int count) => [.. Enumerable.Range(from, count)];

    private static bool IsClass(string text, int count, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < count;
}
