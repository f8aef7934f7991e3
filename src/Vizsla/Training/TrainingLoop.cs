using Microsoft.Extensions.Logging;
using TorchSharp;
using Vizsla.Native;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Checkpoints;
using Vizsla.Training.Data;
using Vizsla.Training.Metrics;
using static TorchSharp.torch;
using Recomputation = Vizsla.Models.Layers.Recomputation;
using Recomputing = Vizsla.Models.Layers.Recomputing;

namespace Vizsla.Training;

/// <summary>One training from its first step to its last: the epochs, the step, and what is due after it.</summary>
/// <remarks>
/// <see cref="Run"/> is the table of contents. Nothing is read back from a device in a step but the verdict of a loss scale.
/// Source: <c>Trainer._inner_training_loop</c>, <c>training_step</c>, <c>_maybe_log_save_evaluate</c> of transformers.
/// </remarks>
internal sealed partial class TrainingLoop(TrainingSetup setup, EvaluationLoop evaluation, CallbackList callbacks, BestModel best, ILogger logger, CancellationToken stop) : IDisposable
{
    private readonly TrainingArguments _arguments = setup.Arguments;
    private readonly TrainerContext _context = callbacks.Context;
    private readonly TrainerState _state = callbacks.Context.State;
    private readonly TrainerControl _control = callbacks.Context.Control;
    private readonly FlowControl _flow = new(callbacks.Context);
    private readonly RunProgress _progress = new(setup, callbacks);
    private readonly EpochAveraging _averaging = new(setup, evaluation, callbacks, stop);
    private readonly SpeedMeter _speed = new(withMemory: !setup.Arguments.SkipMemoryMetrics);
    private float _ownLoss;
    private long _valuesPerPicture;
    private bool _isStopAgreed;
    private bool _isFirstStepDone;
    private Recomputing? _recomputing;

    /// <summary>Reads the checkpoint to resume from, if there is one.</summary>
    /// <param name="checkpoint">Path of a checkpoint; null to start from the beginning.</param>
    public void Begin(string? checkpoint)
    {
        _context.Reset();
        if (checkpoint is not null)
        {
            _progress.Resume(checkpoint);
        }

        // Whatever each process started from: those of rank 0 train.
        SharedWeights.Broadcast(setup.Processes, setup.Model.SavedState.Concat(setup.Average?.Tensors ?? []).Concat(setup.Epochs?.Tensors ?? []).Select(s => s.Value));
        _state.Take(setup.Plan);
        _control.ShouldEvaluate |= _arguments.EvalOnStart && checkpoint is null;
    }

    /// <summary>Whether the run was asked to stop, by one of its processes, and all know it.</summary>
    public bool IsStopped => _isStopAgreed || (!setup.Processes.IsShared && stop.IsCancellationRequested);

    /// <summary>Trains to the end.</summary>
    public void Run()
    {
        callbacks.Tell(c => c.OnTrainBegin(_context));

        // The evaluation at the start, or the one in which the run was stopped.
        LogEvaluateSave();
        for (var epoch = _progress.Position.NextEpoch; HasMore(epoch); epoch++)
        {
            foreach (var step in BeginEpoch(epoch))
            {
                BeginStep(step);
                lock (setup.Network.Gate)
                using (NewDisposeScope())
                {
                    Accumulate(step);
                    Exchange();
                    Update();
                }

                EndStep(step);
                LogEvaluateSave();
                if (_control.ShouldEpochStop || _control.ShouldTrainingStop)
                {
                    break;
                }

                RequireGoingOn();
            }

            EndEpoch();
            LogEvaluateSave();
        }

        _averaging.Settle(_progress);
    }

    /// <summary>Puts the weights in place that the run is to end with, and writes the last row.</summary>
    public TrainOutput Finish()
    {
        _progress.SettleWeights();
        SharedWeights.Broadcast(setup.Processes, setup.Model.SavedState.Select(s => s.Value));
        var loss = setup.Meter.MeanOfAll(_state.GlobalStep);
        var (plan, share) = (setup.Plan, 1 - ((double)_progress.FirstStep / setup.Plan.MaxSteps));
        var metrics = new Dictionary<string, double>(_speed.Metrics("train", plan.TrainedSampleCount * share, plan.MaxSteps - _progress.FirstStep));
        metrics["total_flos"] = _state.TotalFlos;
        metrics["train_loss"] = loss;
        callbacks.Log(metrics);
        metrics["epoch"] = _state.Epoch;
        foreach (var (name, value) in _averaging.Metrics)
        {
            metrics[name] = value;
        }

        callbacks.Tell(c => c.OnTrainEnd(_context));
        return new TrainOutput(_state.GlobalStep, loss, metrics);
    }

    /// <summary>Saves a checkpoint between two steps, unless this step has one, and tells the callbacks that the run stops.</summary>
    /// <returns>What to throw.</returns>
    /// <remarks>What was under way and did not finish (an evaluation, features of a backbone) is undone: it is repeated when the run is resumed.</remarks>
    public TrainingStoppedException Stop()
    {
        var checkpoint = _progress.SaveToStop();
        setup.Processes.OnFirst(() => StopRequest.Clear(_context.OutputDir));
        callbacks.Tell(c => c.OnStop(_context, checkpoint));
        return new TrainingStoppedException(checkpoint, _state.GlobalStep, stop);
    }

    public void Dispose() => _progress.Dispose();

    // Steps, or what comes after the last step of an epoch.
    private bool HasMore(int epoch) => epoch < setup.Plan.EpochCount && (_progress.Position.IsInside(epoch) || !_control.ShouldTrainingStop);

    /// <summary>The steps of an epoch that are still to be done.</summary>
    private IEnumerable<StepBatches> BeginEpoch(int epoch)
    {
        var isResumed = _progress.Position.IsInside(epoch);
        _progress.Position = isResumed ? _progress.Position : new Position(epoch, 0, IsEpochDone: false);
        _flow.BeginEpoch();
        setup.Freezing.BeginEpoch(epoch);
        setup.Cache?.BeginEpoch(epoch);
        setup.Freezing.SetTrainingMode();
        callbacks.Tell(c => c.OnEpochBegin(_context));
        if (!isResumed)
        {
            _progress.Begin();
            TorchGenerator.DrawLoaderSeed();
        }
        else if (_control.ShouldTrainingStop)
        {
            return [];
        }

        return setup.Data.Steps(epoch, _progress.Position.BatchesDone, isResumed ? _progress.GeneratorBeforePending : null);
    }

    private void BeginStep(StepBatches step)
    {
        _flow.BeginStep();
        _context.Rows = step.Rows;
        _ownLoss = 0;
        _context.LearningRate = setup.Schedule.Rates.Max();
        setup.Guard?.BeginStep(_state.GlobalStep + 1, step.AllRows, _context.LearningRate);
        setup.MemoryFit?.BeginStep();
        callbacks.Tell(c => c.OnStepBegin(_context));
    }

    /// <summary>Forward and backward of every micro-batch of a step.</summary>
    private void Accumulate(StepBatches step)
    {
        while (true)
        {
            try
            {
                AddGradients(step);
                return;
            }
            catch (Exception e) when (setup.MemoryFit is not null && MemoryFit.CanRetry(e))
            {
                // Gradients and losses of what did fit are discarded: the step starts over, with the same draws, in smaller parts.
                setup.MemoryFit.Halve(e, _state.GlobalStep + 1);
                setup.Optimizer.ZeroGradients();
                setup.Meter.Forget();
                _ownLoss = 0;
            }
        }
    }

    private void AddGradients(StepBatches step)
    {
        var weight = setup.Data.WeightOf(step, setup.Loss);
        var (done, values) = (0, 0L);
        setup.Exchange?.BeginStep();

        // One scope for all micro-batches: the low-precision copies of the weights are made once a step.
        using var precision = setup.Compute.Precision.OpenTraining();
        foreach (var batch in step.Batches)
        {
            using var scope = NewDisposeScope();
            var inputs = setup.Compute.Collate(batch);
            values += inputs.PixelValues.numel();
            var teacher = setup.Distillation?.Logits(batch.Images, setup.Cache is { IsUsed: true } ? null : inputs.PixelValues);
            var loss = ForwardAndBackward(inputs, teacher, (weight, step.AllRows.Length), isLast: done + 1 == step.BatchCount).MoveToOuterDisposeScope();
            if (setup.Exchange is null)
            {
                setup.Meter.Add(loss, _state.GlobalStep);
                setup.Guard?.Check(loss);
            }
            else
            {
                _ownLoss += loss.item<float>();
            }

            (_context.PixelValues, _context.MicroBatchLoss) = (setup.Cache is { IsUsed: true } ? null : inputs.PixelValues, loss);
            if (++done < step.BatchCount)
            {
                callbacks.Tell(c => c.OnSubstepEnd(_context));
            }
            else
            {
                inputs.PixelValues.MoveToOuterDisposeScope();
            }
        }

        // Pictures are of one size, those of the other processes too.
        _valuesPerPicture = step.Rows.Length == 0 ? _valuesPerPicture : values / step.Rows.Length;
        _state.TotalFlos += 6.0 * (_valuesPerPicture * step.AllRows.Length) * setup.ParameterCount;
        setup.Meter.Keep();
    }

    /// <summary>Adds up gradients and loss of all processes, and asks whether one of them is to stop.</summary>
    private void Exchange()
    {
        _isStopAgreed = stop.IsCancellationRequested || (setup.Processes.IsFirst && StopRequest.IsIn(_context.OutputDir));
        if (setup.Exchange is { } exchange)
        {
            (var sum, _isStopAgreed) = exchange.Sum(_ownLoss, _isStopAgreed);
            setup.Meter.Add(sum, _state.GlobalStep, _arguments.DistributedOrder == DistributedOrder.Accelerate ? _ownLoss * setup.Processes.Size : null);
            setup.Guard?.Check(tensor(sum));
        }
    }

    // Several processes stop after the same step: one that throws alone would leave the others waiting.
    private void RequireGoingOn()
    {
        if (IsStopped)
        {
            throw new OperationCanceledException(stop);
        }
    }

    /// <summary>Forward and backward of a micro-batch, in as many parts as memory asks for.</summary>
    /// <returns>Its loss, a scalar of the scope.</returns>
    private Tensor ForwardAndBackward(ModelInputs inputs, Tensor? teacher, (double Weight, int Count) step, bool isLast)
    {
        var (partCount, exchange) = (setup.MemoryFit?.PartCount ?? 1, isLast ? setup.Exchange : null);
        exchange?.BeginLastForward();
        var losses = new List<Tensor>();
        var targets = teacher?.chunk(partCount);
        foreach (var (pixels, labels) in inputs.PixelValues.chunk(partCount).Zip(inputs.Labels.chunk(partCount)))
        {
            using var scope = NewDisposeScope();
            var logits = setup.Cache is { IsUsed: true } cache ? cache.Forward(pixels) : Forward(pixels);
            var scores = logits.to(ScalarType.Float32);
            var loss = setup.Loss.Compute(scores, labels, step.Weight);
            loss = targets is null ? loss : Distillation.Mix(loss, scores, targets[losses.Count], _arguments, step.Count);
            exchange?.BeginLastBackward();
            BackwardErrors.Backward(setup.Scaler is null ? loss : loss.Times(setup.Scaler.Scale));
            losses.Add(loss.detach().MoveToOuterDisposeScope());
        }

        return losses.Count == 1 ? losses[0] : stack(losses).sum();
    }

    private Tensor Forward(Tensor pixels)
    {
        using var recomputing = _arguments.GradientCheckpointing ? Recomputation.Open() : null;
        _recomputing = recomputing;
        return setup.Network.call(pixels);
    }

    /// <summary>Says after the first step where blocks do not run again though that was asked for.</summary>
    private void TellOfBlocks()
    {
        if (_arguments.GradientCheckpointing && !_isFirstStepDone && _recomputing is not { BlockCount: > 0 })
        {
            WithoutEffect(logger, setup.Freezing.IsBackboneFrozenAtFirst ? "while the backbone is frozen: nothing of its blocks is kept" : $"on {setup.Network.ClassName}, which does not run block by block");
        }

        _isFirstStepDone = true;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "gradient_checkpointing has no effect {Where}.")]
    private static partial void WithoutEffect(ILogger logger, string where);

    /// <summary>Clips the gradients, moves the weights, advances the schedule.</summary>
    private void Update()
    {
        _progress.Done();
        var isFinite = setup.Scaler?.Unscale(setup.Optimizer.Gradients) ?? true;
        var norm = _arguments.MaxGradNorm > 0 ? Gradients.Clip(setup.Optimizer.Gradients, _arguments.MaxGradNorm) : null;
        _progress.Take(norm, _context.LearningRate);
        if (norm is not null && setup.Scaler is null)
        {
            setup.Guard?.Check(norm);
        }

        _context.GradientNorm = norm;
        callbacks.Tell(c => c.OnPreOptimizerStep(_context));
        if (isFinite)
        {
            setup.Optimizer.Step(setup.Schedule.Rates);
            setup.Schedule.Step();
            setup.Average?.Update();
        }

        setup.Optimizer.ZeroGradients();
        setup.Scaler?.Update(isFinite);
        (_context.PixelValues, _context.MicroBatchLoss, _context.GradientNorm) = (null, null, null);
    }

    private void EndStep(StepBatches step)
    {
        TellOfBlocks();
        _state.GlobalStep++;
        _state.Epoch = _progress.Position.Epoch + ((double)step.LastBatch / setup.Plan.BatchesPerEpoch);
        _progress.Position = _progress.Position with { BatchesDone = step.LastBatch };
        _flow.EndStep();
        callbacks.Tell(c => c.OnStepEnd(_context));
    }

    private void EndEpoch()
    {
        _averaging.EndEpoch(_progress.Position.Epoch);
        _flow.EndEpoch();
        callbacks.Tell(c => c.OnEpochEnd(_context));
        _progress.Position = _progress.Position with { IsEpochDone = true };
    }

    /// <summary>Does what is due now, each once.</summary>
    private void LogEvaluateSave()
    {
        if (_control.ShouldLog && _state.GlobalStep > setup.Meter.LastLoggedStep)
        {
            _control.ShouldLog = false;
            callbacks.Log(setup.Meter.TakeRow(_state.GlobalStep, _progress.GradientNorm, _progress.LearningRate));
        }

        if (_control.ShouldEvaluate)
        {
            Evaluate();
        }

        if (_control.ShouldSave)
        {
            _progress.Save();
        }
    }

    private void Evaluate()
    {
        setup.Guard?.Require();
        _progress.Begin();
        Dictionary<string, double> metrics;
        using (setup.Average?.Lend())
        {
            (metrics, _context.LastPrediction) = evaluation.Run(setup.EvalDataset!, "eval", setup.Cache, stop);
            setup.Freezing.SetTrainingMode();
        }

        _progress.Done();
        _control.ShouldEvaluate = false;
        callbacks.Log(metrics);
        callbacks.Tell(c => c.OnEvaluate(_context, metrics));
        if (_state.GlobalStep == 0)
        {
            // The evaluation before the first step is a row in the log and no more.
            return;
        }

        if (best.Key is { } key)
        {
            setup.Schedule.Evaluated(metrics[key]);
        }

        // A better evaluation always gets a checkpoint, whatever the save interval.
        if (best.Update(metrics) && !_control.ShouldSave && (_arguments.LoadBestModelAtEnd || _arguments.SaveStrategy == SaveStrategy.Best))
        {
            _control.ShouldSave = true;
            _progress.AddExtra();
        }
    }
}
