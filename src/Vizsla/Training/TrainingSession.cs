using System.Diagnostics;
using System.Text.Json.Nodes;
using Vizsla.Training.Checkpoints;
using Vizsla.Training.Data;
using Vizsla.Training.Evaluation;
using Vizsla.Training.Optimizers;
using Vizsla.Training.Runs;
using Vizsla.Training.Schedules;
using Vizsla.Training.Steps;
using static TorchSharp.torch;

namespace Vizsla.Training;

/// <summary>One training from its first step to its last: what <see cref="Trainer.Train"/> calls at each turn of its loop.</summary>
internal sealed class TrainingSession : IDisposable
{
    private readonly SessionParts _parts;
    private readonly TrainingArguments _arguments;
    private readonly TrainerContext _context;
    private readonly TrainerState _state;
    private readonly RunDescription _description;
    private readonly TrainingData _data;
    private readonly Optimizer _optimizer;
    private readonly Schedule _schedule;
    private readonly LossMeter _meter;
    private readonly StepRunner _runner;
    private readonly FiniteGuard _guard;
    private readonly Freezing _freezing;
    private readonly FeatureCache? _cache;
    private readonly WeightAverage? _average;
    private readonly LossScaler? _scaler;
    private readonly FlowControl _flow;
    private readonly Checkpoint _checkpoint;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly MemoryMeter _memory = new();
    private readonly long _parameterCount;
    private readonly KeptCheckpoints _kept;
    private readonly CancellationToken _stop;
    private Position _position = Position.Start;
    private byte[]? _pendingState;
    private byte[]? _rewind;
    private (bool Evaluation, bool Save) _due;
    private Tensor? _lastNorm;
    private double? _lastRate;
    private int? _lastSavedStep;
    private int _firstStep;

    /// <param name="parts">What the trainer lends.</param>
    /// <param name="train">The training split.</param>
    /// <param name="stop">Ends an evaluation or a computation of features after the batch that runs, with an <see cref="OperationCanceledException"/>.</param>
    public TrainingSession(SessionParts parts, ImageDataset train, CancellationToken stop)
    {
        (_parts, _arguments, _context, _state, _stop) = (parts, parts.Arguments, parts.Context, parts.Context.State, stop);
        _kept = new KeptCheckpoints(parts);
        var network = parts.Model.Network;
        Plan = new TrainingPlan(_arguments, train.Count);
        _flow = new FlowControl(_arguments, _state, _context.Control);
        _freezing = new Freezing(network, _arguments);
        _cache = FeatureCache.For(parts, train, _freezing, stop);
        _data = new TrainingData(train, _arguments, Plan, parts.Model.Labels.Count, _cache);
        _optimizer = OptimizerTable.Create(_arguments, ParameterGroups.Create(network, _arguments, _freezing.EverTrained));
        _schedule = PhasedSchedule.Create(_arguments, Plan, [.. _optimizer.Groups.Select(g => g.BaseLearningRate)], parts.Best.GreaterIsBetter);
        _meter = new LossMeter(parts.Device, _arguments.LoggingNanInfFilter && !_arguments.StopOnNan);
        _guard = new FiniteGuard(train, parts.Device);
        _scaler = parts.Precision.Training == ScalarType.Float16 ? new LossScaler() : null;
        _average = _arguments.EmaDecay > 0 ? new WeightAverage(network, _arguments.EmaDecay) : null;
        _runner = new StepRunner(parts, x => _cache is { IsUsed: true } ? _cache.Forward(x) : network.call(x), _optimizer, _meter, _scaler);
        _checkpoint = new Checkpoint(parts.SaveModel, parts.Model, _optimizer, _schedule, _meter, _average, _scaler);
        _description = RunDescription.Of(_arguments, network, train, parts.EvalDataset, parts.Device, parts.Precision, parts.Notes);
        _parameterCount = network.parameters().Sum(p => p.numel());
    }

    /// <summary>Steps and epochs of the run.</summary>
    public TrainingPlan Plan { get; }

    /// <summary>Epoch to begin or to go on with.</summary>
    public int FirstEpoch => _position.NextEpoch;

    private TrainerControl Control => _context.Control;

    /// <summary>Reads the checkpoint to go on from, if there is one, and tells everybody that training begins.</summary>
    /// <param name="checkpoint">Path of a checkpoint; null to begin anew.</param>
    public void Begin(string? checkpoint)
    {
        _parts.Model.Configuration.ProblemType ??= "single_label_classification";
        if (checkpoint is not null)
        {
            ArgumentChanges.Check(checkpoint, _description, _parts.Logger);
            Resume(_checkpoint.Read(checkpoint, Plan), Path.GetDirectoryName(Path.GetFullPath(checkpoint))!);
        }

        (_state.MaxSteps, _state.NumTrainEpochs, _state.TrainBatchSize) = (Plan.MaxSteps, Plan.EpochCount, Plan.BatchSize);
        (_state.LoggingSteps, _state.EvalSteps, _state.SaveSteps) = (Plan.LoggingSteps, Plan.EvalSteps, Plan.SaveSteps);
        _parts.Evaluator.Loop.Cache = _cache;
        _parts.Model.Network.PatchDropRate = _arguments.PatchDropRate;
        _parts.Folder.WriteText(RunFiles.Arguments, _description.FileText);
        Control.ShouldEvaluate |= _arguments.EvalOnStart && checkpoint is null;
        Tell(c => c.OnTrainBegin(_context));
    }

    /// <summary>Whether an epoch has something left: steps, or what comes after its last one.</summary>
    /// <param name="epoch">Epoch from 0.</param>
    public bool HasMore(int epoch) => epoch < Plan.EpochCount && (_position.IsInside(epoch) || !Control.ShouldTrainingStop);

    /// <summary>The steps of an epoch that are still to be done.</summary>
    /// <param name="epoch">Epoch from 0.</param>
    public IEnumerable<StepBatches> Steps(int epoch)
    {
        var isResumed = _position.IsInside(epoch);
        _position = isResumed ? _position : new Position(epoch, 0, IsEpochDone: false);
        _flow.BeginEpoch();
        _freezing.BeginEpoch(epoch);
        _cache?.BeginEpoch(epoch);
        _freezing.SetTrainingMode();
        Tell(c => c.OnEpochBegin(_context));
        if (isResumed && Control.ShouldTrainingStop)
        {
            return [];
        }

        if (!isResumed)
        {
            _rewind = TorchGenerator.GetState();
            TorchGenerator.DrawLoaderSeed();
        }

        return _data.Steps(epoch, _position.BatchesDone, isResumed ? _pendingState : null);
    }

    /// <summary>Forward and backward of every micro-batch of a step.</summary>
    /// <param name="step">The micro-batches.</param>
    public void Accumulate(StepBatches step)
    {
        _flow.BeginStep();
        _context.Rows = step.Rows;
        _context.LearningRate = _schedule.Rates.Max();
        _guard.BeginStep(_state.GlobalStep + 1, step.Rows, _context.LearningRate);
        Tell(c => c.OnStepBegin(_context));
        var values = _runner.Accumulate(step, _data.WeightOf(step, _parts.Loss), _state.GlobalStep, (inputs, loss, isLast) =>
        {
            Look(loss);
            (_context.PixelValues, _context.MicroBatchLoss) = (_cache is { IsUsed: true } ? null : inputs.PixelValues, loss);
            if (!isLast)
            {
                Tell(c => c.OnSubstepEnd(_context));
            }
        });
        _state.TotalFlos += 6.0 * values * _parameterCount;
    }

    /// <summary>Clips the gradients, moves the weights, goes on with the schedule.</summary>
    public void Update()
    {
        _rewind = null;
        var isFinite = _scaler?.Unscale(_optimizer) ?? true;
        _lastNorm?.Dispose();
        _lastNorm = _runner.Clip()?.DetachFromDisposeScope();
        _lastRate = _context.LearningRate;
        if (_lastNorm is not null && _scaler is null)
        {
            Look(_lastNorm);
        }

        _context.GradientNorm = _lastNorm;
        Tell(c => c.OnPreOptimizerStep(_context));
        if (isFinite)
        {
            _runner.Update(_schedule.Rates);
            _schedule.Step();
            _average?.Update();
        }
        else
        {
            _optimizer.ZeroGradients();
        }

        _scaler?.Update(isFinite);
        (_context.PixelValues, _context.MicroBatchLoss, _context.GradientNorm) = (null, null, null);
    }

    /// <summary>Counts a step and does what is due after it.</summary>
    /// <param name="step">The step.</param>
    public void EndStep(StepBatches step)
    {
        _state.GlobalStep++;
        _state.Epoch = _position.Epoch + ((double)step.LastBatch / Plan.BatchesPerEpoch);
        _position = _position with { BatchesDone = step.LastBatch };
        _flow.EndStep();
        Tell(c => c.OnStepEnd(_context));
        LogEvaluateSave();
    }

    /// <summary>Does what is due after an epoch.</summary>
    public void EndEpoch()
    {
        _flow.EndEpoch();
        Tell(c => c.OnEpochEnd(_context));
        _position = _position with { IsEpochDone = true };
        LogEvaluateSave();
    }

    /// <summary>Does what is due now; before the first step that is the evaluation at the start, or the one in which the run was stopped.</summary>
    public void LogEvaluateSave()
    {
        if (Control.ShouldLog && _state.GlobalStep > _meter.LastLoggedStep)
        {
            Control.ShouldLog = false;
            _parts.Log(TrainRow());
        }

        if (Control.ShouldEvaluate)
        {
            Evaluate();
        }

        if (Control.ShouldSave)
        {
            Save();
        }
    }

    /// <summary>Saves a checkpoint between two steps, unless this step has one, and tells everybody that the run stops.</summary>
    /// <returns>What to throw.</returns>
    /// <remarks>What was under way and not ended (an evaluation, features of a backbone) is taken back: it is done anew when the run goes on.</remarks>
    public TrainingStoppedException Stop()
    {
        if (_rewind is { } state)
        {
            TorchGenerator.SetState(state);
        }

        if (_lastSavedStep != _state.GlobalStep)
        {
            _due = (Control.ShouldEvaluate, Control.ShouldSave);
            (Control.ShouldEvaluate, Control.ShouldSave) = (false, true);
            Save();
        }

        var checkpoint = _parts.Folder.Checkpoints.PathOf(_state.GlobalStep);
        Tell(c => c.OnStop(_context, checkpoint));
        return new TrainingStoppedException(checkpoint, _state.GlobalStep, _stop);
    }

    /// <summary>Puts the best weights in place where that was asked, and writes the last row.</summary>
    public TrainOutput Finish()
    {
        SettleWeights();
        var loss = _meter.MeanOfAll(_state.GlobalStep);
        var metrics = new Dictionary<string, double>();
        var share = 1 - ((double)_firstStep / Plan.MaxSteps);
        Evaluator.AddSpeed(metrics, "train", _watch.Elapsed, Plan.TrainedSampleCount * share, Plan.MaxSteps - _firstStep);
        if (!_arguments.SkipMemoryMetrics)
        {
            _memory.AddTo(metrics);
        }

        metrics["total_flos"] = _state.TotalFlos;
        metrics["train_loss"] = loss;
        _parts.Log(metrics);
        metrics["epoch"] = _state.Epoch;
        Tell(c => c.OnTrainEnd(_context));
        return new TrainOutput(_state.GlobalStep, loss, metrics);
    }

    public void Dispose()
    {
        _parts.Evaluator.Loop.Cache = null;
        _parts.Model.Network.PatchDropRate = 0;
        _lastNorm?.Dispose();
        _average?.Dispose();
        _freezing.Dispose();
        _guard.Dispose();
        _optimizer.Dispose();
        _meter.Dispose();
    }

    private void Resume(Resumption from, string folder)
    {
        _kept.ResumeFrom(folder, from.Progress.ExtraSteps);
        _state.CopyFrom(from.State);
        _position = _arguments.IgnoreDataSkip ? from.Progress.Position with { BatchesDone = 0 } : from.Progress.Position;
        (_lastSavedStep, _firstStep) = (_state.GlobalStep, _state.GlobalStep);
        _lastRate = from.Progress.LearningRate;
        _lastNorm = from.Progress.GradientNorm is { } norm ? tensor((float)norm).DetachFromDisposeScope() : null;
        (Control.ShouldEvaluate, Control.ShouldSave) = (from.Progress.IsEvaluationDue, from.Progress.IsSaveDue);
        Control.ShouldTrainingStop |= _state.GlobalStep >= Plan.MaxSteps;
        if (_arguments.RestoreCallbackStatesFromCheckpoint)
        {
            _parts.Callbacks.LoadState(_state.StatefulCallbacks);
        }

        if (from.Generator is { } generator)
        {
            TorchGenerator.SetState(generator.State);
            _pendingState = generator.BeforePending;
        }
    }

    private Dictionary<string, double> TrainRow()
    {
        var row = new Dictionary<string, double> { ["loss"] = _meter.TakeMean(_state.GlobalStep) };
        if (_lastNorm is not null)
        {
            row["grad_norm"] = _lastNorm.item<float>();
        }

        if (_lastRate is { } rate)
        {
            row["learning_rate"] = rate;
        }

        return row;
    }

    private void Evaluate()
    {
        _guard.Require();
        _rewind = TorchGenerator.GetState();
        var (metrics, prediction) = Measure();
        _rewind = null;
        Control.ShouldEvaluate = false;
        _context.LastPrediction = prediction;
        _parts.Log(metrics);
        Tell(c => c.OnEvaluate(_context, metrics));
        if (_state.GlobalStep == 0)
        {
            // The evaluation before the first step is a row in the log and no more.
            return;
        }

        if (_parts.Best.Key is { } key)
        {
            _schedule.Evaluated(metrics[key]);
        }

        // A better evaluation always gets a checkpoint, whatever the save interval.
        if (_parts.Best.Update(metrics) && !Control.ShouldSave && (_arguments.LoadBestModelAtEnd || _arguments.SaveStrategy == SaveStrategy.Best))
        {
            Control.ShouldSave = true;
            _kept.AddExtra(_state.GlobalStep);
        }
    }

    private (Dictionary<string, double> Metrics, EvalPrediction Prediction) Measure()
    {
        using (_average?.Lend())
        {
            var result = _parts.Evaluator.Run(_parts.EvalDataset!, "eval", (batch, count) => Tell(c => c.OnPredictionStep(_context, batch, count)), _stop);
            _freezing.SetTrainingMode();
            return result;
        }
    }

    private void Save()
    {
        _guard.Require();
        _state.BestModelCheckpoint = _kept.BestFolder(_state.GlobalStep) ?? _state.BestModelCheckpoint;
        _state.StatefulCallbacks = _parts.Callbacks.SaveState(Control);
        var path = _parts.Folder.Checkpoints.Write(_state.GlobalStep, folder =>
            _checkpoint.Write(folder, _arguments, _state, Progress(), _data.StateBeforePending, _description));
        _lastSavedStep = _state.GlobalStep;
        Control.ShouldSave = false;
        Tell(c => c.OnSave(_context, path));
        _kept.Rotate();
    }

    private Progress Progress() =>
        new(_position, _lastNorm is null ? null : (double)_lastNorm.item<float>(), _lastRate, _kept.ExtraSteps, _due.Evaluation, _due.Save);

    /// <summary>Puts the weights in place that the run is to end with: the best ones, or the average, or those of the last step.</summary>
    private void SettleWeights()
    {
        var isBestLast = _state.BestGlobalStep is null || _state.BestGlobalStep == _state.GlobalStep;
        if (!_arguments.LoadBestModelAtEnd || isBestLast)
        {
            _average?.Settle();
            return;
        }

        var best = _kept.RequireBest();
        if (PythonCheckpoint.Is(best))
        {
            PythonCheckpoint.LoadWeights(best, _parts.Model.Network);
        }
        else
        {
            NetworkWeights.Load(_parts.Model.Network, Path.Combine(best, _average is null ? CheckpointNames.Weights : CheckpointNames.Average));
        }
    }

    private void Look(Tensor value)
    {
        if (_arguments.StopOnNan)
        {
            _guard.Look(value);
        }
    }

    private void Tell(Action<TrainerCallback> happened) => _parts.Callbacks.Tell(happened);
}
