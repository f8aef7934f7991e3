using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;

namespace Vizsla.Runs.Cards;

/// <summary>What a model card says of the log rows of a run.</summary>
/// <remarks>
/// The results are those of the evaluation whose weights were kept: the best one where that was loaded at the end, else the last.
/// Source: <c>parse_log_history</c> of transformers' <c>modelcard.py</c>, which always takes the last. Parity: exact otherwise.
/// </remarks>
internal sealed class LogSummary
{
    private const string Prefix = "eval_";

    private static readonly string[] NoResults = ["runtime", "samples_per_second", "steps_per_second", "epoch", "step", "model_preparation_time"];

    private readonly IReadOnlyList<JsonObject> _rows;
    private readonly JsonObject? _kept;

    /// <param name="rows">The log rows.</param>
    /// <param name="keptStep">Step whose weights were kept; null for the last.</param>
    public LogSummary(IEnumerable<JsonObject> rows, int? keptStep)
    {
        _rows = [.. rows];
        var evaluations = _rows.Where(row => row.ContainsKey("eval_loss")).ToArray();
        _kept = evaluations.LastOrDefault(row => row.Whole("step") == keptStep) ?? evaluations.LastOrDefault();
    }

    /// <summary>Step of the evaluation whose results are given; null without one.</summary>
    public int? Step => _kept?.Whole("step");

    /// <summary>Names and values of the results, unrounded: <c>Loss</c>, <c>Accuracy</c>, <c>F1 Macro</c>.</summary>
    public IReadOnlyList<(string Name, double Value)> Results =>
        [.. (_kept ?? []).Where(cell => IsResult(cell.Key) && cell.Value is JsonValue).Select(cell => (NameOf(cell.Key), _kept!.Number(cell.Key)!.Value))];

    /// <summary>Seconds of the training; null while it runs.</summary>
    public double? Runtime => _rows.LastOrDefault(row => row.ContainsKey("train_runtime"))?.Number("train_runtime");

    /// <summary>Pictures a second in training; null while it runs.</summary>
    public double? SamplesPerSecond => _rows.LastOrDefault(row => row.ContainsKey("train_samples_per_second"))?.Number("train_samples_per_second");

    /// <summary>The table of all evaluations; empty without one.</summary>
    public string Table()
    {
        string[] measures = [.. _rows.SelectMany(row => row.Select(cell => cell.Key)).Where(key => key.StartsWith(Prefix, StringComparison.Ordinal) && key != "eval_loss" && IsResult(key)).Distinct()];
        var lines = new List<string[]>();
        var trainingLoss = "No log";
        foreach (var row in _rows.TakeWhile(row => !row.ContainsKey("train_runtime")))
        {
            trainingLoss = row.Number("loss") is { } loss ? Text(loss) : trainingLoss;
            if (row.ContainsKey("eval_loss"))
            {
                lines.Add(
                [
                    trainingLoss, Text(row.Number("epoch")), row.Whole("step")?.ToString(CultureInfo.InvariantCulture) ?? "", Text(row.Number("eval_loss")),
                    .. measures.Select(key => Text(row.Number(key))),
                ]);
            }
        }

        return MarkdownTable.Write(["Training Loss", "Epoch", "Step", "Validation Loss", .. measures.Select(NameOf)], lines);
    }

    /// <summary>Names and values of the results of predictions, by the prefix of their keys: <c>test_accuracy</c> is <c>Accuracy</c> of <c>test</c>.</summary>
    public static IEnumerable<IGrouping<string, (string Name, double Value)>> ResultsBySplit(IReadOnlyDictionary<string, double> metrics) =>
        from metric in metrics
        let cut = metric.Key.IndexOf('_', StringComparison.Ordinal)
        where cut > 0 && !NoResults.Contains(metric.Key[(cut + 1)..])
        group (NameOf(metric.Key[(cut + 1)..]), metric.Value) by metric.Key[..cut];

    /// <summary>A number as Python prints it, cut to four decimals where it has more.</summary>
    public static string Text(double? value)
    {
        if (value is not { } number)
        {
            return "";
        }

        var text = PythonJson.Repr(number);
        var point = text.IndexOf('.', StringComparison.Ordinal);
        return point >= 0 && text.Length - point - 1 > 4 ? number.ToString("F4", CultureInfo.InvariantCulture) : text;
    }

    private static bool IsResult(string key) => !NoResults.Contains(key.StartsWith(Prefix, StringComparison.Ordinal) ? key[Prefix.Length..] : key);

    // "eval_f1_macro" is "F1 Macro".
    private static string NameOf(string key) =>
        string.Join(' ', key[(key.StartsWith(Prefix, StringComparison.Ordinal) ? Prefix.Length : 0)..].Split('_').Select(Capitalized));

    private static string Capitalized(string word) => word.Length == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..].ToLowerInvariant();
}

/// <summary>A table of a model card, its cells filled up to the width of their column.</summary>
/// <remarks>Source: <c>make_markdown_table</c> of transformers' <c>modelcard.py</c>. Parity: exact.</remarks>
internal static class MarkdownTable
{
    /// <summary>Writes a table.</summary>
    /// <param name="header">Names of the columns.</param>
    /// <param name="rows">Cells of each row; a vertical bar in one is escaped.</param>
    /// <returns>Lines, each ended by a line feed; empty without rows.</returns>
    public static string Write(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        var lines = rows.Select(row => row.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)).ToArray()).ToArray();
        if (lines.Length == 0)
        {
            return "";
        }

        var widths = header.Select((name, c) => lines.Max(row => Math.Max(name.Length, row[c].Length))).ToArray();
        var text = new StringBuilder();
        AddLine(header);
        text.Append(string.Concat(widths.Select(width => "|:" + new string('-', width) + ":"))).Append("|\n");
        foreach (var row in lines)
        {
            AddLine(row);
        }

        return text.ToString();

        void AddLine(IReadOnlyList<string> cells) =>
            text.Append(string.Concat(cells.Select((cell, c) => "| " + cell.PadRight(widths[c] + 1)))).Append("|\n");
    }
}
