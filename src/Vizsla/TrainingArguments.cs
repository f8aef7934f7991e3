using System.Text.Json.Nodes;

namespace Vizsla;

/// <summary>What a training run is asked to do, under the names of the Hugging Face Trainer.</summary>
/// <remarks>
/// Every property is the argument of that name in snake case (<c>PerDeviceTrainBatchSize</c> is <c>per_device_train_batch_size</c>), in flags and files too.
/// Defaults are those of transformers 5.x. Arguments that Python has and that mean nothing here are refused by <c>ArgumentReader</c> with the reason.
/// Source: transformers <c>TrainingArguments</c>.
/// </remarks>
public sealed partial record TrainingArguments
{
    /// <summary>The run folder; created when absent. Default <c>trainer_output</c>.</summary>
    public string OutputDir { get; init; } = "trainer_output";

    /// <summary>Whether a run that already lies in <see cref="OutputDir"/> is replaced. Default false: it is refused.</summary>
    public bool OverwriteOutputDir { get; init; }

    /// <summary>Whether the <c>train</c> verb trains. Null, the default, means yes unless <see cref="DoEval"/> or <see cref="DoPredict"/> is asked for alone.</summary>
    public bool? DoTrain { get; init; }

    /// <summary>Whether the <c>train</c> verb evaluates once more at the end. Null, the default, means yes where there is a split to evaluate on.</summary>
    public bool? DoEval { get; init; }

    /// <summary>Whether the <c>train</c> verb predicts the test split at the end. Null, the default, means yes where there is one.</summary>
    public bool? DoPredict { get; init; }

    /// <summary>When to evaluate. Default no.</summary>
    public IntervalStrategy EvalStrategy { get; init; } = IntervalStrategy.No;

    /// <summary>Whether evaluation gives the loss only and leaves the metrics out. Default false.</summary>
    public bool PredictionLossOnly { get; init; }

    /// <summary>Pictures per forward pass in training, at least 1. Default 8.</summary>
    public int PerDeviceTrainBatchSize { get; init; } = 8;

    /// <summary>Pictures per forward pass in evaluation and prediction, at least 1. Default 8.</summary>
    public int PerDeviceEvalBatchSize { get; init; } = 8;

    /// <summary>Batches whose gradients are added before the optimizer steps, at least 1. Default 1.</summary>
    public int GradientAccumulationSteps { get; init; } = 1;

    /// <summary>Whether blocks of the network keep their input alone and run again in the backward pass: less memory for more time, the same numbers to the last bit. Default false.</summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>Evaluation batches after which logits move to the CPU; null, the default, moves them at the end.</summary>
    public int? EvalAccumulationSteps { get; init; }

    /// <summary>Steps (or epochs, by <see cref="EvalStrategy"/>) before the first evaluation. Default 0.</summary>
    public double EvalDelay { get; init; }

    /// <summary>The base learning rate, above 0. Default 5e-5.</summary>
    public double LearningRate { get; init; } = 5e-5;

    /// <summary>Weight decay, kept off biases and norms. Default 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Adam's decay of the mean of gradients, in [0, 1). Default 0.9.</summary>
    public double AdamBeta1 { get; init; } = 0.9;

    /// <summary>Adam's decay of the mean of squared gradients, in [0, 1). Default 0.999.</summary>
    public double AdamBeta2 { get; init; } = 0.999;

    /// <summary>Adam's term in the denominator. Default 1e-8.</summary>
    public double AdamEpsilon { get; init; } = 1e-8;

    /// <summary>Largest L2 norm of all gradients together; 0 clips nothing. Default 1.</summary>
    public double MaxGradNorm { get; init; } = 1.0;

    /// <summary>Passes over the training split; a fraction stops inside the last one. Default 3.</summary>
    public double NumTrainEpochs { get; init; } = 3.0;

    /// <summary>Optimizer steps; above 0 it overrules <see cref="NumTrainEpochs"/>. Default -1.</summary>
    public int MaxSteps { get; init; } = -1;

    /// <summary>The schedule of the learning rate. Default linear.</summary>
    public SchedulerType LrSchedulerType { get; init; } = SchedulerType.Linear;

    /// <summary>Further numbers of the schedule, such as <c>num_cycles</c> or <c>min_lr_rate</c>; null for none.</summary>
    public JsonObject? LrSchedulerKwargs { get; init; }

    /// <summary>Share of the steps that warm up, in [0, 1]; transformers 4.x. Overruled by <see cref="WarmupSteps"/>. Default 0.</summary>
    public double WarmupRatio { get; init; }

    /// <summary>Steps that warm up; below 1 it is a share of all steps. Default 0.</summary>
    public double WarmupSteps { get; init; }

    /// <summary>Least level that the trainer logs: debug, info, warning, error, critical, or passive for the logger's own. Default passive.</summary>
    public string LogLevel { get; init; } = "passive";

    /// <summary>Folder of the TensorBoard files, relative to <see cref="OutputDir"/> unless rooted; null is <c>logs</c>.</summary>
    public string? LoggingDir { get; init; }

    /// <summary>When to write a row of loss, gradient norm and learning rate. Default steps.</summary>
    public IntervalStrategy LoggingStrategy { get; init; } = IntervalStrategy.Steps;

    /// <summary>Whether step 1 is logged too. Default false.</summary>
    public bool LoggingFirstStep { get; init; }

    /// <summary>Steps between rows; below 1 it is a share of all steps. Default 500.</summary>
    public double LoggingSteps { get; init; } = 500;

    /// <summary>With <see cref="StopOnNan"/> off: whether a loss that is not finite counts as the mean so far in the rows. Default true.</summary>
    public bool LoggingNanInfFilter { get; init; } = true;

    /// <summary>When to save a checkpoint. Default steps.</summary>
    public SaveStrategy SaveStrategy { get; init; } = SaveStrategy.Steps;

    /// <summary>Steps between checkpoints; below 1 it is a share of all steps. Default 500.</summary>
    public double SaveSteps { get; init; } = 500;

    /// <summary>Checkpoints to keep, at least 1; the best one and the last one are never deleted. Null, the default, keeps all.</summary>
    public int? SaveTotalLimit { get; init; }

    /// <summary>Whether checkpoints hold the weights alone, which cannot be resumed from. Default false.</summary>
    public bool SaveOnlyModel { get; init; }

    /// <summary>Whether a resumed run continues the counters of early stopping and other callbacks. Default true, unlike Python: a resumed run equals an uninterrupted one.</summary>
    public bool RestoreCallbackStatesFromCheckpoint { get; init; } = true;

    /// <summary>Whether to leave a GPU alone. Default false.</summary>
    public bool UseCpu { get; init; }

    /// <summary>Seed of everything drawn. Default 42.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>Seed of the order of samples and of their augmentations; null, the default, is <see cref="Seed"/>.</summary>
    public long? DataSeed { get; init; }

    /// <summary>Whether only algorithms without run-to-run differences are used. Default false.</summary>
    public bool FullDeterminism { get; init; }

    /// <summary>Whether forward passes run in bfloat16; null, the default, means yes where the hardware computes it and the model gains by it.</summary>
    public bool? Bf16 { get; init; }

    /// <summary>Whether forward passes run in float16 with a loss scale; needs a GPU. Default false.</summary>
    public bool Fp16 { get; init; }

    /// <summary>Whether evaluation runs in bfloat16 even where training does not. Default false.</summary>
    public bool Bf16FullEval { get; init; }

    /// <summary>Whether evaluation runs in float16 even where training does not; needs a GPU. Default false.</summary>
    public bool Fp16FullEval { get; init; }

    /// <summary>Whether float32 products on a GPU may use TF32; null, the default, leaves libtorch's setting.</summary>
    public bool? Tf32 { get; init; }

    /// <summary>Whether a last batch that is not full is left out, in training and in evaluation. Default false.</summary>
    public bool DataloaderDropLast { get; init; }

    /// <summary>Steps between evaluations; below 1 it is a share of all steps. Null, the default, is <see cref="LoggingSteps"/>.</summary>
    public double? EvalSteps { get; init; }

    /// <summary>Threads that load pictures beside the training thread; null, the default, picks by cores; 0 loads on the training thread.</summary>
    public int? DataloaderNumWorkers { get; init; }

    /// <summary>Batches loaded ahead per worker; null, the default, is 2.</summary>
    public int? DataloaderPrefetchFactor { get; init; }

    /// <summary>Whether batches for a GPU go through page-locked memory. Default true.</summary>
    public bool DataloaderPinMemory { get; init; } = true;

    /// <summary>Name of the run in its events, plots and model card; null, the default, is the folder's name.</summary>
    public string? RunName { get; init; }

    /// <summary>Whether the <c>train</c> verb shows lines in place of a progress bar. Null, the default, shows a bar on a terminal.</summary>
    public bool? DisableTqdm { get; init; }

    /// <summary>Whether the weights of the best evaluation are in place when training ends. Default false.</summary>
    public bool LoadBestModelAtEnd { get; init; }

    /// <summary>Metric that says which evaluation is best, with or without <c>eval_</c>; null is <c>loss</c> where one is needed.</summary>
    public string? MetricForBestModel { get; init; }

    /// <summary>Whether a larger value of that metric is better; null, the default, asks the metric.</summary>
    public bool? GreaterIsBetter { get; init; }

    /// <summary>Whether a resumed run starts its epoch over instead of going on at the next sample. Default false.</summary>
    public bool IgnoreDataSkip { get; init; }

    /// <summary>Share of the target spread over all classes, in [0, 1). Default 0.</summary>
    public double LabelSmoothingFactor { get; init; }

    /// <summary>The optimizer. Default adamw_torch_fused.</summary>
    public OptimizerName Optim { get; init; } = OptimizerName.AdamwTorchFused;

    /// <summary>Further numbers of the optimizer as <c>name=value,name=value</c>; null for none.</summary>
    public string? OptimArgs { get; init; }

    /// <summary>Which sample comes next: random, sequential, or balanced. Default random.</summary>
    public TrainSamplingStrategy TrainSamplingStrategy { get; init; } = TrainSamplingStrategy.Random;

    /// <summary>Who else is told: <c>none</c>, <c>tensorboard</c>, <c>all</c>. Default none.</summary>
    public IReadOnlyList<string> ReportTo { get; init; } = ["none"];

    /// <summary>Whether memory figures are left out of the train metrics. Default true.</summary>
    public bool SkipMemoryMetrics { get; init; } = true;

    /// <summary>Checkpoint to resume from: a folder, or <c>true</c> for the last one in <see cref="OutputDir"/>; null, the default, starts anew.</summary>
    public string? ResumeFromCheckpoint { get; init; }

    /// <summary>Whether the batch is halved, with as many more accumulation steps, until it fits in memory. Default false.</summary>
    public bool AutoFindBatchSize { get; init; }

    /// <summary>Whether an evaluation comes before the first step. Default false.</summary>
    public bool EvalOnStart { get; init; }

    /// <summary>Seconds that several processes wait for one that makes no progress, at least 1, before the job is ended with a sentence that names it. Default 1800.</summary>
    public int DdpTimeout { get; init; } = 1800;
}
