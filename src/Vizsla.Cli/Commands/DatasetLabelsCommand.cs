using System.CommandLine;
using System.Text.Json.Nodes;
using Vizsla.Analysis;
using Vizsla.Cli.Jobs;
using Vizsla.Primitives;
using static Vizsla.Cli.Wording;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla dataset labels</c>: labels that are probably wrong.</summary>
internal sealed class DatasetLabelsCommand : Verb
{
    private enum Format
    {
        Table,
        Json,
        Csv,
    }

    private const int ListedOfKind = 5;
    private const int SheetLimit = 60;

    private static readonly (string Word, Format Value)[] s_formats = [("table", Format.Table), ("json", Format.Json), ("csv", Format.Csv)];
    private static readonly (string Word, LabelIssueFilter? Filter)[] s_filters =
    [
        ("agreement", null),
        ("prune_by_noise_rate", LabelIssueFilter.PruneByNoiseRate),
        ("prune_by_class", LabelIssueFilter.PruneByClass),
        ("both", LabelIssueFilter.Both),
        ("confident_learning", LabelIssueFilter.ConfidentLearning),
        ("predicted_neq_given", LabelIssueFilter.PredictedNeqGiven),
    ];

    private readonly EmbeddingFlags _source;
    private readonly Option<int> _folds;
    private readonly Option<ulong> _seed;
    private readonly Option<double> _threshold;
    private readonly Option<string> _filter;
    private readonly Option<string> _format;
    private readonly Option<string?> _output;

    public DatasetLabelsCommand()
        : base("labels", "Find labels that are probably wrong, classes that overlap, photos of different classes that look alike, and outliers.",
            "vizsla dataset labels --dataset PetClassification --model tf_efficientnet_lite0 --output sheet.png",
            "vizsla dataset labels --dataset PetClassification --model tf_efficientnet_lite0 --format csv > issues.csv")
    {
        var defaults = new LabelReviewOptions();
        _source = new EmbeddingFlags(this);
        _folds = AddOption("--folds", "Number of folds, at least 2; each fold is judged by a classifier that was trained on the others.", defaults.Folds);
        _seed = AddOption("--seed", "Seed of the folds.", defaults.Seed);
        _threshold = AddOption("--threshold", "With --filter agreement: a label whose probability is below this, 0 to 1, is suspicious.", defaults.Threshold);
        _filter = AddOption("--filter", $"Which labels are listed: agreement (default; both the classifier and the nearest pictures contradict), or as cleanlab's find_label_issues chooses: {string.Join(", ", s_filters.Skip(1).Select(f => f.Word))}.", "agreement");
        _format = AddOption("--format", "table, json or csv (the listed labels alone).", "table");
        _output = AddOption<string>("--output", $"PNG file to draw the first {SheetLimit} listed pictures on.");
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var format = Choice.Parse("--format", arguments.GetValue(_format)!, s_formats);
        var filter = Choice.Parse("--filter", arguments.GetValue(_filter)!, s_filters);
        var options = ReadOptions(arguments);
        var embedded = await _source.OpenAsync(arguments, [], console, cancellationToken);
        embedded.RequireLabels();
        WarnOfTrainedModel(console, embedded, _source.Model(arguments));
        var review = Review(embedded, options, cancellationToken);
        var issues = filter is { } asCleanlab ? review.Confident.Find(asCleanlab) : review.Issues;
        switch (format)
        {
            case Format.Json:
                console.WriteLine(PythonJson.Serialize(Json(embedded, review, issues), indent: 2, sortKeys: false, ensureAscii: false));
                break;
            case Format.Csv:
                console.WriteLine("file_name,split,label,suggested,score");
                foreach (var issue in issues)
                {
                    console.WriteLine(CsvLine.Of(embedded.Name(issue.Row), embedded.Split(issue.Row), embedded.Classes[issue.Given], embedded.Classes[issue.Suggested], PythonJson.Repr(issue.Score)));
                }

                break;
            default:
                WriteTables(console, embedded, review, issues);
                break;
        }

        if (arguments.GetValue(_output) is { } sheet)
        {
            DrawSheet(console, embedded, issues, sheet);
        }

        return 0;
    }

    private LabelReviewOptions ReadOptions(ParseResult arguments)
    {
        var (folds, threshold) = (arguments.GetValue(_folds), arguments.GetValue(_threshold));
        return folds < 2 ? throw new UsageException(Invariant($"--folds takes 2 or more, got {folds}."))
            : threshold is not (>= 0 and <= 1) ? throw new UsageException(Invariant($"--threshold takes a probability, 0 to 1, got {threshold}."))
            : new LabelReviewOptions { Folds = folds, Seed = arguments.GetValue(_seed), Threshold = threshold };
    }

    private static LabelReview Review(EmbeddedDataset embedded, LabelReviewOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return LabelReview.Run(embedded.Features, embedded.Labels, embedded.Classes.Count, options, cancellationToken);
        }
        catch (ArgumentException e) when (e.ParamName == "labels")
        {
            var alone = embedded.Labels.CountBy(l => l).Where(c => c.Value < 2).Select(c => $"'{embedded.Classes[c.Key]}'").ToList();
            throw new UsageException(alone.Count > 0
                ? $"A review needs two pictures at least of each class; {string.Join(", ", alone)} of '{embedded.Title}' {(alone.Count == 1 ? "has" : "have")} one. Add pictures, or remove the class."
                : $"'{embedded.Title}' has pictures of one class alone; a review compares classes.");
        }
    }

    // A network that was trained on a wrong label agrees with it.
    private static void WarnOfTrainedModel(CommandConsole console, EmbeddedDataset embedded, string model)
    {
        if (embedded.ModelClasses.Order(StringComparer.Ordinal).SequenceEqual(embedded.Classes.Order(StringComparer.Ordinal)))
        {
            console.Note($"'{model}' knows the classes of '{embedded.Title}'. If it was trained on these pictures, its features hide wrong labels: take the model that the training started from.");
        }
    }

    private static void WriteTables(CommandConsole console, EmbeddedDataset embedded, LabelReview review, IReadOnlyList<LabelIssue> issues)
    {
        if (issues.Count > 0)
        {
            console.WriteTable(["picture", "split", "label", "looks like", "probability", "neighbors"], issues.Select(issue => new[]
            {
                embedded.Name(issue.Row), embedded.Split(issue.Row), embedded.Classes[issue.Given], embedded.Classes[issue.Suggested], Invariant($"{issue.Score:0.0000}"), Invariant($"{review.Agreement[issue.Row]:0%}"),
            }));
            console.WriteLine("probability: of the given label, by a classifier that did not see the picture. neighbors: share of the nearest pictures with the given label.");
        }

        Section(console, "Classes labelled worst", ["class", "wrong", "missing", "quality"], LabelHealth.ClassQualities(review.Confident).Where(c => c.LabelIssues > 0 || c.InverseLabelIssues > 0)
            .Select(c => new[] { embedded.Classes[c.ClassIndex], $"{c.LabelIssues}", $"{c.InverseLabelIssues}", Invariant($"{c.Quality:0.00}") }));
        Section(console, "Classes that overlap", ["class", "class", "pictures"], LabelHealth.OverlappingClasses(review.Confident).Where(o => o.Examples > 0)
            .Select(o => new[] { embedded.Classes[o.ClassA], embedded.Classes[o.ClassB], $"{o.Examples}" }));
        Section(console, "Look alike, with different labels", ["picture", "label", "picture", "label", "distance"], review.Lookalikes()
            .Select(p => new[] { embedded.Name(p.First), embedded.LabelOf(p.First), embedded.Name(p.Second), embedded.LabelOf(p.Second), Invariant($"{p.Distance:0.000}") }));
        Section(console, "Like no other", ["picture", "label", "score"], Enumerable.Range(0, review.Outliers.Count).OrderBy(i => review.Outliers[i])
            .Select(i => new[] { embedded.Name(i), embedded.LabelOf(i), Invariant($"{review.Outliers[i]:0.000}") }));
        console.WriteLine($"Reviewed {Counted(embedded.Labels.Count, "picture")} of {embedded.Classes.Count} classes: {(issues.Count == 0 ? "no label is" : issues.Count == 1 ? "1 label is" : $"{issues.Count} labels are")} probably wrong.");
    }

    private static void Section(CommandConsole console, string title, string[] columns, IEnumerable<string[]> rows)
    {
        var all = rows.ToList();
        if (all.Count == 0)
        {
            return;
        }

        console.WriteLine($"{title} ({(all.Count > ListedOfKind ? $"{ListedOfKind} of {all.Count}; --format json lists all" : $"{all.Count}")}):");
        console.WriteTable(columns, all.Take(ListedOfKind));
    }

    private static JsonObject Json(EmbeddedDataset embedded, LabelReview review, IReadOnlyList<LabelIssue> issues)
    {
        JsonObject Picture(int row) => new() { ["file_name"] = embedded.Name(row), ["split"] = embedded.Split(row), ["label"] = embedded.LabelOf(row) };

        JsonObject With(JsonObject node, params (string Key, JsonNode Value)[] more)
        {
            more.ToList().ForEach(m => node[m.Key] = m.Value);
            return node;
        }

        return new JsonObject
        {
            ["pictures"] = embedded.Labels.Count,
            ["label_issues"] = new JsonArray([.. issues.Select(i => With(Picture(i.Row), ("suggested", embedded.Classes[i.Suggested]), ("score", i.Score), ("neighbors", review.Agreement[i.Row])))]),
            ["class_quality"] = new JsonArray([.. LabelHealth.ClassQualities(review.Confident).Select(c => new JsonObject
            {
                ["class"] = embedded.Classes[c.ClassIndex], ["label_issues"] = c.LabelIssues, ["inverse_label_issues"] = c.InverseLabelIssues,
                ["label_noise"] = c.LabelNoise, ["inverse_label_noise"] = c.InverseLabelNoise, ["label_quality_score"] = c.Quality,
            })]),
            ["overlapping_classes"] = new JsonArray([.. LabelHealth.OverlappingClasses(review.Confident).Where(o => o.Examples > 0).Select(o => new JsonObject
            {
                ["class_a"] = embedded.Classes[o.ClassA], ["class_b"] = embedded.Classes[o.ClassB], ["num_overlapping_examples"] = o.Examples, ["joint_probability"] = o.JointProbability,
            })]),
            ["lookalikes"] = new JsonArray([.. review.Lookalikes().Select(p => new JsonObject { ["first"] = Picture(p.First), ["second"] = Picture(p.Second), ["distance"] = p.Distance })]),
            ["outliers"] = new JsonArray([.. Enumerable.Range(0, review.Outliers.Count).OrderBy(i => review.Outliers[i]).Select(i => With(Picture(i), ("score", review.Outliers[i])))]),
        };
    }

    private static void DrawSheet(CommandConsole console, EmbeddedDataset embedded, IReadOnlyList<LabelIssue> issues, string path)
    {
        if (issues.Count == 0)
        {
            console.Note($"No label is listed; '{path}' was not drawn.");
            return;
        }

        var drawn = PictureSheet.Save(path, issues.Take(SheetLimit).Select(i => (embedded.Load(i.Row), $"{embedded.Classes[i.Given]} → {embedded.Classes[i.Suggested]}")));
        console.Note($"Drew {drawn} of {Counted(issues.Count, "label")} on '{path}'.");
    }
}
