using System.Globalization;
using Vizsla.Adapters;
using Vizsla.Cli.Commands;
using Vizsla.Models;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Checkpoints;
using static Vizsla.Cli.Wording;

namespace Vizsla.Cli.Jobs;

/// <summary>Dataset, model and trainer, ready to begin.</summary>
internal sealed class PreparedTraining : IDisposable
{
    private static readonly string[] s_evaluationSplits = ["validation", "test"];

    private readonly ImageClassifier _model;
    private readonly ConsoleLog _log;

    private PreparedTraining(ImageClassifier model, ConsoleLog log, Trainer trainer, ImageDataset? evaluation, ImageDataset? test) =>
        (_model, _log, Trainer, Evaluation, Test) = (model, log, trainer, evaluation, test);

    public Trainer Trainer { get; }

    /// <summary>The split to evaluate on; null where there is none.</summary>
    public ImageDataset? Evaluation { get; }

    /// <summary>The split <c>test</c>; null where there is none.</summary>
    public ImageDataset? Test { get; }

    /// <summary>Checks the pictures, loads the model and makes the trainer.</summary>
    /// <param name="options">What to train.</param>
    /// <param name="loaded">The splits of the dataset.</param>
    /// <param name="console">Where to write.</param>
    /// <param name="callbacks">Are told of the training.</param>
    /// <param name="cancellationToken">Stops the look at the pictures.</param>
    public static PreparedTraining Open(
        TrainingJobOptions options, DatasetDict loaded, CommandConsole console, IEnumerable<TrainerCallback> callbacks, CancellationToken cancellationToken)
    {
        var dataset = DatasetSource.Check(loaded, options.Dataset, splits: null, options.SkipBadImages, console, cancellationToken);
        if (options.TrainSplit == "train" && !dataset.ContainsKey("train"))
        {
            throw new UsageException($"'{options.Dataset}' has no train split, only {string.Join(", ", dataset.Keys)}. 'vizsla prepare' makes one, --train_split names another.");
        }

        var trainRows = Split(options, dataset, "--train_split", options.TrainSplit);
        var evaluationRows = EvaluationSplit(options, dataset, console);
        var model = OpenModel(options, trainRows.ClassNames, console);

        // A copy for each use: --eval_split may name the very split that trains.
        var train = trainRows.WithTransform(options.Transforms.Train.For(model.Processor));
        var evaluationPipeline = options.Transforms.Evaluation.For(model.Processor);
        var evaluation = evaluationRows?.WithTransform(evaluationPipeline);
        var test = dataset.GetValueOrDefault("test")?.WithTransform(evaluationPipeline);
        var log = new ConsoleLog(console);
        var trainer = new Trainer(model, options.Arguments, train, evaluation, new TrainerOptions { Callbacks = callbacks, Logger = log.CreateLogger(nameof(Trainer)), Processes = console.Processes });
        EarlierRun.Note(trainer.Notes, options);
        return new PreparedTraining(model, log, trainer, evaluation, test);
    }

    public void Dispose()
    {
        Trainer.Dispose();
        _log.Dispose();
        _model.Dispose();
    }

    private static ImageDataset? EvaluationSplit(TrainingJobOptions options, DatasetDict dataset, CommandConsole console)
    {
        var name = options.EvalSplit ?? s_evaluationSplits.FirstOrDefault(dataset.ContainsKey);
        if (name is null)
        {
            return null;
        }

        var split = Split(options, dataset, "--eval_split", name);
        console.Note($"Evaluating on the split '{name}' ({Counted(split.Count, "picture")}).");
        return split;
    }

    // A split by its name, or a slice such as train[:90%].
    private static ImageDataset Split(TrainingJobOptions options, DatasetDict dataset, string option, string name) =>
        dataset.TryGetValue(name, out var split) ? split
        : name.Contains('[', StringComparison.Ordinal) || name.Contains('+', StringComparison.Ordinal) ? dataset.Select(name)
        : throw new UsageException($"{option} '{name}' is not a split of '{options.Dataset}'. It has {string.Join(", ", dataset.Keys)}.");

    // A resumed run takes all weights from its checkpoint, those of a new head too.
    private static bool IsFilledByCheckpoint(TrainingArguments arguments) =>
        arguments.ResumeFromCheckpoint is { } asked && CheckpointChecks.Find(asked, new CheckpointFolders(arguments.OutputDir)) is not null;

    private static ImageClassifier OpenModel(TrainingJobOptions options, IReadOnlyList<string> labels, CommandConsole console)
    {
        if (options.FromScratch)
        {
            console.Note($"Starting '{options.Model}' with randomly initialized weights.");
            return ImageClassifier.Create(options.Model, labels, options.ImageSize, options.Arguments.Seed);
        }

        if (options.ImageSize is not null)
        {
            throw new UsageException("--image_size goes with --from_scratch; a trained model keeps the size of its configuration.");
        }

        if (options.Adapter is not null && AdapterFolder.Find(options.Model, options.ModelRevision ?? "main") is not null)
        {
            throw new UsageException($"--model '{options.Model}' is an adapter, and --peft would put another one on it: merge it first with: vizsla {CommandLine.Quote(["merge", options.Model, "--output", "merged"])}");
        }

        var model = ImageClassifier.FromPretrained(
            options.Model, labels, options.IgnoreMismatchedSizes ?? true, options.Arguments.Seed, configure: options.Adapter is { } early ? c => RequireFit(c, early) : null, revision: options.ModelRevision);
        if (model.LoadReport?.NewlyInitializedMessage is { } replaced && !IsFilledByCheckpoint(options.Arguments))
        {
            console.Note(replaced);
        }

        if (options.Adapter is { } adapter)
        {
            model.AddAdapter(adapter.Config.With(("revision", options.ModelRevision)), adapter.Spelling);
            var trained = model.ActiveAdapter!.Trained;
            var count = model.Network.named_parameters().Where(p => trained.Contains(p.name)).Sum(p => p.parameter.numel());
            var all = model.Network.parameters().Sum(p => p.numel());
            console.Note(string.Create(CultureInfo.InvariantCulture, $"Training an adapter: {count:N0} of {all:N0} parameters ({100.0 * count / all:0.####} %)."));
        }

        return model;
    }

    // Before weights are read: names and shapes are enough.
    private static void RequireFit(ModelConfiguration configuration, AdapterChoice adapter)
    {
        using var network = Architectures.Build(configuration);
        _ = AdapterPlan.Of(network, adapter.Config);
    }
}
