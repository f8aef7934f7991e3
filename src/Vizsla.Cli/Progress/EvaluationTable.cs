using System.Globalization;
using System.Text.Json.Nodes;

namespace Vizsla.Cli.Progress;

/// <summary>The table of a run's evaluations: step, training loss, validation loss, and the metrics.</summary>
/// <remarks>Source: the table that Hugging Face's <c>NotebookProgressCallback</c> shows.</remarks>
internal sealed class EvaluationTable
{
    private static readonly string[] Hidden = ["eval_loss", "eval_runtime", "eval_samples_per_second", "eval_steps_per_second", "epoch", "step"];

    private readonly List<string> _header = ["Step", "Training Loss", "Validation Loss"];
    private readonly List<string> _metrics = [];
    private readonly List<IReadOnlyList<string>> _rows = [];
    private string _trainingLoss = "No log";

    /// <summary>Names of the columns.</summary>
    public IReadOnlyList<string> Header => _header;

    /// <summary>Cells of each evaluation.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Rows => _rows;

    /// <summary>Takes a row of the log.</summary>
    /// <param name="row">The row.</param>
    /// <returns>Whether it was an evaluation, and the table grew.</returns>
    public bool Add(JsonObject row)
    {
        if (Value(row, "loss") is { } loss)
        {
            _trainingLoss = Text(loss);
        }

        if (Value(row, "eval_loss") is not { } evaluation)
        {
            return false;
        }

        foreach (var key in row.Select(cell => cell.Key).Where(key => key.StartsWith("eval_", StringComparison.Ordinal) && !Hidden.Contains(key) && !_metrics.Contains(key)))
        {
            _metrics.Add(key);
            _header.Add(string.Join(' ', key["eval_".Length..].Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..])));
        }

        _rows.Add([Value(row, "step")?.ToString("F0", CultureInfo.InvariantCulture) ?? "", _trainingLoss, Text(evaluation), .. _metrics.Select(key => Text(Value(row, key)))]);
        return true;
    }

    /// <summary>A number with four decimals, or with an exponent where it is very small.</summary>
    public static string Text(double? value) => value switch
    {
        null => "",
        { } number when Math.Abs(number) is > 0 and < 1e-3 => number.ToString("0.##e-0", CultureInfo.InvariantCulture),
        { } number => number.ToString("F4", CultureInfo.InvariantCulture),
    };

    /// <summary>The number at a key; null where there is none.</summary>
    public static double? Value(JsonObject row, string key) =>
        row[key] is not JsonValue value ? null
            : value.TryGetValue<double>(out var number) ? number
            : value.TryGetValue<int>(out var whole) ? whole
            : value.TryGetValue<long>(out var big) ? big
            : null;
}
