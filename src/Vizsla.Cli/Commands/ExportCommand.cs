using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Vizsla.Cli.Jobs;
using Vizsla.Export;
using Vizsla.Hub.Cache;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla export</c>: a model as ONNX files that were compared with it.</summary>
internal sealed class ExportCommand : Verb
{
    private const int DrawnPictures = 8;
    private const int FewestForInt8 = 200;
    private const int PicturesToObserve = 200;
    private const string CardHeading = "## ONNX";

    /// <summary>The words for how weights are stored.</summary>
    internal static readonly (string Word, OnnxPrecision Precision)[] Precisions = [("fp32", OnnxPrecision.Float32), ("fp16", OnnxPrecision.Float16), ("int8", OnnxPrecision.Int8)];
    private static readonly string[] s_splits = ["validation", "test", "train"];

    private readonly Option<string> _model;
    private readonly Option<string?> _modelRevision;
    private readonly Option<string?> _output;
    private readonly Option<string> _types;
    private readonly Option<string[]> _verifyOn;
    private readonly Option<string?> _baseModel;
    private readonly Option<bool> _withPreprocessing;
    private readonly Option<double> _fp32Tolerance;
    private readonly Option<double> _fp16Agreement;
    private readonly Option<double> _int8Tolerance;
    private readonly DatasetFlags _loading;

    public ExportCommand()
        : base("export", "Write a model as ONNX files for ONNX Runtime and transformers.js, each compared with the model before it is kept.",
            "vizsla export --model breed-classification",
            "vizsla export --model breed-classification --dtype fp32,int8 --verify_on PetClassification --output breeds-onnx")
    {
        _model = AddRequired<string>("--model", "Run folder, timm folder or name on the Hub.");
        _modelRevision = AddOption<string>("--model_revision", "Branch, tag or commit of a model on the Hub. Default: main.", aliases: ["--revision"]);
        _baseModel = AddOption<string>("--base_model", ModelFetch.BaseModelHelp);
        _output = AddOption<string>("--output", "Folder that receives onnx/, configuration, preprocessing and card. Default: the model's folder.", aliases: ["-o"]);
        _types = AddOption("--dtype", "fp32, fp16, int8, or several separated by commas.", "fp32");
        _verifyOn = AddOption("--verify_on", "Dataset, or picture files, to compare on. Default: the run's validation or test split; random pictures where there is none. int8 needs at least 200 pictures.", Array.Empty<string>());
        _verifyOn.AllowMultipleArgumentsPerToken = true;
        var tolerance = new ExportTolerance();
        _withPreprocessing = AddOption("--with_preprocessing", "Also write a file that takes pictures of any size as they are (uint8, height x width x RGB) and gives scores and the class: model_with_preprocessing.onnx.", false);
        _fp32Tolerance = AddOption("--fp32_tolerance", "Largest difference of a logit of the fp32 file, as a share of the largest logit.", tolerance.LogitDifference);
        _fp16Agreement = AddOption("--fp16_agreement", "Smallest share of pictures on which the fp16 file must give the same first class, 0 to 1.", tolerance.HalfAgreement);
        _int8Tolerance = AddOption("--int8_tolerance", "By how much the accuracy of the int8 file may be lower, 0 to 1; convolutions that cost most stay in fp32 until it is not.", tolerance.AccuracyLoss);
        _loading = new DatasetFlags(this);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var name = arguments.GetValue(_model)!;
        OnnxPrecision[] precisions = [.. arguments.GetValue(_types)!.Split(',', StringSplitOptions.TrimEntries).Select(word => Choice.Parse("--dtype", word, Precisions)).Distinct()];
        var output = arguments.GetValue(_output) ?? (Directory.Exists(name) ? name : throw new UsageException($"'{name}' is not a folder; say with --output where the files go."));
        var revision = arguments.GetValue(_modelRevision);
        var baseModel = arguments.GetValue(_baseModel);
        await ModelFetch.EnsureAsync(console, name, revision, cancellationToken, baseModel);
        using var model = ImageClassifier.FromPretrained(name, revision: revision, baseModel: baseModel);

        // A file that computes an adapter beside its layer is only larger and slower.
        if (model.ActiveAdapter is { Unmergeable: null })
        {
            model.MergeAdapter();
        }

        var (pictures, observed, source) = await PicturesAsync(arguments, name, model, console, cancellationToken);
        if (precisions.Contains(OnnxPrecision.Int8) && pictures.Count < FewestForInt8)
        {
            throw new UsageException($"int8 is compared on at least {FewestForInt8} pictures, and {source} has {pictures.Count}. Give a larger dataset with --verify_on.");
        }

        var tolerance = new ExportTolerance(arguments.GetValue(_fp32Tolerance), arguments.GetValue(_fp16Agreement), arguments.GetValue(_int8Tolerance));
        var withPreprocessing = arguments.GetValue(_withPreprocessing);
        var check = new ExportCheck(model, pictures);
        var export = Start(name, model);
        foreach (var (key, value) in ExportSource.Of(name, revision))
        {
            export.Say(key, value);
        }

        // Files appear in the output only when all of them are near enough.
        var wasThere = Directory.Exists(output);
        var temporary = Path.Combine(output, $".export-{Environment.ProcessId}");
        Directory.CreateDirectory(temporary);
        try
        {
            IReadOnlyList<string> floats = [];
            if (precisions.Contains(OnnxPrecision.Int8))
            {
                model.Observe(export, Read(observed, cancellationToken));
                floats = new Int8Search(export, check, tolerance).Run(temporary, console.Note, cancellationToken);
            }

            var rows = new List<(string File, ExportAgreement Agreement)>();
            foreach (var precision in precisions)
            {
                var file = Path.Combine(temporary, OnnxExport.FileName(precision));
                Keep(file, Explained(name, () => export.Make(precision, floats)), precision, preparesItself: false);
                if (withPreprocessing)
                {
                    var function = Scores.DefaultFunction(model.Labels.Count, model.Configuration.ProblemType);
                    Keep(
                        Path.ChangeExtension(file, null) + "_with_preprocessing.onnx",
                        Explained(name, () => OnnxPreprocessing.Wrap(export.Make(precision, floats), model.Processor.ToPipeline(), function, model.Labels)), precision, preparesItself: true);
                }
            }

            MoveAll(temporary, output, name, model, CardSection(rows, source, export, floats, precisions.Contains(OnnxPrecision.Int8)));
            Write(console, output, source, rows);

            void Keep(string file, OnnxModel made, OnnxPrecision precision, bool preparesItself)
            {
                made.SaveWhole(file);
                var agreement = check.Compare(file, preparesItself, cancellationToken);
                if (agreement.Problem(precision, preparesItself, tolerance) is { } problem)
                {
                    throw new UsageException($"{Path.GetFileName(file)} is not near enough to the model on {source}: {problem}. Nothing was written.");
                }

                rows.Add((Path.GetFileName(file), agreement));
            }
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
            if (!wasThere && !Directory.EnumerateFileSystemEntries(output).Any())
            {
                Directory.Delete(output);
            }
        }

        return 0;
    }

    private static OnnxExport Start(string name, ImageClassifier model) => Explained(name, model.StartExport);

    private static T Explained<T>(string name, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException and not ObjectDisposedException)
        {
            throw new UsageException($"'{name}' cannot be exported: {e.Message}");
        }
    }

    private static IEnumerable<Image> Read(IReadOnlyList<ExportPicture> pictures, CancellationToken cancellationToken)
    {
        foreach (var picture in pictures)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var image = picture.Load();
            yield return image;
        }
    }

    // Pictures to compare on, those that tell the ranges of int8, and what the former are called.
    private async Task<(IReadOnlyList<ExportPicture> Pictures, IReadOnlyList<ExportPicture> Observed, string Source)> PicturesAsync(
        ParseResult arguments, string name, ImageClassifier model, CommandConsole console, CancellationToken cancellationToken)
    {
        var asked = arguments.GetValue(_verifyOn)!;
        if (asked.Length > 0 && asked.All(File.Exists))
        {
            return Named([.. asked.Select(file => new ExportPicture(file, () => ImageCodec.Load(file), null))], Wording.Counted(asked.Length, "picture"));
        }

        if (asked.Length > 1)
        {
            throw new UsageException($"--verify_on '{asked.First(file => !File.Exists(file))}' is not a file. Give one dataset, or files only.");
        }

        if (asked.FirstOrDefault() is { } dataset)
        {
            return await SplitAsync(dataset);
        }

        return DatasetOf(name) is { } own
            ? await SplitAsync(own)
            : Named([.. Enumerable.Range(0, DrawnPictures).Select(i => new ExportPicture($"random picture {i}", () => Drawn(i), null))], $"{DrawnPictures} random pictures (the model's folder names no dataset; give one with --verify_on)");

        static (IReadOnlyList<ExportPicture>, IReadOnlyList<ExportPicture>, string) Named(IReadOnlyList<ExportPicture> pictures, string source) => (pictures, Some(pictures), source);

        async Task<(IReadOnlyList<ExportPicture> Pictures, IReadOnlyList<ExportPicture> Observed, string Source)> SplitAsync(string path)
        {
            var splits = await DatasetSource.OpenAsync(path, null, _loading.Read(arguments), console, cancellationToken);
            var key = s_splits.FirstOrDefault(splits.ContainsKey) ?? splits.Keys.First();
            return (Of(key), Some(Of(splits.ContainsKey("train") ? "train" : key)), $"the {key} split of '{path}'");

            IReadOnlyList<ExportPicture> Of(string part)
            {
                var split = splits[part];
                var hasLabels = split.ClassNames.SequenceEqual(model.Labels);
                return [.. Enumerable.Range(0, split.Count).Select(row => new ExportPicture($"row {row} of '{part}'", () => split.LoadImage(row), hasLabels ? split.Label(row) : null))];
            }
        }
    }

    // As many as are observed, from all over the split: its rows may be in the order of their classes.
    private static List<ExportPicture> Some(IReadOnlyList<ExportPicture> pictures)
    {
        var count = Math.Min(PicturesToObserve, pictures.Count);
        return [.. Enumerable.Range(0, count).Select(i => pictures[(int)((long)i * pictures.Count / count)])];
    }

    private static string? DatasetOf(string folder)
    {
        var file = Path.Combine(folder, "training_args.json");
        return File.Exists(file) && JsonNode.Parse(File.ReadAllBytes(file))?["dataset"]?.GetValue<string>() is { } dataset && Directory.Exists(dataset) ? dataset : null;
    }

    // Blocks of random colors: pictures with edges and planes, the same each time.
    private static Image Drawn(int seed)
    {
        const int Side = 256;
        const int Block = 16;
        var rng = new Rng((ulong)seed);
        var image = new Image(Side, Side);
        var colors = Enumerable.Range(0, Side / Block * (Side / Block) * 3).Select(_ => (byte)rng.NextInt32(0, 256)).ToArray();
        for (var y = 0; y < Side; y++)
        {
            var row = image.Row(y);
            for (var x = 0; x < Side; x++)
            {
                colors.AsSpan(((y / Block * (Side / Block)) + (x / Block)) * 3, 3).CopyTo(row[(x * 3)..]);
            }
        }

        return image;
    }

    private static void MoveAll(string temporary, string output, string name, ImageClassifier model, string cardSection)
    {
        var folder = Path.Combine(output, "onnx");
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(temporary).OrderDescending(StringComparer.Ordinal))
        {
            File.Move(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        }

        var isOwn = Directory.Exists(name) && Path.GetFullPath(name) == Path.GetFullPath(output);
        var configuration = (JsonObject)JsonNode.Parse(model.Configuration.ToJson())!;
        configuration["transformers.js_config"] = BrowserSettings(folder);
        if (model.Configuration.IsTimm && !isOwn)
        {
            // transformers.js takes its class from model_type and knows none for timm; any that classifies runs the file and reads id2label.
            configuration["model_type"] = "resnet";
            configuration["id2label"] = new JsonObject(model.Labels.Select((label, i) => KeyValuePair.Create(Invariant($"{i}"), (JsonNode?)label)));
        }

        AtomicFile.Write(Path.Combine(output, "config.json"), PythonJson.Serialize(configuration, indent: 2) + "\n");
        if (!isOwn || !File.Exists(Path.Combine(output, "preprocessor_config.json")))
        {
            ForTransformers(model.Processor).Save(output);
        }

        var card = Path.Combine(output, "README.md");
        var source = Path.Combine(Directory.Exists(name) ? name : output, "README.md");
        AtomicFile.Write(card, WithSection(File.Exists(card) ? File.ReadAllText(card) : File.Exists(source) ? File.ReadAllText(source) : Card(model), cardSection));
    }

    // timm's settings stand in config.json, where transformers.js does not look.
    private static ImageProcessor ForTransformers(ImageProcessor processor) => processor.PretrainedCfg is null
        ? processor
        : processor with { PretrainedCfg = null, ImageProcessorType = "BitImageProcessor", CropSize = processor.CropSize ?? processor.Size, DoCenterCrop = true };

    // What transformers.js asks for: the type to take where its own default is not there, and which files have their weights beside them.
    private static JsonObject BrowserSettings(string folder)
    {
        var settings = new JsonObject();
        (string File, string Type)[] preferred = [("model_quantized.onnx", "q8"), ("model.onnx", "fp32"), ("model_fp16.onnx", "fp16")];
        settings["dtype"] = preferred.First(p => File.Exists(Path.Combine(folder, p.File))).Type;
        var external = preferred.Where(p => File.Exists(Path.Combine(folder, p.File + OnnxModel.DataSuffix))).Select(p => KeyValuePair.Create(p.File, (JsonNode?)true)).ToList();
        if (external.Count > 0)
        {
            settings["use_external_data_format"] = new JsonObject(external);
        }

        return settings;
    }

    private static string Card(ImageClassifier model) => string.Join('\n',
        ["---", "library_name: transformers.js", "pipeline_tag: image-classification", .. model.BaseModel is { } name ? (string[])[$"base_model: {name}"] : [], "tags:", "- onnx", "---", "", $"Image classification with {model.Labels.Count} classes, as ONNX.", ""]);

    // The section of an earlier export gives way.
    private static string WithSection(string card, string section)
    {
        var start = card.IndexOf($"\n{CardHeading}\n", StringComparison.Ordinal);
        if (start < 0)
        {
            return $"{card.TrimEnd()}\n\n{section}";
        }

        var end = card.IndexOf("\n## ", start + 1, StringComparison.Ordinal);
        return $"{card[..(start + 1)]}{section}{(end < 0 ? "" : card[end..])}";
    }

    private static string CardSection(List<(string File, ExportAgreement Agreement)> rows, string source, OnnxExport export, IReadOnlyList<string> floats, bool hasInt8)
    {
        var lines = new List<string>
        {
            CardHeading, "", $"Compared with the model on {source}, in ONNX Runtime.", "", "| file | same first class | accuracy (the model's) |", "|---|---|---|",
        };
        lines.AddRange(rows.Select(row => string.Create(
            CultureInfo.InvariantCulture,
            $"| `onnx/{row.File}` | {row.Agreement.Agreement:0.0%} | {(row.Agreement.Accuracy is { } accuracy ? string.Create(CultureInfo.InvariantCulture, $"{accuracy.File:0.000} ({accuracy.Network:0.000})") : "")} |")));
        if (hasInt8 && export.Convolutions is { Count: > 0 } convolutions)
        {
            var what = floats.Count == 0 ? "none" : string.Join(", ", floats.Select(f => $"`{f}`"));
            lines.AddRange(["", $"In int8: matrix products, and {convolutions.Count - floats.Count} of {convolutions.Count} convolutions. Convolutions that stay in float32: {what}."]);
        }

        return string.Join('\n', lines) + "\n";
    }

    private static void Write(CommandConsole console, string output, string source, List<(string File, ExportAgreement Agreement)> rows)
    {
        var table = new Table().AddColumn("file").AddColumn("compared on").AddColumn("largest difference").AddColumn("same first class").AddColumn("accuracy (model's)");
        foreach (var (file, agreement) in rows)
        {
            table.AddRow(
                Markup.Escape(Path.Combine(output, "onnx", file)), Wording.Counted(agreement.Pictures, "picture"),
                agreement.Difference.ToString("0.0e+0", CultureInfo.InvariantCulture), agreement.Agreement.ToString("0.0%", CultureInfo.InvariantCulture),
                agreement.Accuracy is { } accuracy ? string.Create(CultureInfo.InvariantCulture, $"{accuracy.File:0.000} ({accuracy.Network:0.000})") : "");
        }

        console.Out.Write(table);
        console.Note($"Compared on {source}, by ONNX Runtime; differences as a share of the largest logit.");
    }
}
