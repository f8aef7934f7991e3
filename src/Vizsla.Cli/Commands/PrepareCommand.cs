using System.CommandLine;
using Spectre.Console;
using Vizsla.Datasets.Splits;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla prepare</c>: from a folder of photos to an ImageFolder with splits.</summary>
internal sealed class PrepareCommand : Verb
{
    private static readonly (string Word, BadRows Value)[] s_badRows = [("error", BadRows.Error), ("skip", BadRows.Skip)];
    private static readonly string[] s_splits = ["train", "validation", "test"];

    private readonly Option<string> _images;
    private readonly Option<string?> _labels;
    private readonly Option<string?> _splitFile;
    private readonly Option<string> _output;
    private readonly Option<string> _testSize;
    private readonly Option<string> _validationSize;
    private readonly Option<long> _seed;
    private readonly Option<bool> _stratify;
    private readonly Option<string> _idColumn;
    private readonly Option<string> _labelColumn;
    private readonly Option<bool> _groupDuplicates;
    private readonly Option<string> _missing;
    private readonly Option<string> _badImages;
    private readonly Option<string?> _link;
    private readonly Option<bool> _overwrite;

    public PrepareCommand()
        : base("prepare", "Split a folder of photos into train, validation and test folders of classes (an ImageFolder).",
            "vizsla prepare --images photos --labels photos/labels.csv --output PetClassification",
            "vizsla prepare --images pets --validation_size 0.2 --group_duplicates --output PetClassification",
            "vizsla prepare --images data --split_file split.csv --output PetClassification")
    {
        var defaults = new PreparationOptions { Images = "", Output = "" };
        _images = AddRequired<string>("--images", "Folder of the photos: flat with a label file, or one folder per class.");
        _labels = AddOption<string>("--labels", "CSV of ids and labels; default: labels.csv in the folder of the photos, else class folders.");
        _splitFile = AddOption<string>("--split_file", "CSV of file,split,label that fixes the split of each file below --images.");
        _output = AddRequired<string>("--output", "Folder to make.");
        _testSize = AddOption("--test_size", "Size of the test split: a fraction, or a number of photos; 0 for none.", $"{defaults.TestSize}");
        _validationSize = AddOption("--validation_size", "Size of the validation split, of what the test split leaves; 0 for none.", $"{defaults.ValidationSize}");
        _seed = AddOption<long>("--seed", "Seed of the splits, 0 to 4294967295.", defaults.Seed);
        _stratify = AddOption("--stratify", "Give each split its share of each class: true or false.", defaults.Stratify);
        _idColumn = AddOption("--id_column", "Column of the ids, with or without extension.", defaults.IdColumn);
        _labelColumn = AddOption("--label_column", "Column of the labels.", defaults.LabelColumn);
        _groupDuplicates = AddOption("--group_duplicates", "Keep copies of a photo, exact and near, in one split; sizes count each photo once.", false);
        _missing = AddOption("--missing", "Rows whose photo is missing: error or skip.", "error");
        _badImages = AddOption("--bad_images", "Photos that cannot be read completely: error or skip.", "error");
        _link = AddOption<string>("--link", "Link instead of copying: hard or symbolic.");
        _overwrite = AddOption("--overwrite", "Replace what the split.json of an existing output folder lists, and nothing else.", false);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var options = Read(arguments);
        var result = PictureProgress.Run(console, report => DatasetPreparation.Run(
            options,
            new Relay<PreparationProgress>(p => report(p.Phase == PreparationPhase.Check ? "checked" : options.Transfer == FileTransfer.Copy ? "copied" : "linked", p.Done, p.Total)),
            cancellationToken));
        Report(result, console);
        return Task.FromResult(0);
    }

    private PreparationOptions Read(ParseResult arguments)
    {
        var seed = arguments.GetValue(_seed);
        return new()
        {
            Images = arguments.GetValue(_images)!,
            Labels = arguments.GetValue(_labels),
            SplitFile = arguments.GetValue(_splitFile),
            Output = arguments.GetValue(_output)!,
            TestSize = Size("--test_size", arguments.GetValue(_testSize)!),
            ValidationSize = Size("--validation_size", arguments.GetValue(_validationSize)!),
            Seed = seed is >= 0 and <= uint.MaxValue ? (uint)seed : throw new UsageException(Invariant($"--seed takes a number from 0 to {uint.MaxValue}, got {seed}.")),
            Stratify = arguments.GetValue(_stratify),
            IdColumn = arguments.GetValue(_idColumn)!,
            LabelColumn = arguments.GetValue(_labelColumn)!,
            GroupDuplicates = arguments.GetValue(_groupDuplicates),
            Missing = Choice.Parse("--missing", arguments.GetValue(_missing)!, s_badRows),
            BadImages = Choice.Parse("--bad_images", arguments.GetValue(_badImages)!, s_badRows),
            Transfer = arguments.GetValue(_link) is { } link ? Choice.Parse("--link", link, ("hard", FileTransfer.Hard), ("symbolic", FileTransfer.Symbolic)) : FileTransfer.Copy,
            Overwrite = arguments.GetValue(_overwrite),
        };
    }

    private static SplitSize? Size(string option, string text)
    {
        if (!SplitSize.TryParse(text, out var size) || size.Share is < 0 or >= 1 || size.Rows < 0)
        {
            throw new UsageException($"{option} takes a fraction from 0 to below 1 (0.2), or a number of photos (200), got '{text}'.");
        }

        return size.Share == 0 || size.Rows == 0 ? null : size;
    }

    private static void Report(PreparationResult result, CommandConsole console)
    {
        var table = new Table().AddColumn("split").AddColumn(new TableColumn("photos").RightAligned()).AddColumn(new TableColumn("classes").RightAligned());
        foreach (var split in s_splits.Where(s => result.Count(s) > 0))
        {
            table.AddRow(split, $"{result.Count(split)}", $"{result.Manifest.Counts[split].Count}");
        }

        console.Out.Write(table);
        foreach (var bad in result.BadSkipped)
        {
            console.Note($"left out, cannot be read: {bad.Path}: {bad.Reason}");
        }

        foreach (var id in result.MissingSkipped)
        {
            console.Note($"left out, no photo: {id}");
        }

        if (result.Copies.Count > 0)
        {
            console.Note($"{result.Copies.Sum(g => g.Count)} photos are copies of one another, in {result.Copies.Count} {(result.Copies.Count == 1 ? "group" : "groups")}; each group is in one split.");
        }

        foreach (var note in result.Notes)
        {
            console.Note(note);
        }

        foreach (var left in result.LeftOut)
        {
            console.Note($"Left out: {left.Sentence}.");
        }

        if (result.UnlabeledCount > 0)
        {
            console.Note($"{result.UnlabeledCount} photos in the folder have no row in the label file; they were left where they are.");
        }

        console.WriteLine($"Prepared '{result.Output}'; what went where is in '{Path.Combine(result.Output, SplitManifest.FileName)}'.");
    }
}
