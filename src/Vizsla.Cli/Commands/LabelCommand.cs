using System.CommandLine;
using System.Diagnostics;
using Vizsla.Cli.Jobs;
using Vizsla.Datasets.Splits;
using Vizsla.Inference;
using Vizsla.Studio;
using Vizsla.Studio.Labeling;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla label</c>: photos labelled by keyboard in the browser, those that help most first.</summary>
internal sealed class LabelCommand : Verb
{
    private const int Port = 5290;

    private readonly Argument<string> _photos;
    private readonly Option<string> _model;
    private readonly Option<string?> _modelRevision;
    private readonly Option<string> _output;
    private readonly Option<string[]> _classes;
    private readonly Option<string> _idColumn;
    private readonly Option<string> _labelColumn;
    private readonly Option<bool> _open;
    private readonly ServerOptions _server;

    public LabelCommand()
        : base("label", "Label photos by keyboard in the browser: a classifier learns meanwhile, and asks for those that it is least sure of. Each label is in the CSV file at once.",
            "vizsla label photos --model tf_efficientnet_lite0 --output labels.csv --open",
            "vizsla label photos --model tf_efficientnet_lite0 --output labels.csv --classes beagle pug vizsla")
    {
        var defaults = new PreparationOptions { Images = "", Output = "" };
        _photos = AddArgument<string>("photos", "Folder of photos; subfolders are searched too.", ArgumentArity.ExactlyOne);
        _model = AddRequired<string>("--model", "Model whose features the classifier learns from: a folder, or a name on the Hub.");
        _modelRevision = AddOption<string>("--model_revision", "Branch, tag or commit of a model on the Hub. Default: main.");
        _output = AddOption("--output", "CSV file of the labels, for 'vizsla prepare --labels'; one that is there is gone on with.", "labels.csv", "-o");
        _classes = AddOption("--classes", "Classes to begin with; others can be named on the page.", Array.Empty<string>());
        _classes.AllowMultipleArgumentsPerToken = true;
        _idColumn = AddOption("--id_column", "Column of the photos' paths below the folder.", defaults.IdColumn);
        _labelColumn = AddOption("--label_column", "Column of the labels.", defaults.LabelColumn);
        _open = AddOption<bool>("--open", "Open the browser.");
        _server = new ServerOptions(this, Port, servesModels: false);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var (folder, output) = (arguments.GetValue(_photos)!, arguments.GetValue(_output)!);
        if (!Directory.Exists(folder))
        {
            throw new UsageException($"'{folder}' is not a folder; give the folder of the photos.");
        }

        var files = InputFiles.Find([folder]);
        var (model, revision) = (arguments.GetValue(_model)!, arguments.GetValue(_modelRevision));
        await ModelFetch.EnsureAsync(console, model, revision, cancellationToken);
        var features = Embed(model, revision, files, console, cancellationToken);
        features.Where(f => f.Error is not null).ToList().ForEach(f => console.Note($"{f.File} is left out: {f.Error!.TrimEnd('.')}."));
        var whole = features.Where(f => f.Error is null).ToList();
        if (whole.Count == 0)
        {
            throw new UsageException($"None of the photos in '{folder}' can be read.");
        }

        var names = whole.Select(f => Path.GetRelativePath(folder, f.File).Replace(Path.DirectorySeparatorChar, '/')).ToList();
        using var session = new LabelSession(
            [.. whole.Select(f => f.File)], names, [.. whole.Select(f => f.Values)], output, (arguments.GetValue(_idColumn)!, arguments.GetValue(_labelColumn)!), arguments.GetValue(_classes)!);
        var host = new HostOptions();
        _server.Apply(arguments, host);
        await ServerOptions.RunAsync(() => LabelApplication.Create(session, host), (_, address) =>
        {
            console.WriteLine($"Label {Wording.Counted(whole.Count, "photo")} at {address}; the labels are in '{output}'.");
            if (arguments.GetValue(_open))
            {
                using var browser = Process.Start(new ProcessStartInfo(address) { UseShellExecute = true });
            }

            return Task.CompletedTask;
        }, cancellationToken);
        var state = session.State();
        console.Note($"{state.Labelled} of {Wording.Counted(state.Total, "photo")} have a label. Train with them: vizsla {CommandLine.Quote(["prepare", "--images", folder, "--labels", output])}");
        return 0;
    }

    private static List<PictureFeatures> Embed(string model, string? revision, IReadOnlyList<string> files, CommandConsole console, CancellationToken cancellationToken)
    {
        using var classifier = ImageClassifier.FromEncoder(model, revision);
        var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline());
        return PictureProgress.Run(console, report =>
        {
            var done = new List<PictureFeatures>(files.Count);
            foreach (var answer in predictor.Embed(files, cancellationToken))
            {
                done.Add(answer);
                report("looked at", done.Count, files.Count);
            }

            return done;
        });
    }
}
