using System.CommandLine;
using System.Text.Json.Nodes;
using Vizsla.Cli.Jobs;
using Vizsla.Cli.Progress;
using Vizsla.Datasets;
using Vizsla.Models;
using Vizsla.Runs;
using Vizsla.Training.Arguments;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla train</c>: fine-tunes a model on a dataset.</summary>
internal sealed class TrainCommand : Verb
{
    private const string DefaultModel = "google/vit-base-patch16-224";
    private const string SmallModel = "vit-tiny";

    // Keys that a configuration file holds beside the training arguments.
    private static readonly string[] s_ownKeys = ["dataset", "model", "from_scratch", "image_size", "dataset_revision", "model_revision", "train_split", "eval_split", "ignore_mismatched_sizes", "transforms", "bad_images", .. DatasetFlags.Keys, .. PeftFlags.Keys];

    private readonly Option<string?> _dataset;
    private readonly Option<string?> _model;
    private readonly Option<bool> _fromScratch;
    private readonly Option<int?> _imageSize;
    private readonly Option<string?> _output;
    private readonly Option<string?> _datasetRevision;
    private readonly DatasetFlags _loading;
    private readonly Option<string?> _modelRevision;
    private readonly Option<string?> _trainSplit;
    private readonly Option<string?> _evalSplit;
    private readonly Option<bool?> _ignoreMismatched;
    private readonly Option<string?> _transforms;
    private readonly Option<string?> _badImages;
    private readonly Option<string?> _config;
    private readonly Option<string> _logFormat;
    private readonly Option<bool> _findRate;
    private readonly PeftFlags _peft;
    private readonly TrainingFlags _flags;

    public TrainCommand()
        : base("train", "Fine-tune a model on a dataset, in one process or, by mpirun, in many; every training argument of the Hugging Face Trainer is an option.",
            "vizsla train --dataset PetClassification",
            "vizsla train --dataset PetClassification --model google/vit-base-patch16-224 --output breed-classification --learning_rate 2e-5 --num_train_epochs 15",
            "vizsla train --dataset PetClassification --model tf_efficientnet_lite0 --output breeds --config pets-probe",
            "vizsla train --dataset PetClassification --model vit-tiny --from_scratch --image_size 64",
            "vizsla train --output breed-classification --resume_from_checkpoint true",
            "vizsla train --dataset user/pets --model user/vit-tiny --output vit-pets --push_to_hub")
    {
        _dataset = AddOption<string>("--dataset", "Folder of the dataset: split folders of class folders, or Parquet files; or its name on the Hub, owner/name.");
        _model = AddOption<string>("--model", $"Folder or Hub name of the model; with --from_scratch one of {string.Join(", ", Architectures.Variants.Take(8))}, .... Default: {DefaultModel} where the Hub cache has it, else {SmallModel} from scratch.");
        _fromScratch = AddOption("--from_scratch", "Start from random weights.", false);
        _imageSize = AddOption<int?>("--image_size", "Side of the pictures in pixels, with --from_scratch. Default: the model size's own.", (int?)null);
        _output = AddOption<string>("--output", "The run folder. Default: the names of dataset and model.");
        _datasetRevision = AddOption<string>("--dataset_revision", "Branch, tag or commit of a dataset on the Hub. Default: main.");
        _loading = new DatasetFlags(this);
        _modelRevision = AddOption<string>("--model_revision", "Branch, tag or commit of a model on the Hub. Default: main.");
        _trainSplit = AddOption<string>("--train_split", "Split to train on, or a slice such as train[:90%]. Default: train.");
        _evalSplit = AddOption<string>("--eval_split", "Split to evaluate on, or a slice such as train[90%:]. Default: validation, else test.");
        _ignoreMismatched = AddOption<bool?>("--ignore_mismatched_sizes", "Replace a head made for other classes. Default: where the classes differ.", (bool?)null);
        _transforms = AddOption<string>("--transforms", $"Pipeline file (JSON) with the steps for training and evaluation, or a name: {string.Join(", ", TransformChoice.Names)}. Default: tutorial; processor is the model's own preprocessing, nothing at random.");
        _badImages = AddOption<string>("--bad_images", "Pictures that cannot be read completely: error (default) or skip.");
        _config = AddOption<string>("--config", $"JSONC file of arguments, or a recipe: {string.Join(", ", Recipes.Names)}. Options on the command line win.");
        _logFormat = AddOption("--log_format", "How progress is shown: bar, text (a line per row), json (an object per line on standard output), or auto: a bar at a terminal, else text.", "auto");
        _logFormat.AcceptOnlyFromAmong([.. TrainingDisplay.Formats]);
        _findRate = AddOption("--find_lr", "Try learning rates from small to large, suggest one, and train nothing; the curve goes to the run folder. --max_steps says how many, default 100.", false);
        _peft = new PeftFlags(this);
        _flags = new TrainingFlags(this, "output_dir");
    }

    public override IReadOnlyList<OptionGroup> Groups { get; } =
    [
        new("Data", "--dataset", "--dataset_revision", "--train_split", "--eval_split", "--transforms", "--bad_images"),
        new("Model", "--model", "--model_revision", "--from_scratch", "--image_size", "--freeze", "--unfreeze_at_epoch", "--peft", "--teacher"),
        new("Arguments in a file", "--config"),
        new("Length and batches", "--num_train_epochs", "--max_steps", "--per_device_train_batch_size", "--gradient_accumulation_steps", "--auto_find_batch_size", "--early_stopping_patience"),
        new("Learning rate", "--learning_rate", "--find_lr", "--lr_scheduler_type", "--warmup_steps", "--optim", "--weight_decay", "--layer_decay", "--unfreeze_learning_rate"),
        new("Small or unbalanced data", "--label_smoothing_factor", "--mixup_alpha", "--cutmix_alpha", "--class_weights", "--train_sampling_strategy", "--ema_decay"),
        new("Evaluation and saving", "--output", "--overwrite_output_dir", "--resume_from_checkpoint", "--eval_strategy", "--eval_steps", "--metric_for_best_model", "--load_best_model_at_end",
            "--save_strategy", "--save_steps", "--save_total_limit", "--logging_steps", "--log_format", "--report_to"),
        new("Speed", "--bf16", "--dataloader_num_workers", "--fast_decode", "--feature_cache", "--per_device_eval_batch_size", "--use_cpu"),
        new("Hub", "--push_to_hub", "--hub_model_id", "--hub_private_repo", "--hub_strategy"),
        new("Reproducing", "--seed", "--full_determinism"),
    ];

    protected override bool IsShared => true;

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var config = ReadConfig(arguments);
        var own = TakeOwn(config);
        var dataset = arguments.GetValue(_dataset) ?? Text(own, "dataset") ?? throw new UsageException("Option '--dataset' is required.");
        var (model, fromScratch) = PickModel(arguments, own, console);
        var output = arguments.GetValue(_output) ?? config["output_dir"]?.GetValue<string>() ?? $"{NameOf(dataset)}-{NameOf(model)}";
        var adapter = _peft.Read(arguments, own);
        if (adapter is not null && fromScratch)
        {
            throw new UsageException("--peft trains an adapter of a model that has learnt already: leave --from_scratch out, and give a pretrained --model.");
        }

        var asked = ReadArguments(arguments, config, output);
        if (!arguments.GetValue(_findRate) && asked?.DoTrain != false && console.Processes.Rank == 0)
        {
            RunFolder.RequireFree(asked ?? _flags.Read(arguments, new TrainingArguments { OutputDir = output }, []));
        }

        if (asked is not null)
        {
            TrainingJob.RequireEffect(asked);
        }

        var modelRevision = arguments.GetValue(_modelRevision) ?? Text(own, "model_revision");
        if (!fromScratch)
        {
            await ModelFetch.EnsureAsync(console, model, modelRevision, cancellationToken);
        }

        if (asked?.Teacher is { } teacher)
        {
            await ModelFetch.EnsureAsync(console, teacher, revision: null, cancellationToken);
        }

        var datasetRevision = arguments.GetValue(_datasetRevision) ?? Text(own, "dataset_revision");
        var loading = _loading.Read(arguments, own);
        var splits = await DatasetSource.OpenAsync(dataset, datasetRevision, loading, console, cancellationToken);
        DatasetSource.RequireLabels(splits, dataset);
        var options = new TrainingJobOptions(dataset, model, fromScratch)
        {
            ImageSize = arguments.GetValue(_imageSize) ?? (int?)own["image_size"]?.GetValue<long>(),
            DatasetRevision = datasetRevision,
            Loading = loading,
            ModelRevision = modelRevision,
            TrainSplit = arguments.GetValue(_trainSplit) ?? Text(own, "train_split") ?? "train",
            EvalSplit = arguments.GetValue(_evalSplit) ?? Text(own, "eval_split"),
            IgnoreMismatchedSizes = arguments.GetValue(_ignoreMismatched) ?? own["ignore_mismatched_sizes"]?.GetValue<bool>(),
            SkipBadImages = DatasetSource.SkipsBadImages(arguments.GetValue(_badImages) ?? Text(own, "bad_images") ?? "error"),
            Transforms = TransformChoice.Read(arguments.GetValue(_transforms), own["transforms"]),
            Adapter = adapter,
            Arguments = asked ?? PickArguments(arguments, splits, output, fromScratch, console),
        };
        if (arguments.GetValue(_findRate))
        {
            RateSearchJob.Run(options, splits, console, cancellationToken);
            return 0;
        }

        using var said = cancellationToken.Register(() => console.Note("Stopping after this step (or batch of an evaluation), with a checkpoint; press Ctrl-C again to quit without saving."));
        try
        {
            var format = arguments.GetValue(_logFormat)!;
            using var display = TrainingDisplay.Create(console, format, noBar: options.Arguments.DisableTqdm == true);

            // Standard output is for the objects alone where a program reads them.
            await TrainingJob.RunAsync(options, splits, format == "json" ? console with { Out = console.Error } : console, console.Processes.Rank == 0 ? [display] : [], cancellationToken);
            return 0;
        }
        catch (TrainingStoppedException stopped)
        {
            console.Note(stopped.Message);
            console.Note($"Resume with: vizsla {CommandLine.Quote(["train", "--output", output, "--resume_from_checkpoint", "true"])}");
            return CommandLine.Interrupted;
        }
    }

    // A resumed run remembers its arguments; options say what shall differ.
    private JsonObject ReadConfig(ParseResult arguments)
    {
        if (arguments.GetValue(_config) is { } file)
        {
            return ArgumentReader.ReadFile(Recipes.Find(file));
        }

        return _flags.ValueOf(arguments, "resume_from_checkpoint") is { } resumed ? EarlierRun.Read(resumed, arguments.GetValue(_output)) : [];
    }

    // Null where nothing was asked for.
    private TrainingArguments? ReadArguments(ParseResult arguments, JsonObject config, string output)
    {
        var names = ArgumentTable.KnownNames.Concat(ArgumentTable.Refused.Keys).Where(n => n is not ("resume_from_checkpoint" or "overwrite_output_dir" or "seed"));
        return config.Count > 0 || names.Any(name => _flags.IsGiven(arguments, name))
            ? _flags.Read(arguments, new TrainingArguments { OutputDir = output, ReportTo = ["tensorboard"] }, config)
            : null;
    }

    private TrainingArguments PickArguments(ParseResult arguments, DatasetDict splits, string output, bool fromScratch, CommandConsole console)
    {
        var picked = DefaultArguments.Pick(output, fromScratch, splits.ContainsKey("validation") || splits.ContainsKey("test"));
        console.Note($"No training arguments were given; using {DefaultArguments.Describe(picked)}");
        return _flags.Read(arguments, picked, configuration: null);
    }

    private (string Model, bool FromScratch) PickModel(ParseResult arguments, JsonObject own, CommandConsole console)
    {
        var fromScratch = arguments.GetValue(_fromScratch) || own["from_scratch"]?.GetValue<bool>() == true;
        if ((arguments.GetValue(_model) ?? Text(own, "model")) is { } given)
        {
            return fromScratch || Path.Exists(given) || !Architectures.Variants.Contains(given) || PretrainedModels.RepositoryOf(given) is not null
                ? (given, fromScratch)
                : throw new UsageException($"'{given}' has no trained weights: add --from_scratch to start from random ones, or give a folder or a name on the Hub, such as --model {DefaultModel}.");
        }

        if (!fromScratch && ImageClassifier.IsAvailable(DefaultModel))
        {
            console.Note($"No --model was given; using '{DefaultModel}' from the Hub cache.");
            return (DefaultModel, false);
        }

        console.Note($"No --model was given; using '{SmallModel}' with random weights. A pretrained model learns far more from the same photos: --model {DefaultModel}.");
        return (SmallModel, true);
    }

    private static JsonObject TakeOwn(JsonObject config)
    {
        var own = new JsonObject();
        foreach (var key in s_ownKeys)
        {
            if (config.Remove(key, out var value))
            {
                own[key] = value;
            }
        }

        return own;
    }

    private static string? Text(JsonObject own, string key) => own[key]?.GetValue<string>();

    private static string NameOf(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
}
