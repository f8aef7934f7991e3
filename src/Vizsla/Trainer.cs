using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using TorchSharp;
using Vizsla.Hub;
using Vizsla.Training;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Checkpoints;
using Vizsla.Training.Data;
using Vizsla.Training.Evaluation;
using Vizsla.Training.Losses;
using Vizsla.Training.Publishing;
using Vizsla.Training.RateSearch;
using Vizsla.Training.Reports;
using Vizsla.Training.Runs;
using Vizsla.Training.Steps;
using Vizsla.Training.TensorBoard;
using static TorchSharp.torch;

namespace Vizsla;

/// <summary>Fine-tunes a model on a dataset, evaluates it, and keeps the run in a folder.</summary>
/// <remarks>
/// Not safe for several threads; one training at a time in a process, for dropout draws from libtorch's one generator.
/// Source: transformers <c>Trainer</c> 4.57. Parity: order equal, losses 1e-4; docs/parity.md lists what differs on purpose.
/// </remarks>
public sealed class Trainer : IDisposable
{
    private readonly TrainingArguments _arguments;
    private readonly ImageDataset? _train;
    private readonly SessionParts _parts;
    private readonly TrainerContext _context;
    private readonly ILogger _logger;
    private readonly IReadOnlyList<TrainerCallback> _reporters;
    private readonly HubClient? _hub;
    private HubPublisher? _publisher;

    /// <summary>Prepares a training; seeds libtorch's generator with <see cref="TrainingArguments.Seed"/>.</summary>
    /// <param name="model">The model; stays the caller's, and is moved to the device.</param>
    /// <param name="arguments">What to do; null takes the defaults.</param>
    /// <param name="trainDataset">Pictures to train on, with labels and a transform; null for a trainer that only evaluates.</param>
    /// <param name="evalDataset">Pictures to evaluate on during training; null where <see cref="TrainingArguments.EvalStrategy"/> is no.</param>
    /// <param name="dataCollator">Makes tensors of batches; null stacks them.</param>
    /// <param name="metrics">Numbers of an evaluation; null computes the accuracy.</param>
    /// <param name="callbacks">Hear of what happens, in this order.</param>
    /// <param name="logger">Hears of phases and warnings; null for none.</param>
    /// <param name="hub">The Hub that <see cref="TrainingArguments.PushToHub"/> means; stays the caller's. Null takes the one that the environment names.</param>
    /// <exception cref="ArgumentsException">The arguments cannot be meant; names every problem.</exception>
    /// <exception cref="HubException">The run is to be pushed, and nobody is logged in.</exception>
    public Trainer(
        ImageClassifier model, TrainingArguments? arguments = null, ImageDataset? trainDataset = null, ImageDataset? evalDataset = null,
        Collator? dataCollator = null, IReadOnlyList<Metric>? metrics = null, IEnumerable<TrainerCallback>? callbacks = null, ILogger? logger = null, HubClient? hub = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _arguments = arguments ?? new TrainingArguments();
        ArgumentChecks.Require(_arguments);
        _train = trainDataset;
        _logger = logger ?? NullLogger.Instance;
        var device = _arguments.UseCpu || !cuda.is_available() ? CPU : CUDA;
        DeviceChecks.Require(_arguments, device);
        model.Network.to(device);
        TorchGenerator.Seed(_arguments.Seed);

        var computed = MetricsOf(_arguments, metrics ?? [Metrics.Accuracy]);
        var state = new TrainerState();
        var best = new BestModel(_arguments, computed, state);
        _context = new TrainerContext(_arguments, state, new TrainerControl(), model.Network) { Labels = model.Labels };
        var precision = ComputePrecision.For(_arguments, device, model.Network);
        var collator = dataCollator ?? Collator.Default;
        var loss = new ClassificationLoss(_arguments.LabelSmoothingFactor, TrainerChecks.ClassWeights(_arguments, model.Labels, trainDataset), device);
        var events = new EventLog(_arguments.OutputDir, TimeProvider.System);
        _hub = hub;
        _publisher = _arguments.PushToHub ? new HubPublisher(_arguments, hub, events, _logger) : null;
        _reporters = Reporters(model, trainDataset, evalDataset, device, precision);
        _parts = new SessionParts
        {
            Arguments = _arguments,
            Model = model,
            Context = _context,
            Callbacks = new CallbackList([events, .. EarlyStopping(_arguments, best), .. _reporters, .. Publishing(_publisher), .. callbacks ?? []]),
            Evaluator = new Evaluator(
                new EvaluationLoop(_arguments, model.Network, loss, precision, collator, device), computed, model.Labels, _arguments.PredictionLossOnly),
            EvalDataset = evalDataset,
            Best = best,
            Loss = loss,
            Precision = precision,
            Collator = collator,
            Device = device,
            Folder = new RunFolder(_arguments.OutputDir),
            Events = events,
            Logger = _logger,
            SaveModel = model.Save,
            Log = Log,
        };
    }

    /// <summary>Where the run stands.</summary>
    public TrainerState State => _context.State;

    /// <summary>What else <c>training_args.json</c> is to say of the run, beside the arguments; not compared when it is resumed.</summary>
    public JsonObject Notes => _parts.Notes;

    /// <summary>Trains to the end, from the beginning or from a checkpoint, and writes the run folder.</summary>
    /// <param name="cancellationToken">Ends the training after the step that runs, an evaluation after its batch: a checkpoint is saved, and the exception says where.</param>
    /// <exception cref="TrainingException">The training cannot start, go on or be resumed; the last checkpoint stays.</exception>
    /// <exception cref="TrainingStoppedException">The token was cancelled.</exception>
    public TrainOutput Train(CancellationToken cancellationToken = default)
    {
        var train = TrainerChecks.RequireTrainable(_arguments, _parts.Model, _train, _parts.EvalDataset);
        using var folder = RunLock.Take(_arguments.OutputDir);
        using var session = new TrainingSession(_parts, train, cancellationToken);
        var checkpoint = RunStart.Checkpoint(_arguments, _parts.Folder, _logger);
        DiskSpace.Require(_arguments, _parts.Model.Network, _logger);
        session.Begin(checkpoint);
        try
        {
            Run(session, cancellationToken);
            var output = session.Finish();
            WriteModel();
            SaveMetrics("train", output.Metrics);
            SaveState();
            return output;
        }
        catch (Exception e) when (e is not TrainingStoppedException)
        {
            _parts.Callbacks.Tell(c => c.OnFail(_context, e));
            throw;
        }
        finally
        {
            _publisher?.Join();
        }
    }

    /// <summary>Tries learning rates from small to large, a step each, and takes the steps back: the model ends as it began.</summary>
    /// <param name="search">Which rates; null takes the defaults.</param>
    /// <param name="stepDone">Hears how many steps are done; null for nobody.</param>
    /// <param name="cancellationToken">Ends the search between two steps.</param>
    /// <returns>The losses and the rate that they speak for.</returns>
    /// <exception cref="ArgumentsException">The search or the training cannot be meant; names every problem.</exception>
    public LearningRateCurve FindLearningRate(LearningRateSearch? search = null, Action<int>? stepDone = null, CancellationToken cancellationToken = default)
    {
        var asked = search ?? new LearningRateSearch();
        if (asked.Problems().ToList() is { Count: > 0 } problems)
        {
            throw new ArgumentsException(problems);
        }

        var train = TrainerChecks.RequireTrainable(_arguments with { EvalStrategy = IntervalStrategy.No }, _parts.Model, _train, evaluation: null);
        return new LearningRateFinder(_parts, train, asked).Run(stepDone, cancellationToken);
    }

    /// <summary>Evaluates a split and adds a row to the log.</summary>
    /// <param name="dataset">The split; null takes that of the constructor.</param>
    /// <param name="prefix">What the names of metrics begin with.</param>
    /// <param name="cancellationToken">Ends the evaluation between two batches.</param>
    /// <returns><c>eval_loss</c>, <c>eval_accuracy</c> and so on.</returns>
    /// <exception cref="ArgumentException">There is no split.</exception>
    /// <exception cref="ArgumentsException">The split's classes are not the model's.</exception>
    public IReadOnlyDictionary<string, double> Evaluate(ImageDataset? dataset = null, string prefix = "eval", CancellationToken cancellationToken = default)
    {
        var split = dataset ?? _parts.EvalDataset ?? throw new ArgumentException("There is no split to evaluate on: pass one here or to the constructor.", nameof(dataset));
        var (metrics, prediction) = Run(split, prefix, cancellationToken);
        _context.LastPrediction = prediction;
        Log(metrics);
        _parts.Callbacks.Tell(c => c.OnEvaluate(_context, metrics));
        metrics["epoch"] = State.Epoch;
        return metrics;
    }

    /// <summary>Predicts a split.</summary>
    /// <param name="dataset">The split.</param>
    /// <param name="prefix">What the names of metrics begin with.</param>
    /// <param name="cancellationToken">Ends the prediction between two batches.</param>
    /// <returns>Logits, classes, and <c>test_loss</c>, <c>test_accuracy</c> and so on.</returns>
    /// <exception cref="ArgumentsException">The split's classes are not the model's.</exception>
    public PredictionOutput Predict(ImageDataset dataset, string prefix = "test", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var (metrics, prediction) = Run(dataset, prefix, cancellationToken);
        _parts.Callbacks.Tell(c => c.OnPredict(_context, metrics));
        return new PredictionOutput(prediction, metrics);
    }

    /// <summary>Writes the model, its configuration and the image processor; with <see cref="TrainingArguments.PushToHub"/> the run folder is pushed too.</summary>
    /// <param name="folder">The folder; null is the run folder, and only that is pushed.</param>
    public void SaveModel(string? folder = null)
    {
        _parts.SaveModel(folder ?? _arguments.OutputDir);
        if (folder is null && _arguments.PushToHub)
        {
            _publisher!.Push(State, "Model save", checkpoint: null);
        }
    }

    /// <summary>Writes the model and pushes the run folder, its card and its model to the Hub, after every push that is under way.</summary>
    /// <param name="message">Title of the commit.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>The commit; the unchanged head when nothing differed.</returns>
    /// <exception cref="HubException">Nobody is logged in, the Hub refused, or the way to it broke; the run folder is whole, and can be pushed again.</exception>
    /// <remarks>Checkpoints, the lock and scratch files stay here. Source: <c>Trainer.push_to_hub</c>.</remarks>
    public Task<CommitResult> PushToHubAsync(string message = "End of training", CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(message);
        _publisher ??= new HubPublisher(_arguments, _hub, _parts.Events, _logger);
        WriteModel();
        return _publisher.PushLastAsync(State, message, cancellationToken);
    }

    /// <summary>Writes <c>trainer_state.json</c> into the run folder.</summary>
    public void SaveState() => _parts.Folder.WriteText(TrainerState.FileName, State.ToFileText());

    /// <summary>Writes the metrics of a split into the run folder, and adds them to <c>all_results.json</c>.</summary>
    /// <param name="split"><c>train</c>, <c>eval</c> or <c>test</c>.</param>
    /// <param name="metrics">The metrics.</param>
    public void SaveMetrics(string split, IReadOnlyDictionary<string, double> metrics) => _parts.Folder.WriteMetrics(split, metrics);

    /// <summary>Waits for a push that is under way and disposes what the trainer made; the model stays.</summary>
    public void Dispose()
    {
        _publisher?.Dispose();
        _parts.Loss.Dispose();
        foreach (var reporter in _reporters.OfType<IDisposable>())
        {
            reporter.Dispose();
        }
    }

    private void Run(TrainingSession session, CancellationToken cancellationToken)
    {
        try
        {
            RunEpochs(session, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw session.Stop();
        }
    }

    private void RunEpochs(TrainingSession session, CancellationToken cancellationToken)
    {
        session.LogEvaluateSave();
        for (var epoch = session.FirstEpoch; session.HasMore(epoch); epoch++)
        {
            foreach (var step in session.Steps(epoch))
            {
                using (NewDisposeScope())
                {
                    session.Accumulate(step);
                    session.Update();
                }

                session.EndStep(step);
                if (_context.Control.ShouldEpochStop || _context.Control.ShouldTrainingStop)
                {
                    break;
                }

                cancellationToken.ThrowIfCancellationRequested();
            }

            session.EndEpoch();
        }
    }

    private void WriteModel() => _parts.SaveModel(_arguments.OutputDir);

    private (Dictionary<string, double> Metrics, EvalPrediction Prediction) Run(ImageDataset split, string prefix, CancellationToken stop)
    {
        TrainerChecks.RequireSameClasses(_parts.Model, split);
        return _parts.Evaluator.Run(split, prefix, (batch, count) => _parts.Callbacks.Tell(c => c.OnPredictionStep(_context, batch, count)), stop);
    }

    private void Log(IReadOnlyDictionary<string, double> values)
    {
        var row = new JsonObject(values.Select(v => KeyValuePair.Create(v.Key, (JsonNode?)JsonValue.Create(v.Value))))
        {
            ["epoch"] = State.Epoch,
            ["step"] = State.GlobalStep,
        };
        State.LogHistory.Add(row);
        _parts.Callbacks.Tell(c => c.OnLog(_context, row));
    }

    private static List<Metric> MetricsOf(TrainingArguments arguments, IReadOnlyList<Metric> given)
    {
        var asked = arguments.MetricForBestModel;
        return asked is null || Metrics.Find(asked, given) is not null || Metrics.Find(asked, Metrics.All) is not { } extra ? [.. given] : [.. given, extra];
    }

    private static IEnumerable<TrainerCallback> EarlyStopping(TrainingArguments arguments, BestModel best) =>
        arguments.EarlyStoppingPatience is { } patience
            ? [new EarlyStoppingCallback(patience, arguments.EarlyStoppingThreshold, best.Key!, best.GreaterIsBetter, arguments.UnfreezeAtEpoch ?? 0)]
            : [];

    private static IEnumerable<TrainerCallback> Publishing(HubPublisher? publisher) => publisher is null ? [] : [new PublishCallback(publisher)];

    private List<TrainerCallback> Reporters(ImageClassifier model, ImageDataset? train, ImageDataset? evaluation, Device device, ComputePrecision precision)
    {
        var report = new ReportCallback(model, train, evaluation, device.ToString(), precision.Training?.ToString().ToLowerInvariant() ?? "float32", () => _publisher?.Repository);
        return _arguments.ReportTo.Any(name => name is "tensorboard" or "all") ? [report, new TensorBoardCallback(train)] : [report];
    }
}
