using System.Globalization;

namespace Vizsla.Studio.Runs;

/// <summary>Which runs a list shows, in which order and with which columns; all of it from the address.</summary>
/// <param name="Search">Words that name, tags, notes, model or data set hold.</param>
/// <param name="Sort">Key of a column; with '-' before it, from the last to the first.</param>
/// <param name="State">A state in lower case; empty is all.</param>
/// <param name="Archived">Whether archived runs are shown, and they alone.</param>
/// <param name="Columns">Keys of the columns in their order.</param>
public sealed record RunListSettings(string Search, string Sort, string State, bool Archived, IReadOnlyList<string> Columns)
{
    /// <summary>The newest first.</summary>
    public const string DefaultSort = "-date";

    /// <summary>The columns of who did not choose.</summary>
    public static IReadOnlyList<string> DefaultColumns { get; } = ["state", "best", "date"];

    /// <summary>What an address says; what it does not know is left out.</summary>
    public static RunListSettings From(string? search, string? sort, string? state, bool? archived, string? columns) => new(
        search ?? "",
        sort is not null && RunColumn.Find(sort.TrimStart('-')) is not null ? sort : DefaultSort,
        Enum.GetNames<RunState>().Select(n => n.ToLowerInvariant()).FirstOrDefault(n => n == state) ?? "",
        archived ?? false,
        columns is null ? DefaultColumns : [.. columns.Split(',', StringSplitOptions.RemoveEmptyEntries).Where(key => RunColumn.Find(key) is not null).Distinct(StringComparer.Ordinal)]);

    /// <summary>The runs that are shown, in order.</summary>
    /// <param name="runs">All runs, the one written last first.</param>
    public IReadOnlyList<RunSnapshot> Apply(IReadOnlyList<RunSnapshot> runs)
    {
        var words = Search.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var shown = runs.Where(r => r.Notes.IsArchived == Archived && (State.Length == 0 || r.State.ToString().Equals(State, StringComparison.OrdinalIgnoreCase)) && words.All(word => Holds(r, word)));
        var column = RunColumn.Find(Sort.TrimStart('-'))!;

        // What a run does not have stands last, whichever way it goes.
        return [.. Sort[0] == '-'
            ? shown.OrderBy(r => column.Value(r) is null).ThenByDescending(column.Value, Comparer<IComparable?>.Default)
            : shown.OrderBy(r => column.Value(r) is null).ThenBy(column.Value, Comparer<IComparable?>.Default)];
    }

    private static bool Holds(RunSnapshot run, string word) =>
        new[] { run.Name, run.Model, run.Dataset, run.Notes.Text }.Concat(run.Notes.Tags).Any(text => text?.Contains(word, StringComparison.OrdinalIgnoreCase) == true);
}

/// <summary>A column of the list of runs.</summary>
/// <param name="Key">Its name in addresses.</param>
/// <param name="Title">Its head.</param>
/// <param name="Value">What it is sorted by; null where the run has none.</param>
/// <param name="Text">What stands in it.</param>
/// <param name="IsNumber">Whether it stands at the right.</param>
internal sealed record RunColumn(string Key, string Title, Func<RunSnapshot, IComparable?> Value, Func<RunSnapshot, string> Text, bool IsNumber = false)
{
    private const string ArgumentPrefix = "arg.";

    /// <summary>What stands beside the pointer; else the text of the column.</summary>
    public Func<RunSnapshot, string> Long { get; private init; } = Text;

    /// <summary>The columns that every run has.</summary>
    public static IReadOnlyList<RunColumn> All { get; } =
    [
        new("name", "Run", r => r.Name, r => r.Name),
        new("state", "State", r => r.State, r => r.State.ToString()),
        new("best", "Best", r => r.BestValue, r => r.BestName is null ? "–" : Metric(r.BestName, r.BestValue), IsNumber: true) { Long = r => r.BestName is null ? "–" : $"{RunText.Metric(r.BestName)} {RunText.Number(r.BestValue)}{(r.BestStep is { } step ? $" at step {step}" : "")}" },
        new("test", "Test", r => r.Test?.Value, r => r.Test is { } test ? Metric(test.Name, test.Value) : "–", IsNumber: true),
        new("date", "Began", r => r.Started, r => RunText.Date(r.Started)) { Long = r => r.Started.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC" },
        new("model", "Model", r => r.Model, r => r.Model ?? "–"),
        new("dataset", "Data set", r => r.Dataset, r => r.Dataset ?? "–"),
        new("step", "Step", r => r.Step, r => r.StepCount > 0 ? $"{r.Step} / {r.StepCount}" : $"{r.Step}", IsNumber: true),
        new("duration", "Duration", r => r.Duration, r => RunText.Duration(r.Duration), IsNumber: true),
        new("tags", "Tags", r => r.Notes.Tags.Count == 0 ? null : string.Join(", ", r.Notes.Tags), r => string.Join(", ", r.Notes.Tags)),
    ];

    // The accuracy goes without its name.
    private static string Metric(string name, double? value) => name.EndsWith("_accuracy", StringComparison.Ordinal)
        ? RunText.Number(value)
        : $"{name[(name.IndexOf('_', StringComparison.Ordinal) + 1)..].Replace('_', ' ')} {RunText.Number(value)}";

    /// <summary>The column of a key; null when there is none.</summary>
    public static RunColumn? Find(string key) => All.FirstOrDefault(c => c.Key == key)
        ?? (key.StartsWith(ArgumentPrefix, StringComparison.Ordinal) && key.Length > ArgumentPrefix.Length ? OfArgument(key[ArgumentPrefix.Length..]) : null);

    /// <summary>The column of an argument.</summary>
    public static RunColumn OfArgument(string name) => new(
        ArgumentPrefix + name,
        name[(name.LastIndexOf('.') + 1)..],
        run => run.Arguments.TryGetValue(name, out var value) && value != "null" ? new ArgumentValue(value) : null,
        run => RunArguments.Of(run, name));

    // Numbers before words; numbers by their size.
    private readonly record struct ArgumentValue(string Text) : IComparable
    {
        private double? Number => double.TryParse(Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

        public int CompareTo(object? obj) => obj is not ArgumentValue other ? 1
            : (Number, other.Number) switch
            {
                ({ } a, { } b) => a.CompareTo(b),
                ({ }, null) => -1,
                (null, { }) => 1,
                _ => string.CompareOrdinal(Text, other.Text),
            };
    }
}
