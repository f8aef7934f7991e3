using System.CommandLine;
using System.IO.Hashing;
using System.Text;
using System.Text.Json.Nodes;
using Spectre.Console;
using Vizsla.Cli.Jobs;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Models;
using Vizsla.Onnx;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla predict</c>: classifies photos.</summary>
internal sealed class PredictCommand : Verb
{
    private enum Format
    {
        Table,
        Json,
        Csv,
    }

    private const int SheetLimit = 64;
    private static readonly (string Word, Format Value)[] s_formats = [("table", Format.Table), ("json", Format.Json), ("csv", Format.Csv)];

    internal const string AugmentationHelp =
        "Test-time augmentation: average the logits of several views of each photo: flip, five-crop, scales, or several joined by '+' (flip+scales=1:1.2); takes as many times as long as there are views.";

    private readonly Argument<string[]> _inputs;
    private readonly Option<string?> _dataset;
    private readonly Option<string?> _datasetRevision;
    private readonly DatasetFlags _loading;
    private readonly Option<string?> _split;
    private readonly Option<string> _model;
    private readonly Option<string?> _modelRevision;
    private readonly Option<string?> _labels;
    private readonly Option<int> _top;
    private readonly Option<string> _format;
    private readonly Option<string?> _output;
    private readonly Option<bool> _explain;
    private readonly Option<string?> _baseModel;
    private readonly Option<int> _batchSize;
    private readonly Option<int> _workers;
    private readonly Option<bool> _fastDecode;
    private readonly Option<bool> _bf16;
    private readonly Option<string?> _embed;
    private readonly Option<string?> _augmentation;
    private readonly Option<bool> _calibrated;
    private readonly EngineFlags _engine;

    public PredictCommand()
        : base("predict", "Classify photos: the most likely classes of each.",
            "vizsla predict photo.jpg --model breed-classification",
            "vizsla predict photos --model breed-classification --top 3 --format csv",
            "vizsla predict photo.jpg --model breed-classification --output sheet.png --explain",
            "vizsla predict photos --model breed-classification --embed features.parquet",
            "vizsla predict photos --model breed-classification --calibrated",
            "vizsla predict photos --model breed-classification --output scores.parquet",
            "mpirun -np 4 vizsla predict --dataset user/pets --split train --model breed-classification --output scores.parquet",
            "vizsla predict photos --model breed-classification --engine onnx --dtype int8")
    {
        var defaults = new PicturePredictorOptions();
        _inputs = AddArgument<string[]>("files", "Photos, or folders whose subfolders are searched too.", ArgumentArity.ZeroOrMore);
        _dataset = AddOption<string>("--dataset", "Folder or Hub name of a dataset, instead of photos; with --output scores.parquet.");
        _datasetRevision = AddOption<string>("--dataset_revision", "Branch, tag or commit of a dataset on the Hub. Default: main.");
        _loading = new DatasetFlags(this);
        _split = AddOption<string>("--split", "Split of the dataset. Default: the only one, else test, else validation.");
        _model = AddRequired<string>("--model", "Run folder, timm folder or name on the Hub.");
        _modelRevision = AddOption<string>("--model_revision", "Branch, tag or commit of a model on the Hub. Default: main.", aliases: "--revision");
        _labels = AddOption<string>("--labels", "JSON file with the class names in order, for a model that does not know them.");
        _top = AddOption("--top", "Classes to name per photo, at least 1.", defaults.TopK, "--top_k");
        _format = AddOption("--format", "table, json or csv.", "table");
        _output = AddOption<string>("--output", $"Picture to draw: each photo (up to {SheetLimit}) with its classes as bars. Or scores.parquet: a table of all photos in the place of an answer on the screen, in parts where they are many; started again, it goes on.");
        _baseModel = AddOption<string>("--base_model", ModelFetch.BaseModelHelp);
        _explain = AddOption("--explain", "Also draw where the model looked: attention rollout of a ViT, Grad-CAM of others.", false);
        _batchSize = AddOption("--batch_size", "Photos per forward pass, at least 1.", defaults.BatchSize);
        _workers = AddOption("--workers", "Threads that read photos, at least 1.", defaults.Workers);
        _fastDecode = AddOption("--fast_decode", "Decode JPEGs at the smallest of 1/8 to 8/8 of their size that the model's resizing allows: faster for large photos, and scores move a little.", false);
        _bf16 = AddOption("--bf16", "Compute in bfloat16: about twice as fast where the processor multiplies it (see 'vizsla doctor'), and scores move by up to 0.02.", false);
        _embed = AddOption<string>("--embed", "Write the features that the head takes to this .parquet or .npy file, instead of classifying.");
        _augmentation = AddOption<string>("--tta", AugmentationHelp);
        _calibrated = AddOption("--calibrated", "Divide the logits by the temperature that 'vizsla evaluate --calibrate' kept in the model's folder, so that scores say how often the model is right, and say of photos below the threshold kept there that they are none of the classes (none_of_these in JSON and CSV; a table of scores holds scores alone).", false);
        _engine = new EngineFlags(this);
    }

    protected override bool IsShared => true;

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var format = Choice.Parse("--format", arguments.GetValue(_format)!, s_formats);
        var options = new PicturePredictorOptions
        {
            BatchSize = AtLeastOne("--batch_size", arguments.GetValue(_batchSize)),
            Workers = AtLeastOne("--workers", arguments.GetValue(_workers)),
            TopK = AtLeastOne("--top", arguments.GetValue(_top)),
            FastDecode = arguments.GetValue(_fastDecode),
            UsesBfloat16 = arguments.GetValue(_bf16),
            Augmentation = Augmentation(arguments.GetValue(_augmentation)),
        };
        var explains = arguments.GetValue(_explain);
        var calibrated = arguments.GetValue(_calibrated);
        var (output, dataset) = (arguments.GetValue(_output), arguments.GetValue(_dataset));
        if (explains && (output is null || ScoringJob.IsTable(output)))
        {
            throw new UsageException(output is null
                ? "--explain draws onto the sheet of --output, and there is none; add --output sheet.png."
                : $"--explain draws onto a sheet, and '{output}' is a table of scores; leave one of them out.");
        }

        if (!ScoringJob.IsTable(output) && (dataset is not null || console.Processes.Size > 1))
        {
            throw new UsageException(dataset is not null
                ? "--dataset is scored into a table; add --output scores.parquet."
                : "vizsla predict runs in one process unless it writes a table: start it without mpirun, or add --output scores.parquet.");
        }

        if (dataset is not null == arguments.GetValue(_inputs)!.Length > 0)
        {
            throw new UsageException(dataset is null ? "Name photos or folders to predict, or a dataset with --dataset." : "Name either photos or a dataset with --dataset; leave one of them out.");
        }

        var features = arguments.GetValue(_embed);
        var baseModel = arguments.GetValue(_baseModel);
        (bool Given, string Option)[] networkOnly =
            [(explains, "--explain"), (features is not null, "--embed"), (options.Augmentation is not null, "--tta"), (options.UsesBfloat16, "--bf16"), (calibrated, "--calibrated"), (baseModel is not null, "--base_model"),
                (dataset is not null, "--dataset")];
        var engine = _engine.Read(arguments, networkOnly.Where(o => o.Given).Select(o => o.Option));
        if (features is not null && (!FeatureFile.IsKnown(features) || output is not null))
        {
            throw new UsageException(FeatureFile.IsKnown(features)
                ? "--embed writes features instead of classifying, so that --output has nothing to draw; leave one of them out."
                : $"--embed takes a path that ends in .parquet or .npy, got '{features}'.");
        }

        var rows = dataset is null ? null : await RowsAsync(arguments, console, dataset, cancellationToken);
        var files = dataset is null ? InputFiles.Find(arguments.GetValue(_inputs)!) : [];
        var pictures = rows?.Fingerprint ?? HashOf(files.Select(f => $"{f}\n{(File.Exists(f) ? new FileInfo(f).Length : -1)}"));
        var labels = arguments.GetValue(_labels) is { } file ? LabelsFile.Read(file) : null;
        var (model, revision) = (arguments.GetValue(_model)!, arguments.GetValue(_modelRevision));
        JsonObject Asked(string weights) => new()
        {
            ["model"] = weights, ["pictures"] = pictures, ["top"] = options.TopK, ["tta"] = arguments.GetValue(_augmentation), ["bf16"] = options.UsesBfloat16, ["fast_decode"] = options.FastDecode,
            ["labels"] = labels is null ? null : HashOf(labels), ["calibrated"] = calibrated,
        };

        if (await EngineFlags.FindAsync(engine, console, model, revision, cancellationToken) is { } exported)
        {
            using var onnx = OnnxClassifier.Load(exported, new OnnxClassifierOptions { BatchSize = options.BatchSize, Workers = options.Workers, FastDecode = options.FastDecode });
            var names = LabelsOf(onnx.Labels, labels);
            IEnumerable<PicturePrediction> Named(IReadOnlyList<string> part) =>
                onnx.Predict(part, options.TopK, cancellationToken).Select(a => a with { Predictions = [.. a.Predictions.Select(p => p with { Label = names[p.Index] })] });
            return ScoringJob.IsTable(output)
                ? new ScoringJob(console, output!, files.Count, Asked(HashOf(exported))).Run((start, count) => Named([.. files.Skip(start).Take(count)]))
                : Show(arguments, console, format, Gather(console, files.Count, Named(files)), explainer: null);
        }

        await ModelFetch.EnsureAsync(console, model, revision, cancellationToken, baseModel);
        using var classifier = features is null || baseModel is not null ? ImageClassifier.FromPretrained(model, revision: revision, baseModel: baseModel) : ImageClassifier.FromEncoder(model, revision);
        var calibration = calibrated ? Calibration.Load(FolderOf(model, revision), classifier) : null;
        options = calibration is null ? options : options with { Temperature = calibration.Temperature };
        var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline(), LabelsOf(classifier.Labels, labels), options);
        if (features is not null)
        {
            return Embed(console, features, Gather(console, files.Count, predictor.Embed(files, cancellationToken)));
        }

        return ScoringJob.IsTable(output)
            ? new ScoringJob(console, output!, rows?.Count ?? files.Count, Asked(Calibration.HashOf(classifier))).Run((start, count) => rows is null
                ? predictor.Predict([.. files.Skip(start).Take(count)], cancellationToken)
                : predictor.Predict(rows.Select(Enumerable.Range(start, count)), cancellationToken))
            : Show(arguments, console, format, Gather(console, files.Count, predictor.Predict(files, cancellationToken)), explains ? predictor : null, calibration);
    }

    private async Task<ImageDataset> RowsAsync(ParseResult arguments, CommandConsole console, string dataset, CancellationToken cancellationToken)
    {
        var splits = await DatasetSource.OpenAsync(dataset, arguments.GetValue(_datasetRevision), _loading.Read(arguments), console, cancellationToken);
        return splits[arguments.GetValue(_split) is null && splits.Count == 1 ? splits.Keys.First() : DatasetSource.HeldOut(splits, dataset, arguments.GetValue(_split))];
    }

    private static string FolderOf(string model, string? revision) =>
        Directory.Exists(model) ? model
        : ModelLocation.Find(model, revision ?? "main").Folder ?? throw new UsageException($"--calibrated reads {Calibration.FileName} of a model's folder, and '{model}' is a file; give the folder.");

    private static string HashOf(IEnumerable<string> names) => Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(string.Join('\n', names))));

    private static string HashOf(string file)
    {
        var hash = new XxHash128();
        using var stream = File.OpenRead(file);
        hash.Append(stream);
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    private int Show(ParseResult arguments, CommandConsole console, Format format, List<PicturePrediction> answers, PicturePredictor? explainer, Calibration? calibration = null)
    {
        Write(console, format, answers, calibration);
        if (arguments.GetValue(_output) is { } sheet)
        {
            using var drawing = PredictionSheet.Draw(answers.Take(SheetLimit).ToList(), explainer: explainer);
            ImageCodec.SavePng(drawing, sheet);
            console.Note($"Drew '{sheet}'.");
        }

        return answers.Any(a => a.Error is not null) ? 1 : 0;
    }

    /// <summary>What <c>--tta</c> asks for; null where it is not given.</summary>
    internal static TestTimeAugmentation? Augmentation(string? text)
    {
        try
        {
            return text is null ? null : TestTimeAugmentation.Parse(text);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw new UsageException($"--tta: {e.Message}");
        }
    }

    private static List<T> Gather<T>(CommandConsole console, int count, IEnumerable<T> answers) => PictureProgress.Run(console, report =>
    {
        var done = new List<T>(count);
        foreach (var answer in answers)
        {
            done.Add(answer);
            report("predicted", done.Count, count);
        }

        return done;
    });

    private static int Embed(CommandConsole console, string path, List<PictureFeatures> features)
    {
        FeatureFile.Write(path, features);
        var failed = features.Where(f => f.Error is not null).ToList();
        failed.ForEach(f => console.Note($"{f.File}: {f.Error}"));
        console.Note($"Wrote {features.Where(f => f.Error is null).Select(f => f.Values.Length).FirstOrDefault()} features of {Wording.Counted(features.Count - failed.Count, "picture")} to '{path}'.");
        return failed.Count > 0 ? 1 : 0;
    }

    // A model's own names win; a file names the classes of a model that only numbers them.
    private static IReadOnlyList<string> LabelsOf(IReadOnlyList<string> known, IReadOnlyList<string>? given)
    {
        if (given is null || !ModelConfiguration.AreNumbers(known))
        {
            return known;
        }

        return given.Count == known.Count
            ? given
            : throw new UsageException($"--labels names {given.Count} classes, but the model has {known.Count}.");
    }

    private static int AtLeastOne(string option, int value) =>
        value >= 1 ? value : throw new UsageException(Invariant($"{option} takes a number of at least 1, got {value}."));

    private static void Write(CommandConsole console, Format format, IReadOnlyList<PicturePrediction> answers, Calibration? calibration)
    {
        switch (format)
        {
            case Format.Json:
                console.WriteLine(PythonJson.Serialize(new JsonArray([.. answers.Select(a => ToJson(a, calibration))]), indent: 2));
                break;
            case Format.Csv:
                console.WriteLine(calibration is null ? "file,rank,label,score" : "file,rank,label,score,none_of_these");
                foreach (var answer in answers)
                {
                    WriteCsv(console, answer, calibration);
                }

                break;
            default:
                console.Out.Write(ToTable(answers, calibration));
                break;
        }

        if (format != Format.Json)
        {
            foreach (var failed in answers.Where(a => a.Error is not null))
            {
                console.Note($"{failed.File}: {failed.Error}");
            }
        }
    }

    private static void WriteCsv(CommandConsole console, PicturePrediction answer, Calibration? calibration)
    {
        string[] none = calibration is null ? [] : [calibration.IsNone(answer.Predictions) ? "true" : "false"];
        for (var i = 0; i < answer.Predictions.Count; i++)
        {
            var (label, score, _) = answer.Predictions[i];
            console.WriteLine(CsvLine.Of([answer.File, Invariant($"{i + 1}"), label, Invariant($"{score}"), .. none]));
        }
    }

    private static JsonObject ToJson(PicturePrediction answer, Calibration? calibration)
    {
        var json = new JsonObject { ["file"] = answer.File };
        if (answer.Error is { } error)
        {
            json["error"] = error;
            return json;
        }

        json["predictions"] = new JsonArray([.. answer.Predictions.Select(p => new JsonObject { ["label"] = p.Label, ["score"] = (double)p.Score })]);
        if (calibration is not null)
        {
            json["none_of_these"] = calibration.IsNone(answer.Predictions);
        }

        return json;
    }

    private static Table ToTable(IReadOnlyList<PicturePrediction> answers, Calibration? calibration)
    {
        var table = new Table().AddColumn("photo").AddColumn("class").AddColumn(new TableColumn("score").RightAligned());
        foreach (var answer in answers)
        {
            var name = Path.GetFileName(answer.File);
            if (calibration?.IsNone(answer.Predictions) == true)
            {
                table.AddRow(Markup.Escape(name), "none of these", Invariant($"< {calibration.Threshold:0.0000}"));
                name = "";
            }

            foreach (var (label, score, _) in answer.Predictions)
            {
                table.AddRow(Markup.Escape(name), Markup.Escape(label), Invariant($"{score:0.0000}"));
                name = "";
            }

            if (answer.Error is not null)
            {
                table.AddRow(Markup.Escape(name), "cannot be read", "");
            }
        }

        return table;
    }
}
