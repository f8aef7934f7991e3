namespace Vizsla.Training.Arguments;

/// <summary>How many steps a run has and at which of them something happens.</summary>
/// <remarks>Source: transformers <c>Trainer.set_initial_training_values</c>, <c>TrainerState.compute_steps</c>. Parity: exact.</remarks>
public sealed class TrainingPlan
{
    /// <summary>Works the plan out.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <param name="sampleCount">Training samples in an epoch, at least 1.</param>
    /// <param name="processCount">Processes that train together, at least 1.</param>
    /// <exception cref="Arguments.ArgumentsException">There is no whole batch in an epoch.</exception>
    public TrainingPlan(TrainingArguments arguments, int sampleCount, int processCount = 1)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var (batch, accumulation) = (arguments.PerDeviceTrainBatchSize, arguments.GradientAccumulationSteps);
        SampleCount = sampleCount;
        BatchSize = batch;
        batch *= processCount;
        BatchSizeOfAll = batch;
        AccumulationSteps = accumulation;
        BatchesPerEpoch = arguments.DataloaderDropLast ? sampleCount / batch : CeilingOf(sampleCount, batch);
        if (BatchesPerEpoch == 0)
        {
            throw new Arguments.ArgumentsException(
                $"There are {sampleCount} training pictures, fewer than one batch of {batch}{(processCount > 1 ? $" in {processCount} processes" : "")}: lower per_device_train_batch_size or leave out dataloader_drop_last.");
        }

        StepsPerEpoch = CeilingOf(BatchesPerEpoch, accumulation);
        if (arguments.MaxSteps > 0)
        {
            MaxSteps = arguments.MaxSteps;
            EpochCount = CeilingOf(MaxSteps, StepsPerEpoch);
            TrainedSampleCount = (double)MaxSteps * batch * accumulation;
        }
        else
        {
            MaxSteps = (int)Math.Ceiling(arguments.NumTrainEpochs * StepsPerEpoch);
            EpochCount = (int)Math.Ceiling(arguments.NumTrainEpochs);
            TrainedSampleCount = sampleCount * arguments.NumTrainEpochs;
        }

        WarmupSteps = Warmup(arguments, MaxSteps);
        LoggingSteps = Absolute(arguments.LoggingSteps, MaxSteps);
        EvalSteps = Absolute(arguments.EvalSteps ?? arguments.LoggingSteps, MaxSteps);
        SaveSteps = Absolute(arguments.SaveSteps, MaxSteps);
    }

    /// <summary>Training samples in an epoch.</summary>
    public int SampleCount { get; }

    /// <summary>Samples in a batch of one process.</summary>
    public int BatchSize { get; }

    /// <summary>Samples in a batch of all processes together.</summary>
    public int BatchSizeOfAll { get; }

    /// <summary>Batches whose gradients are added before the optimizer steps.</summary>
    public int AccumulationSteps { get; }

    /// <summary>Batches of each process in an epoch.</summary>
    public int BatchesPerEpoch { get; }

    /// <summary>Optimizer steps in an epoch; the last one may have fewer batches.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Optimizer steps of the run.</summary>
    public int MaxSteps { get; }

    /// <summary>Epochs that are begun.</summary>
    public int EpochCount { get; }

    /// <summary>Samples of the whole run, as the speed is reckoned.</summary>
    public double TrainedSampleCount { get; }

    /// <summary>Steps that warm up.</summary>
    public int WarmupSteps { get; }

    /// <summary>Steps between rows of the log.</summary>
    public double LoggingSteps { get; }

    /// <summary>Steps between evaluations.</summary>
    public double EvalSteps { get; }

    /// <summary>Steps between checkpoints.</summary>
    public double SaveSteps { get; }

    private static int Warmup(TrainingArguments arguments, int maxSteps)
    {
        if (arguments.WarmupSteps >= 1)
        {
            return (int)arguments.WarmupSteps;
        }

        var share = arguments.WarmupSteps > 0 ? arguments.WarmupSteps : arguments.WarmupRatio;
        return (int)Math.Ceiling(maxSteps * share);
    }

    private static double Absolute(double steps, int maxSteps) => steps is > 0 and < 1 ? Math.Ceiling(maxSteps * steps) : steps;

    private static int CeilingOf(int number, int divisor) => (number + divisor - 1) / divisor;
}
