using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Vizsla.Analysis;
using Vizsla.Cli.Jobs;
using Vizsla.Inference;
using Vizsla.Primitives;
using Vizsla.Training.Metrics;
using Vizsla.Transforms;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla evaluate</c>: how good a model is on a split.</summary>
internal sealed class EvaluateCommand : Verb
{
    private static readonly (string Word, bool Json)[] s_formats = [("table", false), ("json", true)];

    private readonly Option<string> _model;
    private readonly Option<string> _dataset;
    private readonly Option<string?> _modelRevision;
    private readonly Option<string?> _datasetRevision;
    private readonly DatasetFlags _loading;
    private readonly Option<string?> _split;
    private readonly Option<int> _batchSize;
    private readonly Option<string> _format;
    private readonly Option<string> _badImages;
    private readonly Option<bool?> _bf16;
    private readonly Option<bool> _fastDecode;
    private readonly Option<string?> _augmentation;
    private readonly Option<bool> _details;
    private readonly Option<bool> _calibrate;
    private readonly Option<string?> _output;
    private readonly Option<string?> _baseModel;
    private readonly EngineFlags _engine;

    public EvaluateCommand()
        : base("evaluate", "Measure a model on a split of a dataset.",
            "vizsla evaluate --model breed-classification --dataset PetClassification",
            "vizsla evaluate --model breed-classification --dataset PetClassification --split validation --format json",
            "vizsla evaluate --model breed-classification --dataset PetClassification --details --output wrong.png",
            "vizsla evaluate --model breed-classification --dataset PetClassification --calibrate",
            "vizsla evaluate --model breed-classification --dataset PetClassification --engine onnx --dtype int8",
            "mpirun -np 4 vizsla evaluate --model breed-classification --dataset PetClassification")
    {
        _model = AddRequired<string>("--model", "Run folder, timm folder or name on the Hub.");
        _modelRevision = AddOption<string>("--model_revision", "Branch, tag or commit of a model on the Hub. Default: main.");
        _baseModel = AddOption<string>("--base_model", ModelFetch.BaseModelHelp);
        _dataset = AddRequired<string>("--dataset", "Folder or Hub name of the dataset, with the classes that the model knows.");
        _datasetRevision = AddOption<string>("--dataset_revision", "Branch, tag or commit of a dataset on the Hub. Default: main.");
        _loading = new DatasetFlags(this);
        _split = AddOption<string>("--split", "Split to measure on. Default: test, else validation.");
        _batchSize = AddOption("--per_device_eval_batch_size", "Pictures per forward pass, at least 1.", 64, "--batch_size");
        _format = AddOption("--format", "table or json.", "table");
        _badImages = AddOption("--bad_images", "Pictures that cannot be read completely: error or skip.", "error");
        _bf16 = AddOption<bool?>("--bf16", "Compute in bfloat16; false, the default, gives the exact numbers of float32.", (bool?)false);
        _fastDecode = AddOption("--fast_decode", "Decode JPEGs at the smallest of 1/8 to 8/8 of their size that the model's resizing allows: faster for large photos, and scores move a little.", false);
        _augmentation = AddOption<string>("--tta", PredictCommand.AugmentationHelp + " Measured beside the model without it.");
        _details = AddOption("--details", "Also list each class with its interval, the most confused classes, the largest losses, and how well calibrated the probabilities are.", false);
        _calibrate = AddOption("--calibrate", "Fit the temperature that makes the model's probabilities mean what they say, and the confidence below which a photo is none of the classes (95 % of those classified correctly reach it), and keep both in the model's folder for 'predict --calibrated'. Fitted on the split of --split, here validation by default.", false);
        _output = AddOption<string>("--output", "PNG file to draw the pictures that are misclassified on, the largest losses first.");
        _engine = new EngineFlags(this);
    }

    protected override bool IsShared => true;

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var asJson = Choice.Parse("--format", arguments.GetValue(_format)!, s_formats);
        var batchSize = arguments.GetValue(_batchSize);
        var augmentation = PredictCommand.Augmentation(arguments.GetValue(_augmentation));
        var path = arguments.GetValue(_dataset)!;
        var revision = arguments.GetValue(_modelRevision);
        var baseModel = arguments.GetValue(_baseModel);
        var calibrates = arguments.GetValue(_calibrate);
        if (calibrates && !Directory.Exists(arguments.GetValue(_model)!))
        {
            throw new UsageException($"--calibrate keeps the temperature in the model's folder, and '{arguments.GetValue(_model)}' is none on this machine; pull the model into a folder first: vizsla pull.");
        }

        (bool Given, string Option)[] networkOnly = [(augmentation is not null, "--tta"), (arguments.GetValue(_bf16) == true, "--bf16"), (calibrates, "--calibrate"), (baseModel is not null, "--base_model")];
        var engine = _engine.Read(arguments, networkOnly.Where(o => o.Given).Select(o => o.Option));
        var exported = await EngineFlags.FindAsync(engine, console, arguments.GetValue(_model)!, revision, cancellationToken);
        if (exported is not null && console.Processes.Size > 1)
        {
            throw new UsageException($"The exported file '{exported}' is evaluated in one process: start it without mpirun, or add --engine torch.");
        }

        if (exported is null)
        {
            await ModelFetch.EnsureAsync(console, arguments.GetValue(_model)!, revision, cancellationToken, baseModel);
        }

        var available = await DatasetSource.OpenAsync(path, arguments.GetValue(_datasetRevision), _loading.Read(arguments), console, cancellationToken);
        var name = DatasetSource.HeldOut(available, path, arguments.GetValue(_split) ?? (calibrates ? "validation" : null));

        var skipBad = DatasetSource.SkipsBadImages(arguments.GetValue(_badImages)!);
        var split = DatasetSource.Check(available, path, [name], skipBad, console, cancellationToken)[name];
        var settings = new TrainingArguments { PerDeviceEvalBatchSize = batchSize, Bf16 = arguments.GetValue(_bf16), FastDecode = arguments.GetValue(_fastDecode) };
        IReadOnlyList<Metric> metrics = [Metric.Accuracy, Metric.Top5Accuracy, Metric.F1Macro, Metric.LogLoss, Metric.CalibrationError];
        var prefix = name == "validation" ? "eval" : name;
        var (plain, averaged) = exported is not null
            ? (ExportedEvaluation.Run(exported, split, settings, prefix, metrics, cancellationToken), null)
            : OnTorch(arguments, split, augmentation, settings, prefix, calibrates ? Keep : null, new TrainerOptions { Metrics = metrics, Processes = console.Processes }, cancellationToken);
        void Keep(ImageClassifier model, EvalPrediction predictions)
        {
            if (console.Processes.Rank == 0)
            {
                console.Note(Calibrate(model, predictions, name, arguments.GetValue(_model)!));
            }
        }

        if (console.Processes.Rank > 0)
        {
            return 0;
        }

        var sheet = arguments.GetValue(_output);
        if ((arguments.GetValue(_details) || sheet is not null) && (!plain.Predictions.IsLabelled || plain.Predictions.Count == 0))
        {
            throw new UsageException($"--details and --output compare answers with labels, and the split '{name}' of '{path}' has none.");
        }

        var details = arguments.GetValue(_details) || sheet is not null ? new EvaluationDetails(plain.Predictions, split) : null;
        Write(console, asJson, prefix, plain.Metrics, averaged, $"with --tta {augmentation}", arguments.GetValue(_details) ? details : null);
        if (sheet is not null)
        {
            details!.Draw(console, sheet);
        }

        return 0;
    }

    private (PredictionOutput Plain, Dictionary<string, double>? Averaged) OnTorch(
        ParseResult arguments, ImageDataset split, TestTimeAugmentation? augmentation, TrainingArguments settings, string prefix, Action<ImageClassifier, EvalPrediction>? keep,
        TrainerOptions options, CancellationToken cancellationToken)
    {
        using var model = ImageClassifier.FromPretrained(arguments.GetValue(_model)!, revision: arguments.GetValue(_modelRevision), baseModel: arguments.GetValue(_baseModel));
        var pipeline = model.Processor.ToPipeline();
        var views = augmentation?.Views(pipeline);
        split.SetTransform(pipeline);
        using var trainer = new Trainer(model, settings, options: options);
        var plain = trainer.Predict(split, prefix, cancellationToken);
        keep?.Invoke(model, plain.Predictions);
        return (plain, views is null ? null : Average(trainer, split, views, prefix, options.Metrics, cancellationToken));
    }

    /// <summary>Fits the temperature of a split and keeps it in the model's folder.</summary>
    /// <returns>What to say of it.</returns>
    private static string Calibrate(ImageClassifier model, EvalPrediction predictions, string split, string folder)
    {
        if (!predictions.IsLabelled || predictions.Count == 0 || Scores.DefaultFunction(predictions.Labels.Count, model.Configuration.ProblemType) != ScoreFunction.Softmax)
        {
            throw new UsageException($"--calibrate needs labels of one class for each picture, and the split '{split}' or the model has none; nothing was kept.");
        }

        List<double[]> logits = [.. Enumerable.Range(0, predictions.Count).Select(row => Array.ConvertAll(predictions.Row(row).ToArray(), z => (double)z))];
        List<int> labels = [.. predictions.LabelIds.Select(l => (int)l)];
        var temperature = TemperatureScaling.Fit(logits, labels);
        var (threshold, caught) = ConfidenceThreshold.Fit(logits, labels, temperature);
        var after = predictions with { Logits = [.. predictions.Logits.Select(z => (float)(z / temperature))] };
        var (before, calibrated) = (Metric.CalibrationError.Compute(predictions), Metric.CalibrationError.Compute(after));
        new Calibration(temperature, split, predictions.Count, before, calibrated, threshold, Calibration.HashOf(model)).Save(folder);
        return Invariant($"Kept the temperature {temperature:0.000} and the threshold {threshold:0.0000} in '{Path.Combine(folder, Calibration.FileName)}': on the {Wording.Counted(predictions.Count, "picture")} of '{split}' the expected calibration error goes from {before:0.000} to {calibrated:0.000}; 95 % of those classified correctly reach the threshold{(double.IsNaN(caught) ? "" : $", and {caught:0 %} of those misclassified do not")}. 'vizsla predict --calibrated' uses both.");
    }

    /// <summary>The metrics of the mean logits of all views, and what they cost.</summary>
    private static Dictionary<string, double> Average(
        Trainer trainer, ImageDataset split, IReadOnlyList<Compose> views, string prefix, IReadOnlyList<Metric> metrics, CancellationToken cancellationToken)
    {
        EvalPrediction? sum = null;
        var seconds = 0.0;
        foreach (var view in views)
        {
            split.SetTransform(view);
            var (prediction, values) = trainer.Predict(split, prefix, cancellationToken);
            seconds += values[$"{prefix}_runtime"];
            sum = sum is null ? prediction : sum with { Logits = [.. sum.Logits.Zip(prediction.Logits, (a, b) => a + b)] };
        }

        var mean = sum! with { Logits = [.. sum!.Logits.Select(logit => logit / views.Count)] };
        var result = metrics.ToDictionary(m => $"{prefix}_{m.Name}", m => m.Compute(mean));
        result[$"{prefix}_runtime"] = Math.Round(seconds, 4);
        result[$"{prefix}_samples_per_second"] = Math.Round(mean.Count / Math.Max(seconds, 1e-6), 3);
        return result;
    }

    private static void Write(
        CommandConsole console, bool asJson, string prefix, IReadOnlyDictionary<string, double> metrics, Dictionary<string, double>? averaged, string what, EvaluationDetails? details)
    {
        if (asJson)
        {
            // The mean of the views stands beside the rest: test_tta_accuracy.
            var values = new JsonObject(metrics.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)JsonValue.Create(m.Value))));
            foreach (var (key, value) in averaged ?? [])
            {
                values[$"{prefix}_tta{key[prefix.Length..]}"] = value;
            }

            details?.AddTo(values);
            console.WriteLine(PythonJson.Serialize(values, indent: 4));
            return;
        }

        var table = new Table().AddColumn("metric").AddColumn(new TableColumn("value").RightAligned());
        if (averaged is not null)
        {
            table.AddColumn(new TableColumn(what).RightAligned());
        }

        foreach (var (key, value) in metrics)
        {
            string[] cells = averaged is null ? [key, Number(value)] : [key, Number(value), averaged.TryGetValue(key, out var mean) ? Number(mean) : ""];
            table.AddRow(cells);
        }

        console.Out.Write(table);
        details?.Write(console);
    }

    private static string Number(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:0.####}");
}
