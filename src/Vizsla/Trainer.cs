using System.Text.Json.Nodes;
using Vizsla.Adapters;
using Vizsla.Distributed;
using Vizsla.Hub;
using Vizsla.Models;
using Vizsla.Native;
using Vizsla.Runs;
using Vizsla.Runs.TensorBoard;
using Vizsla.Training;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Checkpoints;
using Vizsla.Training.Data;
using Vizsla.Training.Losses;
using Vizsla.Training.Metrics;
using Vizsla.Training.RateSearch;
using Vizsla.Transforms;

namespace Vizsla;

/// <summary>Fine-tunes a model on a dataset, evaluates it, and keeps the run in a folder.</summary>
/// <remarks>
/// Not safe for several threads; one training at a time in a process, for dropout draws from libtorch's one generator.
/// Source: transformers <c>Trainer</c> 4.57. Parity: order equal, losses 1e-4; docs/parity.md lists what differs on purpose.
/// </remarks>
public sealed class Trainer : IDisposable
{
    private readonly TrainingArguments _arguments;
    private readonly ImageClassifier _model;
    private readonly ImageDataset? _train;
    private readonly ImageDataset? _evalDataset;
    private readonly TrainerOptions _options;
    private readonly ComputeContext _compute;
    private readonly TrainingLoss _loss;
    private readonly TrainerContext _context;
    private readonly BestModel _best;
    private readonly CallbackList _callbacks;
    private readonly EvaluationLoop _evaluation;
    private readonly ProcessGroup _processes;
    private readonly RunFolder _folder;
    private readonly EventLog _events;
    private readonly List<TrainerCallback> _reporters;
    private HubPublisher? _publisher;
    private (Compose Before, Compose After)? _replaced;

    /// <summary>Prepares a training; seeds libtorch's generator with <see cref="TrainingArguments.Seed"/>.</summary>
    /// <param name="model">The model; stays the caller's, and is moved to the device.</param>
    /// <param name="arguments">What to do; null takes the defaults.</param>
    /// <param name="trainDataset">Pictures to train on, with labels; without a transform they get the preprocessing of the model's processor. Null for a trainer that only evaluates.</param>
    /// <param name="evalDataset">Pictures to evaluate on during training; null where <see cref="TrainingArguments.EvalStrategy"/> is no.</param>
    /// <param name="options">Metrics, callbacks, a custom optimizer, schedule or loss, logger, Hub; null takes the defaults.</param>
    /// <param name="adapter">Trains an adapter of the model in the place of its weights, as <see cref="ImageClassifier.AddAdapter"/> adds it; null trains what the model has.</param>
    /// <exception cref="ArgumentsException">The arguments are invalid; names every problem.</exception>
    /// <exception cref="ModelLoadException">The adapter does not fit the model.</exception>
    /// <exception cref="HubException">The run is to be pushed, and nobody is logged in.</exception>
    public Trainer(
        ImageClassifier model, TrainingArguments? arguments = null, ImageDataset? trainDataset = null, ImageDataset? evalDataset = null, TrainerOptions? options = null,
        AdapterConfig? adapter = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (adapter is not null)
        {
            model.AddAdapter(adapter);
        }

        (_model, _train, _evalDataset) = (model, trainDataset, evalDataset);
        (_arguments, _options) = (HeadProbe.Complete(arguments ?? new TrainingArguments()), options ?? new TrainerOptions());
        ArgumentChecks.Require(_arguments);
        Native.Convolutions.Tell(_options.Logger);
        TrainerChecks.RequireOptions(_arguments, _options);
        _processes = _options.Processes;
        _processes.Timeout = TimeSpan.FromSeconds(_arguments.DdpTimeout);
        _compute = ComputeContext.Of(_arguments, model.Network, _options.DataCollator, _processes);

        // Each process leaves other units out; Python's leave out the same.
        TorchGenerator.Seed(_arguments.Seed + (_arguments.DistributedOrder == DistributedOrder.Same ? _processes.Rank : 0));

        var metrics = Metric.WithBest(_arguments.MetricForBestModel, _options.Metrics);
        _context = new TrainerContext(_arguments, new TrainerState(), new TrainerControl(), model.Network) { Labels = model.Labels };
        _best = new BestModel(_arguments, metrics, _context.State);
        _loss = new TrainingLoss(_arguments.LabelSmoothingFactor, TrainerChecks.ClassWeights(_arguments, model.Labels, trainDataset), _compute.Device, _options.ComputeLoss);
        _folder = new RunFolder(_arguments.OutputDir);
        _events = new EventLog(_arguments.OutputDir, TimeProvider.System);
        _publisher = _arguments.PushToHub && _processes.IsFirst ? new HubPublisher(_arguments, _options.Hub, _events, _options.Logger) : null;
        _reporters = Reporters();
        _callbacks = new CallbackList(_context, [.. _processes.IsFirst ? [_events] : Array.Empty<TrainerCallback>(), .. EarlyStopping(), .. _reporters, .. Publishing(), .. _options.Callbacks]);
        _evaluation = new EvaluationLoop(_compute, _loss, metrics, _callbacks);
    }

    /// <summary>Where the run stands.</summary>
    public TrainerState State => _context.State;

    /// <summary>What else <c>training_args.json</c> is to say of the run, beside the arguments; not compared when it is resumed.</summary>
    public JsonObject Notes => _options.Notes;

    /// <summary>What the last training exchanged with other processes; null for one.</summary>
    internal GradientExchange? Exchange { get; private set; }

    /// <summary>Trains to the end, from the beginning or from a checkpoint, and writes the run folder.</summary>
    /// <param name="cancellationToken">Ends the training after the step that runs, an evaluation after its batch: a checkpoint is saved, and the exception says where.</param>
    /// <exception cref="TrainingException">The training cannot start, continue or be resumed; the last checkpoint stays.</exception>
    /// <exception cref="TrainingStoppedException">The token was cancelled.</exception>
    public TrainOutput Train(CancellationToken cancellationToken = default)
    {
        var train = Current(TrainerChecks.RequireTrainable(_arguments, _model, _train, _evalDataset, _best));
        ProcessChecks.Require(_processes, _arguments, train);
        RunLock? taken = null;
        _processes.OnFirst(() => taken = RunLock.Take(_arguments.OutputDir));
        using var locked = taken;
        var probe = _arguments.Optim == OptimizerName.LbfgsHead ? ChooseHead(train, cancellationToken) : null;
        using var setup = new TrainingSetup(
            _model, _compute, _loss, Current(train), _evalDataset is null ? null : Current(_evalDataset), _options, _best.GreaterIsBetter, cancellationToken, probe);
        Exchange = setup.Exchange;
        ProcessChecks.RequireAlike(_processes, setup.Description);
        var checkpoint = _processes.OnFirst(() => _folder.Prepare(_arguments, _options.Logger));
        TrainerChecks.WarnOfMissingClasses(_model.Labels, train, _evalDataset, _options.Logger);
        _processes.OnFirst(() => DiskSpace.Require(_arguments, _model, _options.Logger));

        // Whatever it was before: it is trained with cross entropy, and its scores are to be read so.
        _model.Configuration.ProblemType = "single_label_classification";
        if (checkpoint is not null)
        {
            ProcessChecks.RequireCheckpoint(_processes, checkpoint);
            _processes.OnFirst(() => ArgumentChanges.Check(checkpoint, setup.Description, _options.Logger));
        }

        using var loop = new TrainingLoop(setup, _evaluation, _callbacks, _best, _options.Logger, cancellationToken);
        loop.Begin(checkpoint);
        _processes.OnFirst(() => _folder.WriteText(RunFiles.Arguments, setup.Description.FileText));
        try
        {
            Run(loop);
            var output = loop.Finish();
            _processes.OnFirst(() =>
            {
                _model.Save(_arguments.OutputDir);
                _folder.WriteText(RunFiles.Arguments, setup.Description.FileText);
            });
            Native.Convolutions.Tell(_options.Logger);
            SaveMetrics("train", output.Metrics);
            SaveState();
            return output;
        }
        catch (Exception e) when (e is not TrainingStoppedException)
        {
            _callbacks.Tell(c => c.OnFail(_context, e));
            throw;
        }
        finally
        {
            _publisher?.Join();
        }
    }

    /// <summary>Tries learning rates from small to large, a step each, and takes the steps back: the model ends as it began.</summary>
    /// <param name="search">Which rates; null takes the defaults.</param>
    /// <param name="stepDone">Is told how many steps are done; null for nobody.</param>
    /// <param name="cancellationToken">Ends the search between two steps.</param>
    /// <returns>The losses and the rate that they speak for.</returns>
    /// <exception cref="ArgumentsException">The search or the training is invalid; names every problem.</exception>
    public LearningRateCurve FindLearningRate(LearningRateSearch? search = null, Action<int>? stepDone = null, CancellationToken cancellationToken = default)
    {
        var asked = search ?? new LearningRateSearch();
        if (asked.Problems().ToList() is { Count: > 0 } problems)
        {
            throw new ArgumentsException(problems);
        }

        if (_processes.IsShared)
        {
            throw new TrainingException("The search for a learning rate runs in one process: start it without mpirun.");
        }

        var train = TrainerChecks.RequireTrainable(_arguments with { EvalStrategy = IntervalStrategy.No }, _model, _train, evaluation: null, _best);
        return new LearningRateFinder(_model, _compute, _loss, asked, _options).Run(Current(train), _evalDataset is null ? null : Current(_evalDataset), stepDone, cancellationToken);
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
        var split = dataset ?? _evalDataset ?? throw new ArgumentException("There is no split to evaluate on: pass one here or to the constructor.", nameof(dataset));
        TrainerChecks.RequireSameClasses(_model, split);
        (var metrics, _context.LastPrediction) = _evaluation.Run(Current(split), prefix, cache: null, cancellationToken);
        _callbacks.Log(metrics);
        _callbacks.Tell(c => c.OnEvaluate(_context, metrics));
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
        TrainerChecks.RequireSameClasses(_model, dataset);
        var (metrics, prediction) = _evaluation.Run(Current(dataset), prefix, cache: null, cancellationToken);
        _callbacks.Tell(c => c.OnPredict(_context, metrics));
        return new PredictionOutput(prediction, metrics);
    }

    /// <summary>Writes the model, its configuration and the image processor; with <see cref="TrainingArguments.PushToHub"/> the run folder is pushed too.</summary>
    /// <param name="folder">The folder; null is the run folder, and only that is pushed.</param>
    public void SaveModel(string? folder = null)
    {
        _processes.OnFirst(() => _model.Save(folder ?? _arguments.OutputDir));
        if (folder is null && _arguments.PushToHub && _processes.IsFirst)
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
        _publisher ??= new HubPublisher(_arguments, _options.Hub, _events, _options.Logger);
        _model.Save(_arguments.OutputDir);
        return _publisher.PushLastAsync(State, message, cancellationToken);
    }

    /// <summary>Writes <c>trainer_state.json</c> into the run folder.</summary>
    public void SaveState() => _processes.OnFirst(() => _folder.WriteText(TrainerState.FileName, State.ToFileText()));

    /// <summary>Writes the metrics of a split into the run folder, and adds them to <c>all_results.json</c>.</summary>
    /// <param name="split"><c>train</c>, <c>eval</c> or <c>test</c>.</param>
    /// <param name="metrics">The metrics.</param>
    public void SaveMetrics(string split, IReadOnlyDictionary<string, double> metrics) => _processes.OnFirst(() => _folder.WriteMetrics(split, metrics));

    /// <summary>Waits for a push that is under way and disposes what the trainer made; the model stays.</summary>
    public void Dispose()
    {
        _publisher?.Dispose();
        _loss.Dispose();
        foreach (var reporter in _reporters.OfType<IDisposable>())
        {
            reporter.Dispose();
        }
    }

    // Photos of the processor's own pipeline are from here on prepared at the size that was chosen.
    private HeadProbe ChooseHead(ImageDataset train, CancellationToken cancellationToken)
    {
        var before = _model.Processor.ToPipeline();
        var probe = HeadProbe.Choose(_model, _compute, train, _options.Logger, cancellationToken);
        _replaced = (before, _model.Processor.ToPipeline());
        _options.Notes["head"] = new JsonArray([.. probe.Tried.Select(c => (JsonNode)new JsonObject
        {
            ["side"] = c.Side,
            ["mirrored"] = c.IsMirrored,
            ["constant"] = c.Constant,
            ["temperature"] = c.Temperature,
            ["log_loss"] = double.IsFinite(c.LogLoss) ? c.LogLoss : null,
            ["chosen"] = c == probe.Chosen,
        })]);
        return probe;
    }

    // Without a transform of its own a dataset gets the model's preprocessing.
    private ImageDataset Current(ImageDataset dataset) =>
        dataset.Transform is not { } transform ? dataset.WithTransform(_model.Processor.ToPipeline())
        : _replaced is var (before, after) && transform.Equals(before) ? dataset.WithTransform(after)
        : dataset;

    private static void Run(TrainingLoop loop)
    {
        try
        {
            loop.Run();
        }
        catch (OperationCanceledException) when (loop.IsStopped)
        {
            throw loop.Stop();
        }
    }

    private IEnumerable<TrainerCallback> EarlyStopping() => _arguments.EarlyStoppingPatience is { } patience
        ? [new EarlyStoppingCallback(patience, _arguments.EarlyStoppingThreshold, _best.Key!, _best.GreaterIsBetter, _arguments.UnfreezeAtEpoch ?? 0)]
        : [];

    private IEnumerable<TrainerCallback> Publishing() => _publisher is null ? [] : [new PublishCallback(_publisher)];

    private List<TrainerCallback> Reporters()
    {
        if (!_processes.IsFirst)
        {
            return [];
        }

        var report = new ReportCallback(_model, _train, _evalDataset, _compute.Device.ToString(), _compute.PrecisionName, () => _publisher?.Repository);
        return _arguments.ReportTo.Any(name => name is "tensorboard" or "all") ? [report, new TensorBoardCallback(_train)] : [report];
    }
}
