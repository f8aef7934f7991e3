using System.CommandLine;
using Spectre.Console;
using Vizsla.Cli.Jobs;
using Vizsla.Datasets.Checks;
using Vizsla.Imaging;
using Vizsla.Primitives;
using static Vizsla.Cli.Wording;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla dataset check</c>: problems of a dataset, and how to fix them.</summary>
internal sealed class DatasetCheckCommand : Verb
{
    private const int ListedOfKind = 20;
    private const int ListedFiles = 3;
    private static readonly (string Word, bool Json)[] s_formats = [("table", false), ("json", true)];
    private static readonly (string Word, FindingKind Kind)[] s_kinds = [.. QuarantinePlan.PossibleKinds.Select(k => (k.ToString().ToLowerInvariant(), k))];

    private readonly Option<string> _dataset;
    private readonly Option<string?> _revision;
    private readonly DatasetFlags _loading;
    private readonly Option<string> _format;
    private readonly Option<string?> _output;
    private readonly Option<int> _nearDistance;
    private readonly Option<int> _minSide;
    private readonly Option<double> _maxRatio;
    private readonly Option<double> _maxImbalance;
    private readonly Option<double> _blurry;
    private readonly Option<double> _dark;
    private readonly Option<double> _light;
    private readonly Option<double> _information;
    private readonly Option<double> _shape;
    private readonly Option<double> _size;
    private readonly Option<string?> _fix;
    private readonly Option<string> _fixKinds;
    private readonly Option<bool> _undo;

    public DatasetCheckCommand()
        : base("check", "Find broken, blurred, dark and odd pictures, copies within and across splits, confused class names, photos that are left out and classes out of balance. Ends with 1 where an error is left.",
            "vizsla dataset check --dataset PetClassification --output sheet.png",
            "vizsla dataset check --dataset PetClassification --fix quarantine",
            "vizsla dataset check --dataset PetClassification --undo")
    {
        var defaults = new DatasetCheckOptions();
        _dataset = AddRequired<string>("--dataset", "Folder, or name of a dataset on the Hub.");
        _revision = AddOption<string>("--revision", "Branch, tag or commit on the Hub.", aliases: "--dataset_revision");
        _loading = new DatasetFlags(this);
        _format = AddOption("--format", "table or json.", "table");
        _output = AddOption<string>("--output", "PNG file to draw the found pictures on, copies side by side.");
        _nearDistance = AddOption("--near_distance", "Largest distance of the perceptual hashes of near copies, 0 to 16 bits.", defaults.NearDistance);
        _minSide = AddOption("--min_side", "Pictures with a side of fewer pixels are tiny.", defaults.MinSide);
        _maxRatio = AddOption("--max_ratio", "Pictures with a side more than this many times the other are extreme.", defaults.MaxRatio);
        _maxImbalance = AddOption("--max_imbalance", "Classes with more than this many times the pictures of another are out of balance.", defaults.MaxImbalance);
        _blurry = AddOption("--blurry_threshold", "Pictures whose sharpness scores less, 0 to 1, are blurry; this score and the next are cleanvision's.", defaults.BlurryThreshold);
        _dark = AddOption("--dark_threshold", "Pictures whose brightest pixels score less, 0 to 1, are dark.", defaults.DarkThreshold);
        _light = AddOption("--light_threshold", "Pictures whose darkest pixels score less, 0 to 1 (black), are overexposed.", defaults.LightThreshold);
        _information = AddOption("--low_information_threshold", "Pictures whose entropy in tens of bits is less hold little information.", defaults.LowInformationThreshold);
        _shape = AddOption("--odd_shape_threshold", "Pictures whose shorter side over the longer is less are of an odd shape.", defaults.OddShapeThreshold);
        _size = AddOption("--odd_size_factor", "Pictures whose size lies more than this many times the distance of the quartiles outside of them are of an odd size.", defaults.OddSizeFactor);
        _fix = AddOption<string>("--fix", "quarantine moves pictures into .quarantine below the dataset's folder, where datasets do not look; nothing is deleted.");
        _fixKinds = AddOption("--fix_kinds", $"What --fix moves: any of {string.Join(", ", s_kinds.Select(k => k.Word))}. One of several copies stays; copies with different labels all stay.", Words(QuarantinePlan.DefaultKinds));
        _undo = AddOption("--undo", "Bring back what --fix moved, and do nothing else.", false);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var name = arguments.GetValue(_dataset)!;
        var asJson = Choice.Parse("--format", arguments.GetValue(_format)!, s_formats);
        var options = ReadOptions(arguments);
        var kinds = arguments.GetValue(_fixKinds)!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(word => Choice.Parse("--fix_kinds", word, s_kinds)).ToList();
        var isFixed = arguments.GetValue(_fix) is { } fix && Choice.Parse("--fix", fix, ("quarantine", true));
        if (arguments.GetValue(_undo))
        {
            return isFixed ? throw new UsageException("--undo brings back what --fix moved; give one of them.") : Undo(new Quarantine(name), console);
        }

        // Known to be a folder before the long part.
        var quarantine = isFixed ? new Quarantine(name) : null;
        var dataset = await DatasetSource.OpenAsync(name, arguments.GetValue(_revision), _loading.Read(arguments), console, cancellationToken);
        var count = dataset.Values.Sum(s => s.Count);
        var report = PictureProgress.Run(console, tell => DatasetCheck.Run(dataset, options, new Relay<int>(done => tell("checked", done, count)), cancellationToken));
        if (arguments.GetValue(_output) is { } sheet)
        {
            DrawSheet(dataset, report, sheet, console);
        }

        IReadOnlyList<(FoundPicture Picture, string Reason)> moved = [];
        if (quarantine is not null)
        {
            moved = QuarantinePlan.Choose(report, kinds);
            quarantine.Move([.. moved.Select(m => (m.Picture.Name, m.Reason))]);
        }

        Write(report, moved, name, asJson, console);
        if (report.Of(FindingKind.Imbalance).Any())
        {
            console.Note("To train on classes out of balance: --train_sampling_strategy balanced draws rare classes more often, --class_weights balanced weighs their losses more.");
        }

        if (quarantine is not null)
        {
            console.Note(moved.Count == 0
                ? "Nothing was moved."
                : $"Moved {Counted(moved.Count, "picture")} to '{Path.Combine(name, Quarantine.FolderName)}'; 'vizsla dataset check --dataset {name} --undo' brings them back.");
        }

        var leaving = moved.Select(m => m.Picture).ToHashSet();
        return report.Findings.Any(f => f.IsError && IsLeft(f, leaving)) ? 1 : 0;
    }

    private DatasetCheckOptions ReadOptions(ParseResult arguments)
    {
        var options = new DatasetCheckOptions
        {
            NearDistance = arguments.GetValue(_nearDistance),
            MinSide = arguments.GetValue(_minSide),
            MaxRatio = arguments.GetValue(_maxRatio),
            MaxImbalance = arguments.GetValue(_maxImbalance),
            BlurryThreshold = arguments.GetValue(_blurry),
            DarkThreshold = arguments.GetValue(_dark),
            LightThreshold = arguments.GetValue(_light),
            LowInformationThreshold = arguments.GetValue(_information),
            OddShapeThreshold = arguments.GetValue(_shape),
            OddSizeFactor = arguments.GetValue(_size),
        };
        if (options.NearDistance is < 0 or > 16)
        {
            throw new UsageException(Invariant($"--near_distance takes 0 to 16 bits, got {options.NearDistance}."));
        }

        return options is { MinSide: >= 0, MaxRatio: >= 1, MaxImbalance: >= 1 }
            ? options
            : throw new UsageException("--min_side takes 0 or more, --max_ratio and --max_imbalance 1 or more.");
    }

    // Broken pictures and copies of one label go; a class name or a wrong label has to be fixed by a person.
    private static bool IsLeft(DatasetFinding finding, HashSet<FoundPicture> moved) => finding.Kind is FindingKind.Exact or FindingKind.Near
        ? finding.Pictures.Count(p => !moved.Contains(p)) > 1
        : finding.Pictures.Count == 0 || finding.Pictures.Any(p => !moved.Contains(p));

    private static int Undo(Quarantine quarantine, CommandConsole console)
    {
        var result = quarantine.Undo();
        foreach (var file in result.Blocked)
        {
            console.Note($"'{file.Quarantined}' stays: there is another file '{file.File}'. Move it away and try again.");
        }

        foreach (var file in result.Lost)
        {
            console.Note($"'{file.File}' is missing: it is neither there nor at '{file.Quarantined}'.");
        }

        console.WriteLine(result.Restored.Count == 0 ? "Nothing was brought back." : $"Brought back {Counted(result.Restored.Count, "picture")}.");
        return result.Blocked.Count + result.Lost.Count > 0 ? 1 : 0;
    }

    private static void DrawSheet(DatasetDict dataset, DatasetCheckReport report, string path, CommandConsole console)
    {
        if (FindingSheet.Draw(dataset, report) is not { } drawn)
        {
            console.Note($"No finding names a picture; '{path}' was not drawn.");
            return;
        }

        using (drawn.Sheet)
        {
            ImageCodec.SavePng(drawn.Sheet, path);
        }

        console.Note($"Drew {drawn.Count} of {Counted(report.Findings.Count(f => f.Pictures.Count > 0), "finding")} with pictures on '{path}'.");
    }

    private static void Write(DatasetCheckReport report, IReadOnlyList<(FoundPicture Picture, string Reason)> moved, string dataset, bool asJson, CommandConsole console)
    {
        if (asJson)
        {
            var json = CheckReportJson.Write(report);
            json["moved"] = new System.Text.Json.Nodes.JsonArray([.. moved.Select(m => m.Picture.Name)]);
            console.WriteLine(PythonJson.Serialize(json, indent: 2, sortKeys: false, ensureAscii: false));
            return;
        }

        if (report.Findings.Count > 0)
        {
            var table = new Table().AddColumn("level").AddColumn("kind").AddColumn("what").AddColumn("pictures");
            foreach (var kind in report.Findings.GroupBy(f => f.Kind))
            {
                AddRows(table, [.. kind.OrderByDescending(f => f.IsError)], dataset);
            }

            console.Out.Write(table);
        }

        var splits = string.Join(", ", report.Counts.Select(c => $"{c.Key} {c.Value}"));
        console.WriteLine($"Checked {Counted(report.Counts.Sum(c => c.Value), "picture")} ({splits}): {Counted(report.ErrorCount, "error")}, {Counted(report.WarningCount, "warning")}.");
    }

    private static void AddRows(Table table, DatasetFinding[] findings, string dataset)
    {
        foreach (var finding in findings.Take(ListedOfKind))
        {
            var names = finding.Pictures.Take(ListedFiles).Select(p => Below(dataset, p.Name));
            var more = finding.Pictures.Count > ListedFiles ? $"\nand {finding.Pictures.Count - ListedFiles} more" : "";
            table.AddRow(Markup.Escape(finding.IsError ? "error" : "warning"), Markup.Escape(finding.Kind.ToString().ToLowerInvariant()), Markup.Escape(finding.Message), Markup.Escape(string.Join('\n', names) + more));
        }

        if (findings.Length > ListedOfKind)
        {
            table.AddRow("", Markup.Escape(findings[0].Kind.ToString().ToLowerInvariant()), $"and {findings.Length - ListedOfKind} more; --format json lists all", "");
        }
    }

    private static string Below(string dataset, string file) =>
        Path.IsPathRooted(file) && Path.GetRelativePath(dataset, file) is var relative && !relative.StartsWith("..", StringComparison.Ordinal) ? relative.Replace(Path.DirectorySeparatorChar, '/') : file;

    private static string Words(IEnumerable<FindingKind> kinds) => string.Join(',', s_kinds.Where(k => kinds.Contains(k.Kind)).Select(k => k.Word));
}
