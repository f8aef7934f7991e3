using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Vizsla.Cli.Jobs;
using Vizsla.Export;
using Vizsla.Hub.Cache;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla export</c>: a model as ONNX files that were compared with it.</summary>
internal sealed class ExportCommand : Verb
{
    private const int DrawnPictures = 8;
    private const int FewestForInt8 = 200;

    private static readonly (string Word, OnnxPrecision Precision)[] s_precisions = [("fp32", OnnxPrecision.Float32), ("fp16", OnnxPrecision.Float16), ("int8", OnnxPrecision.Int8)];
    private static readonly string[] s_splits = ["validation", "test", "train"];

    private readonly Option<string> _model;
    private readonly Option<string?> _modelRevision;
    private readonly Option<string?> _output;
    private readonly Option<string> _types;
    private readonly Option<string[]> _verifyOn;
    private readonly Option<string?> _baseModel;
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
        _verifyOn = AddOption("--verify_on", "Dataset, or picture files, to compare on. Default: the run's validation or test split; drawn pictures where there is none. int8 needs at least 200 pictures.", Array.Empty<string>());
        _verifyOn.AllowMultipleArgumentsPerToken = true;
        _loading = new DatasetFlags(this);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var name = arguments.GetValue(_model)!;
        OnnxPrecision[] precisions = [.. arguments.GetValue(_types)!.Split(',', StringSplitOptions.TrimEntries).Select(word => Choice.Parse("--dtype", word, s_precisions)).Distinct()];
        var output = arguments.GetValue(_output) ?? (Directory.Exists(name) ? name : throw new UsageException($"'{name}' is no folder; say with --output where the files go."));
        var revision = arguments.GetValue(_modelRevision);
        var baseModel = arguments.GetValue(_baseModel);
        await ModelFetch.EnsureAsync(console, name, revision, cancellationToken, baseModel);
        using var model = ImageClassifier.FromPretrained(name, revision: revision, baseModel: baseModel);

        // A file that computes an adapter beside its layer is only larger and slower.
        if (model.ActiveAdapter is { Unmergeable: null })
        {
            model.MergeAdapter();
        }

        var (pictures, source) = await PicturesAsync(arguments, name, model, console, cancellationToken);
        if (precisions.Contains(OnnxPrecision.Int8) && pictures.Count < FewestForInt8)
        {
            throw new UsageException($"int8 is compared on at least {FewestForInt8} pictures, and {source} has {pictures.Count}. Give a larger dataset with --verify_on.");
        }

        // Files appear in the output only when all of them are near enough.
        Directory.CreateDirectory(output);
        var temporary = Path.Combine(output, $".export-{Environment.ProcessId}");
        try
        {
            var rows = new List<(string File, ExportAgreement Agreement)>();
            foreach (var precision in precisions)
            {
                var file = model.ExportOnnx(temporary, precision);
                var agreement = ExportCheck.Compare(model, file, pictures, cancellationToken);
                if (agreement.Problem(precision) is { } problem)
                {
                    throw new UsageException($"{Path.GetFileName(file)} is not near enough to the model on {source}: {problem}. Nothing was written.");
                }

                rows.Add((Path.GetFileName(file), agreement));
            }

            Keep(temporary, output, name, model);
            Write(console, output, source, rows);
        }
        finally
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }

        return 0;
    }

    private async Task<(IReadOnlyList<ExportPicture> Pictures, string Source)> PicturesAsync(
        ParseResult arguments, string name, ImageClassifier model, CommandConsole console, CancellationToken cancellationToken)
    {
        var asked = arguments.GetValue(_verifyOn)!;
        if (asked.Length > 0 && asked.All(File.Exists))
        {
            return ([.. asked.Select(file => new ExportPicture(file, () => ImageCodec.Load(file), null))], Wording.Counted(asked.Length, "picture"));
        }

        if (asked.Length > 1)
        {
            throw new UsageException($"--verify_on '{asked.First(file => !File.Exists(file))}' is no file. Give one dataset, or files only.");
        }

        if (asked.FirstOrDefault() is { } dataset)
        {
            return await SplitAsync(dataset);
        }

        return DatasetOf(name) is { } own
            ? await SplitAsync(own)
            : ([.. Enumerable.Range(0, DrawnPictures).Select(i => new ExportPicture($"drawn picture {i}", () => Drawn(i), null))], $"{DrawnPictures} drawn pictures (the model's folder names no dataset; give one with --verify_on)");

        async Task<(IReadOnlyList<ExportPicture> Pictures, string Source)> SplitAsync(string path)
        {
            var splits = await DatasetSource.OpenAsync(path, null, _loading.Read(arguments), console, cancellationToken);
            var key = s_splits.FirstOrDefault(splits.ContainsKey) ?? splits.Keys.First();
            var split = splits[key];
            var hasLabels = split.ClassNames.SequenceEqual(model.Labels);
            return (
                [.. Enumerable.Range(0, split.Count).Select(row => new ExportPicture($"row {row} of '{key}'", () => split.LoadImage(row), hasLabels ? split.Label(row) : null))],
                $"the {key} split of '{path}'");
        }
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

    private static void Keep(string temporary, string output, string name, ImageClassifier model)
    {
        var folder = Path.Combine(output, "onnx");
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(temporary).OrderDescending())
        {
            File.Move(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        }

        var isOwn = Directory.Exists(name) && Path.GetFullPath(name) == Path.GetFullPath(output);
        var configuration = (JsonObject)JsonNode.Parse(model.Configuration.ToJson())!;
        configuration["transformers.js_config"] = BrowserSettings(folder);
        AtomicFile.Write(Path.Combine(output, "config.json"), PythonJson.Serialize(configuration, indent: 2) + "\n");
        if (!isOwn || !File.Exists(Path.Combine(output, "preprocessor_config.json")))
        {
            model.Processor.Save(output);
        }

        var card = Path.Combine(output, "README.md");
        if (!File.Exists(card))
        {
            AtomicFile.Write(card, Directory.Exists(name) && File.Exists(Path.Combine(name, "README.md")) ? File.ReadAllText(Path.Combine(name, "README.md")) : Card(model));
        }
    }

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
