using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Vizsla.Cli.Jobs;
using Vizsla.Datasets.Statistics;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Runs.Charts;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla dataset stats</c>: classes, sizes and formats of each split, and a plot of them.</summary>
internal sealed class DatasetStatsCommand : Verb
{
    private const int ListedFormats = 10;
    private static readonly (string Word, bool Json)[] s_formats = [("table", false), ("json", true)];

    private readonly Option<string> _dataset;
    private readonly Option<string?> _revision;
    private readonly DatasetFlags _loading;
    private readonly Option<string> _format;
    private readonly Option<string?> _output;

    public DatasetStatsCommand()
        : base("stats", "Count the pictures of each class, their sizes and formats, and plot them.",
            "vizsla dataset stats --dataset PetClassification --output stats.png",
            "vizsla dataset stats --dataset PetClassification --format json")
    {
        _dataset = AddRequired<string>("--dataset", "Folder, or name of a dataset on the Hub.");
        _revision = AddOption<string>("--revision", "Branch, tag or commit on the Hub.", aliases: "--dataset_revision");
        _loading = new DatasetFlags(this);
        _format = AddOption("--format", "table or json.", "table");
        _output = AddOption<string>("--output", "PNG file to plot the classes and sizes on.");
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var asJson = Choice.Parse("--format", arguments.GetValue(_format)!, s_formats);
        var dataset = await DatasetSource.OpenAsync(arguments.GetValue(_dataset)!, arguments.GetValue(_revision), _loading.Read(arguments), console, cancellationToken);
        var count = dataset.Values.Sum(s => s.Count);
        var statistics = PictureProgress.Run(console, tell => DatasetStatistics.Measure(dataset, new Relay<int>(done => tell("read", done, count)), cancellationToken));
        if (asJson)
        {
            console.WriteLine(PythonJson.Serialize(StatisticsJson.Write(statistics), indent: 2, sortKeys: false, ensureAscii: false));
        }
        else
        {
            WriteSplits(statistics, console);
            WriteClasses(statistics, console);
        }

        if (arguments.GetValue(_output) is { } path)
        {
            using var plot = DatasetPlot.Draw(statistics);
            ImageCodec.SavePng(plot, path);
            console.Note($"Drew '{path}'.");
        }

        return 0;
    }

    private static void WriteSplits(DatasetStatistics statistics, CommandConsole console)
    {
        var table = new Table().AddColumn("split");
        foreach (var name in new[] { "pictures", "classes", "of a class", "width", "height", "size", "unreadable" })
        {
            table.AddColumn(new TableColumn(name).RightAligned());
        }

        table.AddColumn("formats");
        foreach (var split in statistics.Splits)
        {
            var formats = split.Formats.Take(ListedFormats).Select(f => $"{f.Key} {f.Value}");
            table.AddRow(
                Markup.Escape(split.Split), Digits(split.Count), Digits(split.Classes.Count(c => c.Value > 0)), Text(split.ClassSize), Text(split.Width), Text(split.Height),
                TransferDisplay.Size(split.Bytes), Digits(split.UnreadableCount), Markup.Escape(string.Join(", ", formats) + (split.Formats.Count > ListedFormats ? ", ..." : "")));
        }

        console.Out.Write(table);
        console.WriteLine("of a class, width, height: smallest, median, largest");
    }

    private static void WriteClasses(DatasetStatistics statistics, CommandConsole console)
    {
        var names = statistics.Splits.SelectMany(s => s.Classes.Select(c => c.Key)).Distinct().ToList();
        if (names.Count == 0)
        {
            return;
        }

        var table = new Table().AddColumn("class");
        foreach (var split in statistics.Splits)
        {
            table.AddColumn(new TableColumn(Markup.Escape(split.Split)).RightAligned());
        }

        foreach (var name in names)
        {
            table.AddRow([Markup.Escape(name), .. statistics.Splits.Select(s => Digits(s.Classes.FirstOrDefault(c => c.Key == name).Value))]);
        }

        console.Out.Write(table);
    }

    private static string Text(Spread spread) => string.Create(CultureInfo.InvariantCulture, $"{spread.Min} {spread.Median} {spread.Max}");

    private static string Digits(int value) => value.ToString(CultureInfo.InvariantCulture);
}
